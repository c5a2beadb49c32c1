// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Reassembly")
struct ReassemblyTests {
    private let now = Instant(nanoseconds: 0)

    private func part(
        _ number: UInt64, _ index: UInt64, _ bytes: [UInt8], isLast: Bool = false,
        namesAlgorithm: Bool = false, size: UInt64? = nil
    ) -> ChunkPart {
        ChunkPart(
            number: number, index: index, isLast: isLast, namesAlgorithm: namesAlgorithm, size: size,
            bytes: bytes[...])
    }

    private func limits(
        messageBytes: Int = 1_000, bytes: Int? = nil, parts: Int = 16, losesNothing: Bool = false
    ) -> Reassembly.Limits {
        .init(messageBytes: messageBytes, bytes: bytes, parts: parts, losesNothing: losesNothing)
    }

    // MARK: What comes whole

    @Test(
        "Whatever the order of parts, the doubles and the company, each message comes out once, byte for byte",
        arguments: UInt64(0)..<60)
    func anyOrder(seed: UInt64) throws {
        var random = Generator(seed: seed)
        var reassembly = Reassembly(limits: .init(messageBytes: 1 << 20, parts: 64))
        var sent: [UInt64: Folded] = [:]
        var came: [UInt64: Assembled] = [:]
        var envelopes: [(isBinary: Bool, Envelope)] = []
        for number in 0..<UInt64.random(in: 1..<6, using: &random) {
            let bytes = (0..<Int.random(in: 0..<500, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let isBinary = Bool.random(using: &random)
            let folded =
                Bool.random(using: &random) ? Folded(plain: bytes) : Folded(by: .deflate) { $0 += bytes }
            sent[number] = folded
            var chunker = Chunker(
                folded, number: number, size: Int.random(in: 9..<120, using: &random), isBinary: isBinary)
            while !chunker.isDone { envelopes += chunker.next().map { (isBinary, $0) } }
        }
        envelopes += envelopes.filter { if case .part = $0.1 { Bool.random(using: &random) } else { false } }
        envelopes.shuffle(using: &random)
        // An end opens nothing, so it stays behind some other of its message.
        let ends = envelopes.filter { if case .end = $0.1 { true } else { false } }
        envelopes.removeAll { if case .end = $0.1 { true } else { false } }
        for (isBinary, envelope) in envelopes + ends {
            let arrival: Reassembly.Arrival
            let number: UInt64
            switch envelope {
            case .start(let start): (number, arrival) = (start.number, try reassembly.start(start, at: now))
            case .part(let part):
                (number, arrival) = (part.number, try reassembly.add(part, isBinary: isBinary, at: now))
            case .end(let end): (number, arrival) = (end, try reassembly.end(end, at: now))
            case .compressed, .abort: continue
            }
            guard case .whole(let assembled) = arrival else { continue }
            #expect(came.updateValue(assembled, forKey: number) == nil)
        }
        #expect(came.count == sent.count)
        for (number, folded) in sent {
            #expect(came[number]?.bytes == folded.payload)
            #expect(came[number]?.algorithm == folded.algorithm)
        }
        #expect(reassembly.bytes == 0)
        #expect(reassembly.count == 0)
        #expect(reassembly.deadline == nil)
    }

    @Test("A message is whole with its end, though all of its parts have come")
    func end() throws {
        var reassembly = Reassembly(limits: limits())
        #expect(try reassembly.start(ChunkStart(number: 1, chunks: 1, size: 1), at: now) == .unfinished)
        #expect(try reassembly.add(part(1, 0, [5]), isBinary: false, at: now) == .unfinished)
        #expect(try reassembly.end(1, at: now) == .whole(Assembled(bytes: [5], algorithm: nil)))
        #expect(try reassembly.end(1, at: now) == .late)
        #expect(try reassembly.start(ChunkStart(number: 1, chunks: 1, size: 1), at: now) == .late)
        #expect(try reassembly.add(part(1, 0, [6]), isBinary: false, at: now) == .late)
    }

    // MARK: What is given up

    @Test("A message whose next part stays away is given up, and its late parts open nothing")
    func timeout() throws {
        var reassembly = Reassembly(limits: limits())
        _ = try reassembly.add(part(1, 0, [1]), isBinary: true, at: now)
        let later = now.advanced(by: .seconds(20))
        _ = try reassembly.add(part(2, 0, [1]), isBinary: true, at: later)
        #expect(reassembly.deadline == now.advanced(by: .seconds(30)))
        // A double is no sign of life.
        #expect(try reassembly.add(part(1, 0, [1]), isBinary: true, at: later) == .late)
        try reassembly.expire(at: now.advanced(by: .seconds(30)))
        #expect(reassembly.count == 1)
        #expect(reassembly.losses == .init(timeouts: 1))
        #expect(reassembly.deadline == now.advanced(by: .seconds(50)))
        #expect(try reassembly.add(part(1, 1, [2], isLast: true), isBinary: true, at: later) == .late)
        #expect(reassembly.count == 1)
    }

    @Test("Each new part gives the next one its time")
    func timeOfPart() throws {
        var reassembly = Reassembly(limits: limits())
        _ = try reassembly.add(part(1, 0, [1]), isBinary: true, at: now)
        _ = try reassembly.add(part(1, 1, [1]), isBinary: true, at: now.advanced(by: .seconds(20)))
        #expect(reassembly.deadline == now.advanced(by: .seconds(50)))
    }

    @Test("Where there is no room, the message goes whose last part is oldest")
    func eviction() throws {
        var reassembly = Reassembly(limits: limits(messageBytes: 1_000, bytes: 5_000, parts: 2))
        let bytes = [UInt8](repeating: 1, count: 1_000)
        for number in UInt64(1)...3 {
            _ = try reassembly.add(part(number, 0, bytes), isBinary: true, at: now)
        }
        _ = try reassembly.add(part(1, 1, []), isBinary: true, at: now)
        _ = try reassembly.add(part(4, 0, bytes), isBinary: true, at: now)
        #expect(reassembly.losses == .init(evictions: 1))
        #expect(reassembly.bytes <= 5_000)
        #expect(try reassembly.add(part(2, 1, [], isLast: true), isBinary: true, at: now) == .late)
        guard case .whole = try reassembly.add(part(3, 1, [], isLast: true), isBinary: true, at: now) else {
            Issue.record("The third one was given up.")
            return
        }
    }

    @Test("What was announced takes its room before it came, in either spelling", arguments: [false, true])
    func announced(isBinary: Bool) throws {
        var reassembly = Reassembly(limits: limits(messageBytes: 1_000, bytes: 5_000, parts: 2))
        for number in UInt64(1)...4 {
            if !isBinary {
                _ = try reassembly.start(ChunkStart(number: number, chunks: 2, size: 1_000), at: now)
            }
            _ = try reassembly.add(
                part(number, 0, [1], size: isBinary ? 1_000 : nil), isBinary: isBinary, at: now)
        }
        #expect(reassembly.losses == .init(evictions: 1))
        #expect((3_000...5_000).contains(reassembly.bytes))
    }

    @Test("An aborted message is gone; one that nobody knows changes nothing")
    func abort() throws {
        var reassembly = Reassembly(limits: limits())
        _ = try reassembly.add(part(1, 0, [1]), isBinary: true, at: now)
        reassembly.abort(1)
        reassembly.abort(2)
        #expect(reassembly.losses == .init(aborts: 1))
        #expect(reassembly.bytes == 0)
        #expect(try reassembly.add(part(1, 1, [], isLast: true), isBinary: true, at: now) == .late)
    }

    @Test("Where both ends count, the link ends instead of giving up")
    func losesNothing() throws {
        var reassembly = Reassembly(
            limits: limits(messageBytes: 1_000, bytes: 2_000, parts: 2, losesNothing: true))
        let bytes = [UInt8](repeating: 1, count: 1_000)
        _ = try reassembly.add(part(1, 0, bytes), isBinary: true, at: now)
        let full = #expect(throws: FlowViolation.self) {
            try reassembly.add(part(2, 0, bytes), isBinary: true, at: now)
        }
        #expect(full?.closeCode == .messageTooBig)
        let late = #expect(throws: FlowViolation.self) {
            try reassembly.expire(at: now.advanced(by: .seconds(30)))
        }
        #expect(late?.closeCode == .messageTooBig)
    }

    // MARK: What a hostile peer sends

    @Test("More than a message may have ends the link")
    func tooBig() throws {
        var reassembly = Reassembly(limits: limits())
        let starts: [(chunks: UInt64, size: UInt64)] = [
            (17, 1), (1, 1_001), (1, 1 << 63), (1 << 63, 1), (.max, .max),
        ]
        for start in starts {
            let error = #expect(throws: FlowViolation.self) {
                try reassembly.start(ChunkStart(number: 1, chunks: start.chunks, size: start.size), at: now)
            }
            #expect(error?.closeCode == .messageTooBig)
        }
        for index in [UInt64(16), 1 << 63, .max] {
            let error = #expect(throws: FlowViolation.self) {
                try reassembly.add(part(1, index, [1]), isBinary: true, at: now)
            }
            #expect(error?.closeCode == .messageTooBig)
        }
        for (size, namesAlgorithm) in [(UInt64(1_001), false), (1_002, true), (.max, true)] {
            let error = #expect(throws: FlowViolation.self) {
                try reassembly.add(
                    part(1, 0, [1], namesAlgorithm: namesAlgorithm, size: size), isBinary: true, at: now)
            }
            #expect(error?.closeCode == .messageTooBig)
        }
        _ = try reassembly.add(part(1, 0, .init(repeating: 1, count: 600)), isBinary: true, at: now)
        let error = #expect(throws: FlowViolation.self) {
            try reassembly.add(part(1, 1, .init(repeating: 1, count: 401)), isBinary: true, at: now)
        }
        #expect(error?.closeCode == .messageTooBig)
    }

    @Test("A server that contradicts itself breaks the protocol")
    func contradictions() throws {
        let start = ChunkStart(number: 1, chunks: 2, size: 3)
        let cases: [(inout Reassembly, Instant) throws -> Void] = [
            { [part] in
                _ = try $0.start(start, at: $1)
                _ = try $0.add(part(1, 2, [1], false, false, nil), isBinary: false, at: $1)
            },
            { [part] in
                _ = try $0.add(part(1, 2, [1], false, false, nil), isBinary: false, at: $1)
                _ = try $0.start(start, at: $1)
            },
            {
                _ = try $0.start(start, at: $1)
                _ = try $0.start(ChunkStart(number: 1, chunks: 3, size: 3), at: $1)
            },
            {
                _ = try $0.start(start, at: $1)
                _ = try $0.start(ChunkStart(number: 1, chunks: 2, size: 4), at: $1)
            },
            { [part] in
                _ = try $0.start(start, at: $1)
                _ = try $0.add(part(1, 0, [1], false, false, nil), isBinary: true, at: $1)
            },
            { [part] in
                _ = try $0.add(part(1, 1, [1], true, false, nil), isBinary: true, at: $1)
                _ = try $0.add(part(1, 2, [1], true, false, nil), isBinary: true, at: $1)
            },
            { [part] in
                _ = try $0.add(part(1, 3, [1], false, false, nil), isBinary: true, at: $1)
                _ = try $0.add(part(1, 2, [1], true, false, nil), isBinary: true, at: $1)
            },
            { [part] in
                _ = try $0.add(part(1, 0, [1], false, false, nil), isBinary: true, at: $1)
                _ = try $0.add(part(1, 1, [1], false, true, nil), isBinary: true, at: $1)
            },
            // Other bytes than said.
            { [part] in
                _ = try $0.start(ChunkStart(number: 1, chunks: 1, size: 3), at: $1)
                _ = try $0.add(part(1, 0, [1], false, false, nil), isBinary: false, at: $1)
                _ = try $0.end(1, at: $1)
            },
            { [part] in
                _ = try $0.add(part(1, 0, [1, 2], false, false, 3), isBinary: true, at: $1)
                _ = try $0.add(part(1, 1, [1, 2], true, false, nil), isBinary: true, at: $1)
            },
            { [part] in
                _ = try $0.add(part(1, 0, [1], false, false, 3), isBinary: true, at: $1)
                _ = try $0.add(part(1, 1, [1], false, false, 4), isBinary: true, at: $1)
            },
            // Compressed by nothing.
            { [part] in _ = try $0.add(part(1, 0, [], true, true, nil), isBinary: true, at: $1) },
            { [part] in _ = try $0.add(part(1, 0, [9], true, true, nil), isBinary: true, at: $1) },
            // No parts at all.
            { _ = try $0.start(ChunkStart(number: 1, chunks: 0, size: 0), at: $1) },
            // An end out of nothing.
            { _ = try $0.end(5, at: $1) },
        ]
        for (row, body) in cases.enumerated() {
            var reassembly = Reassembly(limits: limits())
            let error = #expect(throws: FlowViolation.self, "row \(row)") { try body(&reassembly, now) }
            #expect(error?.closeCode == .protocolError, "row \(row)")
        }
    }

    @Test("Whatever comes, what is kept stays under its bound", arguments: UInt64(0)..<20)
    func bounded(seed: UInt64) {
        var random = Generator(seed: seed)
        var reassembly = Reassembly(limits: limits(messageBytes: 2_000, bytes: 10_000, parts: 8))
        var time = now
        for _ in 0..<2_000 {
            time = time.advanced(by: .milliseconds(Int.random(in: 0..<200, using: &random)))
            let number = UInt64.random(in: 0..<200, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: _ = try? reassembly.end(number, at: time)
            case 1: reassembly.abort(number)
            case 2:
                _ = try? reassembly.start(
                    ChunkStart(
                        number: number, chunks: UInt64.random(in: 0..<10, using: &random),
                        size: UInt64.random(in: 0..<2_500, using: &random)), at: time)
            case 3: try? reassembly.expire(at: time)
            default:
                let bytes = [UInt8](repeating: 0, count: Int.random(in: 0..<600, using: &random))
                _ = try? reassembly.add(
                    part(
                        number, UInt64.random(in: 0..<9, using: &random), bytes,
                        isLast: Int.random(in: 0..<8, using: &random) == 0,
                        size: Int.random(in: 0..<4, using: &random) == 0
                            ? UInt64.random(in: 0..<2_500, using: &random) : nil),
                    isBinary: Bool.random(using: &random), at: time)
            }
            #expect(reassembly.bytes >= 0 && reassembly.bytes <= reassembly.limits.bytes)
        }
        while let deadline = reassembly.deadline { try? reassembly.expire(at: deadline) }
        #expect(reassembly.bytes == 0)
        #expect(reassembly.count == 0)
    }

    @Test("A million messages of one empty part each, without end, are a thousand at most")
    func openings() throws {
        var reassembly = Reassembly(limits: .init(messageBytes: 1 << 20))
        for number in UInt64(0)..<5_000 {
            _ = try reassembly.add(part(number, 0, []), isBinary: true, at: now)
        }
        #expect(reassembly.count == 1_024)
        #expect(reassembly.losses.evictions == 5_000 - 1_024)
    }
}
