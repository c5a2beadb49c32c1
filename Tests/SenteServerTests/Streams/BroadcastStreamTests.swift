// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite struct BroadcastStreamTests {
    /// A broadcast to clients that have credits of their own.
    private struct Hall {
        var broadcast: BroadcastStream
        var stages: [BroadcastStream.Listener: StreamStage] = [:]

        mutating func join(credits: UInt64) -> BroadcastStream.Listener {
            let (listener, first) = broadcast.join()
            var stage = StreamStage()
            let offer = StreamOffer(.broadcast, channel: "news", chunkSize: 4, isChecked: false, first: first)
            _ = stage.registry.open(offer, id: "u", at: stage.now)
            stages[listener] = stage
            hear(.acceptance(StreamGrant(has: first, limit: .chunk(credits))), listener)
            return listener
        }

        mutating func hear(_ word: ServerStreamWord, _ listener: BroadcastStream.Listener) {
            stages[listener]?.hear(word)
            serve(listener)
        }

        mutating func write(_ text: String) {
            perform(broadcast.write(Array(text.utf8)[...]))
        }

        mutating func finish() {
            perform(broadcast.finish())
        }

        /// Gives a listener what it wants.
        private mutating func serve(_ listener: BroadcastStream.Listener) {
            let events = stages[listener]?.takeEvents() ?? []
            for event in events where event.isWish { perform(broadcast.wanted(by: listener)) }
        }

        private mutating func perform(_ actions: [BroadcastStream.Action]) {
            for action in actions {
                switch action {
                case .give(let listener, let bytes, let place):
                    stages[listener]?.change { $0.give(bytes, at: place, now: $1) }
                case .skip(let listener, let place):
                    stages[listener]?.change { $0.skip(to: place, at: $1) }
                    serve(listener)
                case .drop(let listener):
                    stages[listener]?.change { $0.fail("too-slow", "it could not keep up", at: $1) }
                case .end(let listener, let place):
                    stages[listener]?.change { $0.end(at: place, now: $1) }
                }
            }
        }

        mutating func parts(_ listener: BroadcastStream.Listener) -> [String] {
            var parts: [String] = []
            while let new = stages[listener]?.takeParts(), !new.isEmpty {
                parts += new
                serve(listener)
            }
            return parts
        }
    }

    @Test("each has credits of its own, and a slow one holds up nobody")
    func own() {
        var hall = Hall(broadcast: BroadcastStream(chunkSize: 4, capacity: 3))
        let fast = hall.join(credits: 100)
        let slow = hall.join(credits: 1)
        for text in ["aaaa", "bbbb", "cccc"] {
            hall.write(text)
            _ = hall.parts(slow)
            #expect(hall.parts(fast).count == 1)
        }
        #expect(hall.broadcast.wantsBytes, "the fast one waits for more")
        hall.hear(.credits(StreamStage.grant(1, 4, until: 9)), slow)
        #expect(hall.parts(slow) == ["1 bbbb", "2 cccc"], "what it had no credit for was kept for it")
    }

    @Test("who comes later begins with the next chunk, and is told its index")
    func late() {
        var hall = Hall(broadcast: BroadcastStream(chunkSize: 4))
        hall.write("aaaabbbb")
        let listener = hall.join(credits: 100)
        guard case .initiation(let offer)? = hall.stages[listener]?.takeWords().first else {
            Issue.record("nothing was offered")
            return
        }
        let fields = ServerStreamWord.initiation(offer).fields(of: "u", { .string($0) }, writesBytes: true)
        #expect(fields["next"] == 2)
        #expect(fields["bytes"] == 8)
        hall.write("cccc")
        #expect(hall.parts(listener) == ["2 cccc"])
    }

    @Test("one that is too far behind goes on with the next chunk, and is told that something was left out")
    func leavingOut() {
        var hall = Hall(broadcast: BroadcastStream(chunkSize: 4, capacity: 2))
        let slow = hall.join(credits: 1)
        _ = hall.stages[slow]?.takeWords()
        hall.write("aaaa")
        #expect(hall.parts(slow) == ["0 aaaa"])
        hall.write("bbbbccccdddd")
        #expect(hall.broadcast.keptChunks == 2)
        hall.hear(.credits(StreamStage.grant(1, 4, until: 9)), slow)
        #expect(hall.stages[slow]?.takeWords() == [.resumption(at: StreamPlace(index: 4, bytes: 16))])
        hall.write("eeee")
        #expect(hall.parts(slow) == ["4 eeee"])
    }

    @Test("by policy one that is too far behind is dropped, and the others go on")
    func dropping() {
        var hall = Hall(broadcast: BroadcastStream(chunkSize: 4, capacity: 2, slowness: .drops))
        let slow = hall.join(credits: 0)
        let fast = hall.join(credits: 100)
        for text in ["aaaa", "bbbb", "cccc"] {
            hall.write(text)
            #expect(hall.parts(fast).count == 1)
        }
        #expect(hall.stages[slow]?.takeWords().codes == ["too-slow"])
        #expect(hall.broadcast.count == 1)
    }

    @Test("nothing more is asked of the producer while even the fastest has no credit")
    func pace() {
        var hall = Hall(broadcast: BroadcastStream(chunkSize: 4))
        #expect(hall.broadcast.wantsBytes, "nobody listens, and nobody is to be waited for")
        let listener = hall.join(credits: 1)
        hall.write("aaaa")
        _ = hall.parts(listener)
        #expect(!hall.broadcast.wantsBytes)
        hall.hear(.credits(StreamStage.grant(1, 4, until: 2)), listener)
        #expect(hall.broadcast.wantsBytes)
    }

    @Test("the end reaches everybody, after what they have still to hear")
    func end() {
        var hall = Hall(broadcast: BroadcastStream(chunkSize: 4))
        let first = hall.join(credits: 100)
        let second = hall.join(credits: 1)
        hall.write("aaaabbbb")
        hall.finish()
        for listener in [first, second] {
            _ = hall.stages[listener]?.takeWords()
            _ = hall.parts(listener)
        }
        let end = ServerStreamWord.sent(StreamPlace(index: 2, bytes: 8), checksum: nil)
        #expect(hall.stages[first]?.takeWords() == [end])
        hall.hear(.credits(StreamStage.grant(1, 4, until: 9)), second)
        #expect(hall.parts(second) == ["1 bbbb"])
        #expect(hall.stages[second]?.takeWords() == [end])
    }

    @Test("who leaves is no longer waited for")
    func leaving() {
        var hall = Hall(broadcast: BroadcastStream(chunkSize: 4))
        let listener = hall.join(credits: 0)
        #expect(!hall.broadcast.wantsBytes)
        hall.broadcast.leave(listener)
        #expect(hall.broadcast.wantsBytes)
    }
}

extension ServerStream.Event {
    fileprivate var isWish: Bool {
        if case .wants = self { true } else { false }
    }
}
