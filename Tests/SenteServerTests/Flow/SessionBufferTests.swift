// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import Testing

@Suite("What a session keeps for its client")
struct SessionBufferTests {
    private func buffer(_ messages: Int = 3, bytes: Int = 10_000) -> SessionBuffer {
        SessionBuffer(messages: messages, bytes: bytes)
    }

    private func texts(_ messages: [SessionBuffer.Kept]) -> [String] {
        messages.map { kept in
            if case .written(let message) = kept.content { message.string } else { "under way" }
        }
    }

    @Test("A client gets what it lacks, in order, answers among deliveries")
    func order() throws {
        var buffer = buffer()
        for (text, isAnswer) in [("a", false), ("b", true), ("c", false), ("d", true)] {
            buffer.append(.text(text), isAnswer: isAnswer)
        }
        let resumed = buffer.resume(after: 1)
        let (missed, messages) = try #require(resumed)
        #expect(missed == 0)
        #expect(texts(messages) == ["b", "c", "d"])
        #expect(buffer.sent == 4)
    }

    @Test("The oldest deliveries go first, and are told as missed; answers stay")
    func letsGo() throws {
        var buffer = buffer(2)
        buffer.append(.text("answer"), isAnswer: true)
        for number in 1...5 { buffer.append(.text("\(number)"), isAnswer: false) }
        let resumed = buffer.resume(after: 0)
        let (missed, messages) = try #require(resumed)
        #expect(missed == 3)
        #expect(texts(messages) == ["answer", "4", "5"])
        // The client counts three as had: the next count it tells is three, and then one for each message.
        let isRight = buffer.acknowledge(4)
        #expect(isRight)
        let again = buffer.resume(after: 4)
        #expect(again?.missed == 0)
        #expect(again.map { texts($0.messages) } == ["4", "5"])
    }

    @Test("A second try that lacks the same misses the same")
    func twice() {
        var buffer = buffer(1)
        for number in 1...3 { buffer.append(.text("\(number)"), isAnswer: false) }
        let first = buffer.resume(after: 0)
        let second = buffer.resume(after: 0)
        #expect(first?.missed == 2 && second?.missed == 2)
        #expect(first.map { texts($0.messages) } == second.map { texts($0.messages) })
        buffer.append(.text("4"), isAnswer: false)
        let third = buffer.resume(after: 2)
        #expect(third?.missed == 1)
        #expect(third.map { texts($0.messages) } == ["4"])
    }

    @Test("A client that lacks an answer that was let go cannot come back; one that has it can")
    func answers() {
        var buffer = buffer(bytes: 190)
        for number in 1...3 { buffer.append(.text("\(number)"), isAnswer: true) }
        var early = buffer
        let (tooEarly, late) = (early.resume(after: 0), buffer.resume(after: 1))
        #expect(tooEarly == nil)
        #expect(late?.messages.count == 2)
    }

    @Test("Bytes are bounded whatever comes, and counted back", arguments: 0..<20)
    func bounds(_ seed: UInt64) {
        var generator = Generator(seed: seed)
        var buffer = buffer(20, bytes: 3_000)
        for _ in 0..<500 {
            let size = Int.random(in: 0..<500, using: &generator)
            buffer.append(
                Message(.text, Array(repeating: 65, count: size)), isAnswer: .random(using: &generator))
            #expect(buffer.bytes <= 3_000)
            if Int.random(in: 0..<10, using: &generator) == 0 {
                let count = Int.random(in: buffer.acknowledged...buffer.sent, using: &generator)
                let isRight = buffer.acknowledge(count)
                #expect(isRight)
            }
        }
        let isRight = buffer.acknowledge(buffer.sent)
        #expect(isRight && buffer.bytes == 0)
    }

    @Test("Counts that go back or come from the future are refused")
    func counts() {
        var buffer = buffer()
        for _ in 0..<3 { buffer.append(.text(""), isAnswer: false) }
        let told = [2, 1, 4, .max].map { buffer.acknowledge($0) }
        #expect(told == [true, false, false, false])
        let resumed = [1, 4].map { buffer.resume(after: $0) == nil }
        #expect(resumed == [true, true])
    }
}
