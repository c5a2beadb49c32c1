// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteTransport
import SenteWire
import Testing

/// Clients that say anything about streams, in any order, over links that come and go.
@Suite("A desk whose clients do what they like")
struct StreamDeskRunTests {
    /// What became of one sink.
    private final class Tally: StreamSink {
        struct State {
            var isOver = false
            var calls = 0
        }
        let state = LockedValue(State())
        let fails: Bool

        init(fails: Bool) { self.fails = fails }

        func take(_ bytes: ArraySlice<UInt8>) throws(StreamRefusal) {
            #expect(!state.withLock { $0.isOver }, "nothing is given to a sink that is over")
            if fails { throw StreamRefusal("full", code: "quota-exceeded") }
        }

        func finish() throws(StreamRefusal) -> Value {
            end()
            return .null
        }

        func abandon() { end() }

        private func end() {
            state.withLock { state in
                state.isOver = true
                state.calls += 1
            }
        }
    }

    /// Gives anything, and sometimes nothing.
    private struct Noise: StreamSource {
        var generator: Generator
        let canGoBack: Bool

        mutating func bytes(at place: UInt64, most: Int) throws(StreamRefusal) -> StreamSupply {
            switch Int.random(in: 0..<12, using: &generator) {
            case 0: return .end
            case 1: throw StreamRefusal("gone", code: "source-failed")
            case 2: return .later(nil)
            case 3, 4: return .later(.milliseconds(Int.random(in: 1...400, using: &generator)))
            default: return .bytes([1, 2, 3, 4].prefix(Int.random(in: 1...most, using: &generator)))
            }
        }
    }

    private struct Run {
        var stage: DeskStage
        var random: Generator
        let sinks = LockedValue<[Tally]>([])
        var here: [UInt64] = []
        var last: UInt64 = 0
        var ids = (0..<6).map { "u\($0)" }
        var names: [StreamName] = []
        var broadcasts: [StreamDesk.BroadcastName] = []

        init(seed: UInt64) {
            random = Generator(seed: seed)
            let choices = LockedValue(Generator(seed: seed ^ 7))
            stage = DeskStage { [sinks] (request) throws(StreamRefusal) in
                let choice = choices.withLock { Int.random(in: 0..<8, using: &$0) }
                if choice == 0 { throw StreamRefusal("no") }
                if choice == 1 { return StreamEnds() }
                if request.offer.kind == .bidirectional {
                    let echo = StreamEcho()
                    return StreamEnds(source: echo, sink: echo)
                }
                let sink = Tally(fails: choice == 2)
                sinks.withLock { $0.append(sink) }
                return StreamEnds(sink: sink)
            }
        }

        private mutating func roll(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

        mutating func step() {
            switch roll(16) {
            case 0, 1: connect()
            case 2: if !here.isEmpty, roll(3) == 0 { stage.lose(here.remove(at: roll(here.count))) }
            case 3:
                let source = Noise(generator: Generator(seed: random.next()), canGoBack: roll(2) == 0)
                let opened = stage.open(roll(2) == 0 ? .download : .bidirectional) {
                    StreamEnds(source: source, sink: StreamEcho())
                }
                names += opened
                ids = (ids + opened.map(\.id)).suffix(24)
            case 4: broadcast()
            case 5: stage.pass(.milliseconds(roll(30_000)))
            case 6: stage.step { $0.wakeAll(in: &$1, at: $2, into: &$3) }
            case 7: change()
            default: say()
            }
        }

        private mutating func connect() {
            guard here.count < 4 else { return }
            last += 1
            here.append(last)
            stage.connect(last, as: ["", "a", "b"][roll(3)])
            if roll(2) == 0 { stage.sayText(#"{"type":"subscribe","channel-id":"radio"}"#, from: last) }
        }

        private mutating func broadcast() {
            if let name = broadcasts.last, roll(2) == 0 {
                broadcasts.removeLast()
                return stage.step { $0.cancel(name, in: &$1, at: $2, into: &$3) }
            }
            broadcasts.append(
                stage.broadcast(Noise(generator: Generator(seed: random.next()), canGoBack: false)))
        }

        private mutating func change() {
            guard !names.isEmpty else { return }
            let name = names[roll(names.count)]
            let choice = roll(3)
            stage.step { _, session, now, effects in
                _ = session.changeStream(name, at: now, into: &effects) { stream in
                    switch choice {
                    case 0: stream.cancel("enough", at: now.instant)
                    case 1: stream.hold(true, at: now.instant)
                    default: stream.hold(false, at: now.instant)
                    }
                }
            }
        }

        private mutating func say() {
            guard !here.isEmpty else { return }
            let number = here[roll(here.count)]
            let id = ids[roll(ids.count)]
            let index = roll(4)
            let grant = #""next":\#(index),"bytes":\#(index * 4),"until":\#(roll(12))"#
            switch roll(14) {
            case 0, 1: stage.ask("upload", id: id, number: 2 * roll(20) + 1, from: number)
            case 2: stage.ask("bidirectional", id: id, number: 2 * roll(20) + 1, grant, from: number)
            case 3:
                stage.ask(
                    "download", id: id, number: 2 * roll(20) + 1, #""again":true,"# + grant, from: number)
            case 4, 5, 6:
                stage.say("chunk", of: id, #""chunk-index":\#(index),"data":"YWJjZA==""#, from: number)
            case 7:
                stage.say(
                    "complete", of: id, #""total-chunks":\#(index),"total-size":\#(index * 4)"#, from: number)
            case 8: stage.say("accept", of: id, grant, from: number)
            case 9: stage.say("credits", of: id, grant, from: number)
            case 10:
                stage.say(
                    "complete", of: id, #""chunks-received":\#(index),"bytes-received":\#(index * 4)"#,
                    from: number)
            case 11: stage.say(["pause", "resume", "rewind"][roll(3)], of: id, grant, from: number)
            case 12: stage.say(["cancel", "error"][roll(2)], of: id, #""error-code":"x""#, from: number)
            default: stage.say("control", of: id, #""data":1"#, from: number)
            }
            here.removeAll { stage.closed.contains($0) }
        }

        /// Nobody is left, and comes back.
        mutating func end() {
            for name in broadcasts { stage.step { $0.cancel(name, in: &$1, at: $2, into: &$3) } }
            for number in here { stage.lose(number) }
            stage.pass(.seconds(7_400))
        }
    }

    @Test("nothing is left of any stream, and each sink is told its end once")
    func runs() {
        var streams = 0
        for seed in 1...30 as ClosedRange<UInt64> {
            var run = Run(seed: seed)
            for _ in 0..<400 {
                run.step()
                #expect(run.stage.desk.streamCount == run.stage.session.streamCount, "seed \(seed)")
            }
            run.end()
            #expect(run.stage.desk.streamCount == 0, "seed \(seed)")
            #expect(run.stage.desk.broadcastCount == 0, "seed \(seed)")
            #expect(run.stage.session.streamClients == 0, "seed \(seed)")
            let sinks = run.sinks.withLock { $0 }
            #expect(sinks.allSatisfy { $0.state.withLock { $0.calls } == 1 }, "seed \(seed)")
            streams += run.stage.session.counters.streams.started
        }
        #expect(streams > 600, "the runs are about streams: \(streams)")
    }
}
