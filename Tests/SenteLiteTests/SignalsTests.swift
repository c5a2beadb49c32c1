// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

@Suite("Signals, log and trace of a client", .timeLimit(.minutes(5)))
struct SignalsTests {
    /// What a sequence has brought so far.
    private func collect<S: AsyncSequence & Sendable>(_ sequence: S) -> Collector<S.Element>
    where S.Element: Sendable, S.AsyncIterator: SendableMetatype {
        let collector = Collector<S.Element>()
        Task { for try await element in sequence { collector.append(element) } }
        return collector
    }

    private func names(_ signals: [ClientSignal]) -> [String] { signals.map(\.id.name) }

    @Test("The log hears everything from the first attempt on: the loss, its reason, and what follows")
    func log() async throws {
        let stage = DriverStage()
        let lines = Collector<ClientSignal>()
        let client = try await stage.openClient { $0.log = SignalLog { lines.append($0) } }
        _ = try await client.subscribe("news")
        stage.server.cut()
        try await client.reaches(.reconnecting)
        stage.advance(by: .seconds(3))
        try await client.reaches(.open)
        let all = try await lines.wait("connected again") { $0.contains { $0.id.name == "gap" } }
        #expect(names(all) == ["opened", "link-ended", "reconnect-scheduled", "opened", "gap"])
        #expect(all.allSatisfy { $0.level >= .info })
        let scheduled = try #require(all.first { $0.id.name == "reconnect-scheduled" })
        #expect(scheduled.data["code"] == all[1].data["code"])
    }

    @Test("Signals begin where somebody starts to follow, for each follower, and end with the client")
    func followers() async throws {
        let stage = DriverStage()
        var client: SenteClient? = try await stage.openClient()
        let signals = try #require(client?.signals)
        var early = signals.makeAsyncIterator()
        await client?.disconnect()
        var late = signals.makeAsyncIterator()
        #expect(await early.next()?.data["to"] == "closing")
        client = nil
        stage.waitUntilIdle()
        while let signal = await early.next() { #expect(signal.level <= .info) }
        #expect(await late.next() == nil)
    }

    @Test("A log that wants warnings makes nothing else be made, and one of everything hears everything")
    func levels() async throws {
        let stage = DriverStage()
        let warnings = Collector<ClientSignal>()
        let client = try await stage.openClient {
            $0.log = SignalLog(minimum: .warn) { warnings.append($0) }
        }
        var all = client.signals.makeAsyncIterator()
        _ = try await client.subscribe("news")
        let name = client.status.identity?.connectionID.map { Value($0) }
        stage.server.cut()
        try await client.reaches(.reconnecting)
        let told = try await warnings.wait("the loss") { !$0.isEmpty }
        #expect(names(told) == ["link-ended"])
        var heard: [ClientSignal] = []
        while heard.last?.id.name != "link-ended", let signal = await all.next() { heard.append(signal) }
        #expect(names(heard).contains("transmitted"))
        #expect(heard.first { $0.id.name == "subscribed" }?.data["channel-id"] == "news")
        // One connection can be followed by its name.
        #expect(name != nil)
        #expect(heard.allSatisfy { $0.data["conn-id"] == name && $0.data["connection"] == 1 })
    }

    @Test("A call that is refused on its caller's thread is a signal, and counts")
    func refused() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        var signals = client.signals.makeAsyncIterator()
        let failure = await error { () throws(SenteError) in try await client.publish([:], to: "news") }
        #expect(failure?.code == .notConnected)
        let signal = await signals.next()
        #expect(signal?.id.name == "call-refused")
        #expect(signal?.data == ["code": "notConnected"])
        #expect(client.metrics.refusedCalls == 1)
        #expect(client.metrics.errors == [.notConnected: 1])
    }

    @Test("A message that cannot be read and an error of the server have their text")
    func texts() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let signals = Collector<ClientSignal>()
        var iterator = client.signals.makeAsyncIterator()
        stage.server.send("{")
        stage.server.send([["type": "error", "message": "boom"]])
        while signals.elements.count < 2, let signal = await iterator.next() {
            if signal.level >= .warn { signals.append(signal) }
        }
        #expect(names(signals.elements) == ["undecodable", "server-error"])
        #expect(signals.elements[0].data["reason"] == "format")
        #expect(signals.elements[1].message.contains("boom"))
        #expect(client.metrics.undecodableReasons == [.format: 1])
    }

    @Test("The trace has a line for each message of both directions and for what happens, secrets taken out")
    func trace() async throws {
        let stage = DriverStage()
        let lines = Collector<String>()
        let client = try await stage.openClient {
            $0.trace = WireTrace { lines.append($0) }
            $0.parameters = ["api-token": "s3cret"]
        }
        try await client.publish(["text": "hi", "password": "s3cret"], to: "news")
        await client.disconnect()
        let all = try await lines.wait("the end") { $0.contains { $0.contains("link-ended") } }
        let shown = all.map { $0.prefix(2) + $0.dropFirst(15) }
        #expect(shown[0] == "= attempt-started: An attempt to connect begins.")
        #expect(shown.contains("= opening ws://server.test/?api-token=…"))
        #expect(shown.contains { $0.hasPrefix("< ") && $0.contains(#""type" "welcome""#) })
        #expect(shown.contains { $0.hasPrefix("> ") && $0.contains(#""text" "hi""#) })
        #expect(shown.contains { $0.hasPrefix("< ") && $0.contains(#""type" "publish-result""#) })
        #expect(!all.contains { $0.contains("s3cret") })
        let greeting = try #require(shown.firstIndex { $0.contains("welcome") })
        let publish = try #require(shown.firstIndex { $0.hasPrefix("> ") })
        #expect(greeting < publish)
    }

    @Test("A channel's states: the current one first, the gap before it is subscribed again, and the end")
    func states() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let news = try await client.subscribe("news")
        var states = news.states.makeAsyncIterator()
        #expect(await states.next() == .subscribed)
        stage.server.cut()
        #expect(await states.next() == .subscribing)
        stage.advance(by: .seconds(3))
        guard case .gap(let gap)? = await states.next() else { return _ = Issue.record("No gap was told.") }
        #expect(gap.filling == .nothing && gap.duration > .zero)
        #expect(await states.next() == .subscribed)
        stage.server.deliver(["n": 1], to: "news")
        var messages = news.makeAsyncIterator()
        #expect(await messages.next()?.gap == gap)
        try await client.unsubscribe("news")
        #expect(await states.next() == .ended)
        #expect(await states.next() == nil)
        var ended = news.states.makeAsyncIterator()
        #expect(await ended.next() == .ended)
        #expect(await ended.next() == nil)
    }

    @Test("A refusal is a state, with the error; a wish while offline is one of subscribing")
    func refusedChannel() async throws {
        let stage = DriverStage()
        stage.server.rejects("secret")
        let client = try stage.client()
        let secret = try await client.subscribe("secret")
        var states = secret.states.makeAsyncIterator()
        #expect(await states.next() == .subscribing)
        try await client.connect()
        guard case .refused(let error)? = await states.next() else {
            return _ = Issue.record("No refusal was told.")
        }
        #expect(error.code == .rejected)
    }

    @Test(
        "With .wait a publish waits its turn beyond the bounds, in order, and can be cancelled; enqueue is refused"
    )
    func waits() async throws {
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client {
            $0.outbox = OutboxPolicy(maximumMessages: 1, overflow: .wait)
        }
        client.reconnect()
        try client.enqueue(publish: ["n": 0], to: "news")
        let calls = (1...3).map { number in
            Task {
                await error { () throws(SenteError) in
                    try await client.publish(["n": Value(number)], to: "news")
                }
            }
        }
        while client.metrics.outbox.messages < 4 { await Task.yield() }
        let refusal = await error { () throws(SenteError) in try client.enqueue(publish: ["n": 9], to: "news")
        }
        #expect(refusal?.code == .outboxFull)
        calls[1].cancel()
        #expect(await calls[1].value?.code == .cancelled)
        stage.server.greet()
        #expect(await calls[0].value == nil)
        #expect(await calls[2].value == nil)
        #expect(stage.server.received("publish").count == 3)
    }
}
