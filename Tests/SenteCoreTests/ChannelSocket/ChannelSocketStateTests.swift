// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("The state map as a value")
struct ChannelSocketStateTests {
    @Test("a new one says what Sente's says before the first attempt")
    func initial() {
        let value = ChannelSocketState().value
        #expect(value[Keyword("type")] == .keyword("ws"))
        #expect(value[Keyword("open?")] == false)
        #expect(value[Keyword("ever-opened?")] == false)
        #expect(value[Keyword("uid")] == nil)
        #expect(value[Keyword("udt-next-reconnect")] == nil)
    }

    @Test("every key of Sente's is there once it has something to say, and the two of the seed")
    func everyKey() throws {
        var tracker = ChannelSocketTracker()
        tracker.noteToken("token")
        let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 50)
        func status(
            _ state: ConnectionState, _ change: (inout ConnectionStatus) -> Void = { _ in }
        ) -> ConnectionStatus {
            var status = ConnectionStatus(state: state)
            change(&status)
            return status
        }
        let opening = tracker.follow(
            status(.open) { $0.identity = Identity(uid: 7, handshakeData: [:]) }, at: now)
        guard case .changed(let first) = try #require(opening.first) else {
            Issue.record("Opening is no change.")
            return
        }
        #expect(first.new.value[Keyword("first-open?")] == true)
        var refused = SenteError(.refused, "No.", underlying: "why")
        refused.httpStatus = 404
        _ = tracker.follow(
            status(.reconnecting) {
                $0.lastError = SenteError(.connectionLost, "Gone.", closeCode: .goingAway)
                $0.lastClose = .init(code: .goingAway, reason: "bye")
            }, at: now)
        _ = tracker.follow(status(.connecting), at: now)
        _ = tracker.follow(
            status(.reconnecting) {
                $0.lastError = refused
                $0.retryAt = Instant(nanoseconds: 2_000_000_000)
            }, at: now)
        let value = tracker.state.value
        let keys = try #require(value.mapValue).map { $0.0.keywordValue?.text ?? "" }
        #expect(
            Set(keys) == [
                "type", "open?", "ever-opened?", "uid", "csrf-token", "handshake-data", "last-ws-error",
                "last-ws-close", "last-close", "udt-next-reconnect", "reconnect-count", "last-error",
            ])
        #expect(value[Keyword("uid")] == 7)
        #expect(value[Keyword("csrf-token")] == "token")
        #expect(
            value[Keyword("last-close")] == [.keyword("udt"): 50, .keyword("reason"): .keyword("unexpected")])
        #expect(value[Keyword("last-ws-close")]?[Keyword("code")] == 1006)
        #expect(value[Keyword("last-ws-close")]?[Keyword("clean?")] == false)
        #expect(value[Keyword("last-ws-error")]?[Keyword("ev")]?[Keyword("status")] == 404)
        #expect(value[Keyword("last-error")]?[Keyword("code")] == .keyword("refused"))
        #expect(value[Keyword("last-error")]?[Keyword("underlying")] == "why")
        #expect(value[Keyword("udt-next-reconnect")] == 2_050)
        #expect(value[Keyword("reconnect-count")] == 2)
    }
}
