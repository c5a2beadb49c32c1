// SPDX-License-Identifier: Apache-2.0

import SenteLite
import Testing

/// What an app receives it can also make, for its tests and previews.
@Suite("The values an app receives")
struct PublicValuesTests {
    @Test("each can be made of what is of interest, and the rest has a default")
    func canBeMade() {
        let start = Instant(nanoseconds: 0)
        let status = ConnectionStatus(
            state: .reconnecting, attempt: 3, retryAt: start.advanced(by: .seconds(2)),
            lastClose: ConnectionStatus.Close(code: .goingAway, reason: "bye"),
            lastError: SenteError(code: .connectionLost, message: "The connection was lost."),
            identity: Identity(connectionID: "conn-1", uid: "ann"), openedAt: start,
            dialect: .senteLiteMaps, format: .json)
        #expect(status.retryAt.map { start.duration(to: $0) } == .seconds(2))
        #expect(status.identity?.connectionID == "conn-1")
        #expect(ConnectionStatus().state == .closed)
        #expect(ConnectionStatus.Close().code == .normal)

        let message = ChannelMessage(channel: "news", data: [1], isRetained: true)
        #expect((message.id, message.missed, message.isRetained) == (nil, 0, true))
        #expect(ChannelMessage(channel: "news").data == .null)
        #expect(ChannelInfo(name: "news", subscriberCount: 2).subscriberCount == 2)
        #expect(PublishReceipt().outcome == .acknowledged)
        #expect(PublishReceipt(outcome: .written, deliveredTo: 2).deliveredTo == 2)
        #expect(PublishReceipt().acknowledgement == .replied && !PublishReceipt().isDuplicate)
        #expect(PublishReceipt(outcome: .written).acknowledgement == nil)
        #expect(Event(id: "app/hello").data == .null)
        #expect(ReconnectPolicy.Context().retry == 1)
    }

    @Test("an error can be made with all it may carry")
    func errors() {
        let error = SenteError(
            code: .unauthorized, message: "The server wants a token.", outcome: .notSent, underlying: "text",
            httpStatus: 401, headers: [SenteError.Header(name: "WWW-Authenticate", value: "Bearer")],
            body: [1], proxy: .status(407), details: ["reason": "expired"])
        #expect(error.httpStatus == 401)
        #expect(error.headers.first?.value == "Bearer")
        #expect(!SenteError(code: .rejected).isRetryable)
        #expect(
            error.description
                == "The server wants a token. (text) [HTTP 401] The message was not sent.")
    }

    @Test("metrics can be made of their numbers")
    func metrics() {
        let metrics = ClientMetrics(
            received: .init(messages: 3), connection: .init(attempts: 2), outbox: .init(drops: [.expired: 1]),
            subscriptions: .init(wished: 1), ignored: .init(unheard: 4),
            roundTrips: [.milliseconds(10), .milliseconds(30)])
        #expect(metrics.received.messages == 3)
        #expect(metrics.sent == ClientMetrics.Traffic())
        #expect(metrics.roundTrip?.p50 == .milliseconds(10))
        #expect(
            metrics.roundTrip
                == .init(p50: .milliseconds(10), p95: .milliseconds(30), p99: .milliseconds(30)))
    }
}
