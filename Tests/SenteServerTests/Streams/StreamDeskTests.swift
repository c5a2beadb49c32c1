// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSignals
import SenteTransport
import SenteWire
import Testing

@Suite("The desk where a server's streams meet sources and sinks")
struct StreamDeskTests {
    /// Keeps what it takes, and what became of it, where the test sees it.
    private final class Shelf: StreamSink {
        struct State {
            var bytes: [UInt8] = []
            var calls: [String] = []
            var takesMore = true
            var failsAfter = Int.max
            var failsAtEnd = false
        }
        let state: LockedValue<State>

        init(_ change: (inout State) -> Void = { _ in }) {
            var state = State()
            change(&state)
            self.state = LockedValue(state)
        }

        var text: String { String(decoding: state.withLock { $0.bytes }, as: UTF8.self) }
        var calls: [String] { state.withLock { $0.calls } }
        var takesMore: Bool { state.withLock { $0.takesMore } }

        func take(_ bytes: ArraySlice<UInt8>) throws(StreamRefusal) {
            let isFull = state.withLock { state in
                state.bytes += bytes
                return state.bytes.count > state.failsAfter
            }
            if isFull { throw StreamRefusal("the disk is full", code: "quota-exceeded") }
        }

        func finish() throws(StreamRefusal) -> Value {
            let fails = state.withLock { state in
                state.calls.append("finish")
                return state.failsAtEnd
            }
            if fails { throw StreamRefusal("it cannot be renamed", code: "source-failed") }
            return ["id": 7]
        }

        func abandon() { state.withLock { $0.calls.append("abandon") } }
    }

    /// Gives pieces in turn, then what is set.
    private struct Script: StreamSource {
        var canGoBack: Bool { false }
        let supplies: LockedValue<[StreamSupply]>
        var failure: StreamRefusal?

        init(_ supplies: [StreamSupply], failure: StreamRefusal? = nil) {
            self.supplies = LockedValue(supplies)
            self.failure = failure
        }

        func bytes(at place: UInt64, most: Int) throws(StreamRefusal) -> StreamSupply {
            let next = supplies.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let next { return next }
            if let failure { throw failure }
            return .later(nil)
        }
    }

    private static func bytes(_ text: String) -> StreamSupply { .bytes(Array(text.utf8)[...]) }

    private static func taking(_ shelf: Shelf) -> DeskStage {
        var stage = DeskStage { (_) throws(StreamRefusal) in StreamEnds(sink: shelf) }
        stage.connect()
        stage.ask()
        return stage
    }

    // MARK: What comes

    @Test("an upload goes to its sink, whose receipt the client gets, and nothing is left of it")
    func upload() {
        let shelf = Shelf()
        var stage = Self.taking(shelf)
        stage.send(0, "abcd")
        stage.send(1, "ef")
        #expect(stage.heard() == ["accept"])
        stage.finish(chunks: 2, bytes: 6)
        let told = stage.takeTold()
        #expect(DeskStage.summary(told) == ["complete"])
        #expect(told[0]["receipt"] == ["id": 7])
        #expect(shelf.text == "abcdef")
        #expect(shelf.calls == ["finish"])
        #expect(stage.desk.streamCount == 0)
        #expect(stage.session.streamCount == 0)
    }

    @Test("what nobody takes is refused, by whoever decides or because nobody does")
    func refusal() {
        var nobody = DeskStage()
        nobody.connect()
        nobody.ask()
        #expect(nobody.takeTold().map { $0["error-code"] } == ["refused"])
        var strict = DeskStage { (request) throws(StreamRefusal) in
            throw StreamRefusal("no \(request.offer.kind) here", code: "quota-exceeded")
        }
        strict.connect()
        strict.ask()
        let told = strict.takeTold()
        #expect(told[0]["error-code"] == "quota-exceeded")
        #expect(told[0]["message"] == "no upload here")
        #expect(strict.desk.streamCount == 0)
        // One that lacks the end that it needs.
        var half = DeskStage { (_) throws(StreamRefusal) in StreamEnds(sink: Shelf()) }
        half.connect()
        half.ask("bidirectional", #""next":0,"bytes":0,"until":4"#)
        #expect(half.takeTold().map { $0["error-code"] } == ["refused"])
    }

    @Test("a sink that takes no more stops its client within the credits, and goes on when it is woken")
    func backpressure() {
        let shelf = Shelf { $0.takesMore = false }
        var stage = Self.taking(shelf)
        for index in 0..<4 { stage.send(index, "abcd") }
        #expect(stage.heard() == ["accept"], "no new credits")
        #expect(shelf.text.isEmpty)
        shelf.state.withLock { $0.takesMore = true }
        stage.step { $0.wakeAll(in: &$1, at: $2, into: &$3) }
        #expect(shelf.text == "abcdabcdabcdabcd")
        #expect(stage.heard().contains("credits"))
    }

    @Test("a sink that fails in the middle, or at the end, fails the stream with its sentence")
    func failingSink() {
        let full = Shelf { $0.failsAfter = 4 }
        var stage = Self.taking(full)
        stage.send(0, "abcd")
        stage.send(1, "efgh")
        let told = stage.takeTold().last
        #expect(told?["error-code"] == "quota-exceeded")
        #expect(told?["message"] == "the disk is full")
        #expect(full.calls == ["abandon"])
        #expect(stage.desk.streamCount == 0)

        let stuck = Shelf { $0.failsAtEnd = true }
        stage = Self.taking(stuck)
        stage.send(0, "abcd")
        stage.finish(chunks: 1, bytes: 4)
        #expect(stage.takeTold().last?["error-code"] == "source-failed")
        #expect(stuck.calls == ["finish", "abandon"])
    }

    @Test("a client that cancels, breaks the rules, or stays away leaves nothing in the sink")
    func abandoned() {
        let shelf = Shelf()
        var stage = Self.taking(shelf)
        stage.say("cancel")
        #expect(shelf.calls == ["abandon"])
        stage.ask(id: "v", number: 3)
        stage.send(7, "abcd", of: "v")
        #expect(shelf.calls == ["abandon", "abandon"])
        stage.ask(id: "w", number: 5)
        stage.lose()
        stage.pass(.seconds(3_700))
        #expect(shelf.calls == ["abandon", "abandon", "abandon"])
        #expect(stage.desk.streamCount == 0)
    }

    @Test("a stream goes on over a later connection of its client, into the same sink")
    func later() {
        let shelf = Shelf()
        var stage = Self.taking(shelf)
        stage.send(0, "abcd")
        stage.lose()
        stage.connect(2)
        stage.say(
            "init",
            #""stream-type":"upload","stream":1,"chunk-size":4,"again":true"#, from: 2)
        #expect(stage.takeTold(2).first?["next"] == 1)
        let data = Base64.text(Array("ef".utf8))
        stage.say("chunk", #""chunk-index":1,"data":"\#(data)""#, from: 2)
        stage.say("complete", #""total-chunks":2,"total-size":6"#, from: 2)
        #expect(shelf.text == "abcdef")
        #expect(shelf.calls == ["finish"])
    }

    // MARK: What goes

    @Test("a download gives what its source has, piece by piece as the client allows")
    func download() {
        var stage = DeskStage()
        stage.connect()
        let names = stage.open { StreamEnds(source: BytesSource(Array("abcdefghij".utf8))) }
        #expect(names.count == 1)
        let id = names[0].id
        #expect(stage.heard() == ["init"])
        stage.say("accept", of: id, #""next":0,"bytes":0,"until":1"#)
        #expect(stage.heard() == ["abcd"])
        stage.say("credits", of: id, #""next":1,"bytes":4,"until":9"#)
        #expect(stage.heard() == ["efgh", "ij", "complete"])
        stage.say("complete", of: id, #""chunks-received":3,"bytes-received":10"#)
        #expect(stage.desk.streamCount == 0)
    }

    @Test("a source that has nothing yet is asked again after its pause, or when it is woken")
    func waitingSource() {
        var stage = DeskStage()
        stage.connect()
        let source = Script([
            .later(.milliseconds(200)), Self.bytes("abcd"), .later(nil), Self.bytes("ef"), .end,
        ])
        let names = stage.open { StreamEnds(source: source) }
        _ = stage.heard()
        stage.say("accept", of: names[0].id, #""next":0,"bytes":0,"until":9"#)
        #expect(stage.heard().isEmpty)
        stage.pass(.milliseconds(199))
        #expect(stage.heard().isEmpty)
        stage.pass(.milliseconds(1))
        #expect(stage.heard() == ["abcd"])
        #expect(stage.desk.deadline == nil)
        stage.step { $0.wake(names[0], in: &$1, at: $2, into: &$3) }
        #expect(stage.heard() == ["ef", "complete"])
    }

    @Test("a source that ends before what was announced, or that fails, fails the stream")
    func failingSource() {
        var stage = DeskStage()
        stage.connect()
        let source = Script([Self.bytes("abcd")], failure: StreamRefusal("it is gone", code: "source-failed"))
        let names = stage.open { StreamEnds(source: source) }
        stage.say("accept", of: names[0].id, #""next":0,"bytes":0,"until":9"#)
        let told = stage.takeTold()
        #expect(told.last?["error-code"] == "source-failed")
        #expect(stage.desk.streamCount == 0)
    }

    @Test(
        "what comes on both ways is echoed, no faster than the client takes it, and so are control messages")
    func echo() {
        var stage = DeskStage { (_) throws(StreamRefusal) in
            let echo = StreamEcho()
            var ends = StreamEnds(source: echo, sink: echo)
            ends.answerControl = { $0 }
            return ends
        }
        stage.connect()
        stage.ask("bidirectional", #""next":0,"bytes":0,"until":1"#)
        stage.send(0, "abcd")
        stage.send(1, "efgh")
        stage.send(2, "ijkl")
        #expect(stage.heard() == ["accept", "abcd"])
        stage.say("control", #""data":{"quality":"480p"}"#)
        #expect(stage.heard() == ["control"])
        stage.say("credits", #""next":1,"bytes":4,"until":9"#)
        stage.finish(chunks: 3, bytes: 12)
        #expect(stage.heard().filter { $0 != "credits" } == ["efgh", "ijkl", "complete", "complete"])
        stage.say("complete", #""chunks-received":3,"bytes-received":12"#)
        #expect(stage.desk.streamCount == 0)
    }

    // MARK: Broadcasts

    @Test("a broadcast goes to each in its own time, and who comes later begins with the next chunk")
    func broadcast() throws {
        var stage = DeskStage()
        stage.connect(1, as: "a")
        stage.connect(2, as: "b")
        let source = Script([Self.bytes("abcd"), .later(nil), .later(nil), Self.bytes("efgh"), .end])
        let broadcast = stage.broadcast(source)
        func join(_ number: UInt64) throws -> String {
            let count = stage.step {
                $0.join(broadcast, .connection(ConnectionID(number)), in: &$1, at: $2, into: &$3)
            }
            #expect(count == 1)
            let told = stage.takeTold(number)
            return try #require(told.last?["message-id"]?.stringValue)
        }
        let first = try join(1)
        stage.say("accept", of: first, #""next":0,"bytes":0,"until":9"#)
        #expect(stage.heard(1) == ["abcd"])
        let second = try join(2)
        stage.say("accept", of: second, #""next":1,"bytes":4,"until":9"#, from: 2)
        #expect(stage.heard(2).isEmpty)
        stage.step { $0.wake(broadcast, in: &$1, at: $2, into: &$3) }
        #expect(stage.heard(1) == ["efgh", "complete"])
        #expect(stage.heard(2) == ["efgh", "complete"])
        stage.say("complete", of: first, #""chunks-received":2,"bytes-received":8"#)
        #expect(stage.desk.broadcastCount == 1)
        stage.say("cancel", of: second, from: 2)
        #expect(stage.desk.broadcastCount == 0)
        #expect(stage.desk.streamCount == 0)
    }

    @Test("a broadcast goes to who subscribes, once to each client, and ends for who no longer is")
    func subscribers() throws {
        var stage = DeskStage()
        stage.connect(1, as: "a")
        stage.sayText(#"{"type":"subscribe","channel-id":"radio"}"#)
        _ = stage.broadcast(Script([]))
        #expect(stage.heard(1) == ["init"])
        stage.connect(2, as: "b")
        stage.sayText(#"{"type":"subscribe","channel-id":"news"}"#, from: 2)
        #expect(stage.heard(2).isEmpty)
        stage.sayText(#"{"type":"subscribe","channel-id":"radio"}"#, from: 2)
        let told = stage.takeTold(2)
        let id = try #require(told.first?["message-id"]?.stringValue)
        #expect(told.first?["stream-type"] == "broadcast")
        stage.say("accept", of: id, #""next":0,"bytes":0,"until":9"#, from: 2)
        // It comes back on another connection, and goes on with the stream that it has.
        stage.lose(2)
        stage.connect(3, as: "b")
        stage.sayText(#"{"type":"subscribe","channel-id":"radio"}"#, from: 3)
        #expect(stage.heard(3).isEmpty)
        #expect(stage.desk.streamCount == 2)
        stage.say(
            "init", of: id,
            #""stream-type":"broadcast","stream":1,"chunk-size":4,"again":true,"next":0,"bytes":0,"until":9"#,
            from: 3)
        #expect(stage.heard(3) == ["accept"])
        stage.sayText(#"{"type":"unsubscribe","channel-id":"radio"}"#, from: 3)
        #expect(stage.heard(3) == ["cancel"])
        #expect(stage.desk.streamCount == 1)
    }

    @Test("a broadcast that is ended, or whose source fails, ends for all who hear it")
    func brokenBroadcast() {
        for isCancelled in [true, false] {
            var stage = DeskStage()
            stage.connect()
            let source = Script(
                isCancelled ? [.later(nil)] : [], failure: StreamRefusal("silence", code: "source-failed"))
            let broadcast = stage.broadcast(source)
            _ = stage.step { $0.join(broadcast, .everyone, in: &$1, at: $2, into: &$3) }
            let id = stage.takeTold().last?["message-id"]?.stringValue ?? ""
            stage.say("accept", of: id, #""next":0,"bytes":0,"until":9"#)
            if isCancelled { stage.step { $0.cancel(broadcast, in: &$1, at: $2, into: &$3) } }
            #expect(stage.heard() == [isCancelled ? "cancel" : "error"])
            #expect(stage.desk.broadcastCount == 0)
            #expect(stage.desk.streamCount == 0)
        }
    }

    // MARK: What is told

    @Test("reports count streams and their bytes, and a server without streams says nothing of them")
    func reports() {
        var stage = Self.taking(Shelf())
        stage.send(0, "abcd")
        stage.finish(chunks: 1, bytes: 4)
        stage.ask(id: "v", number: 3)
        stage.say("cancel", of: "v")
        stage.ask(id: "w", number: 5)
        stage.send(9, "abcd", of: "w")
        stage.ask(id: "x", number: 7)
        let names = stage.open { StreamEnds(source: BytesSource([1, 2, 3])) }
        stage.say("accept", of: names[0].id, #""next":0,"bytes":0,"until":9"#)
        let statistics = stage.session.statistics(at: stage.now)
        let figures = statistics.counters.streams
        #expect(statistics.streams == 2)
        #expect(figures.started == 5)
        #expect([figures.completed, figures.failed, figures.cancelled] == [1, 1, 1])
        #expect(figures.received.bytes == 8 && figures.sent.bytes == 3)
        let page = statistics.prometheus.text
        #expect(page.contains(#"sente_lite_server_streams_total{end="completed"} 1"#))
        #expect(page.contains(#"sente_lite_server_stream_bytes_total{direction="sent"} 3"#))
        guard
            case .answer(let answer) = stage.session.admit(
                target: "/stats", wantsUpgrade: false, at: stage.now)
        else {
            Issue.record("no page")
            return
        }
        let stats = try? WireFormat.json.decode(answer.body)
        #expect(stats?["flow"]?["streams"]?["active"] == 2)
        let other = DeskStage().session.statistics(at: stage.now).prometheus.text
        #expect(!other.contains("stream"))
    }

    // MARK: Bad input

    @Test("a thousand streams at once are refused but for as many as may be, and nothing is kept of them")
    func flood() {
        let shelf = Shelf()
        var stage = Self.taking(shelf)
        for number in 1...1_000 { stage.ask(id: "s\(number)", number: 2 * number + 1) }
        #expect(stage.desk.streamCount == 50)
        #expect(stage.session.streamCount == 50)
        #expect(stage.heard().filter { $0 == "error" }.count == 951)
        #expect(stage.closed.isEmpty)
        stage.lose()
        stage.pass(.seconds(7_300))
        #expect(stage.desk.streamCount == 0)
        #expect(stage.session.streamClients == 0)
    }
}
