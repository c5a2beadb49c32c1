// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteLite
import SenteSocket
import SenteTransport

/// A v1 server that agrees to flow and, asked for a flood, sends so many deliveries that were spelled before.
final class PreparedFlood: ServerConnectionObserver, @unchecked Sendable {
    static let channel = "flood"
    private static let delivery =
        #"{"type":"channel-message","channel-id":"flood","data":{"number":1,"text":"hello"},"broadcast-time":1700000000000,"sender-conn-id":"c2"}"#
    private static let batch = 10
    private static let one = Message.text(delivery)
    private static let several = Message.text(
        #"{"type":"flow-batch","messages":[\#(Array(repeating: delivery, count: batch).joined(separator: ","))]}"#
    )

    /// What is announced and agreed to, as JSON; nil for nothing.
    private let features: String?
    private let batches: Bool

    init(features: String?, batches: Bool = false) {
        self.features = features
        self.batches = batches
    }

    static func listen(features: String?, batches: Bool = false) throws -> Listener {
        try Listener(loop: try EventLoop()) { _ in PreparedFlood(features: features, batches: batches) }
    }

    func connection(_ connection: ServerConnection, requested request: HTTPRequest) { connection.accept() }

    func connectionOpened(_ connection: ServerConnection) {
        let announced = features.map { #","capabilities":\#($0)"# } ?? ""
        connection.send(.text(#"{"type":"welcome","conn-id":"c1","server-time":1700000000000\#(announced)}"#))
    }

    func connection(_ connection: ServerConnection, received messages: [Message]) {
        for message in messages { answer(message.string, connection) }
    }

    private func answer(_ text: String, _ connection: ServerConnection) {
        if text.contains("\"flow-handshake\""), let features {
            connection.send(
                .text(
                    #"{"type":"flow-handshake-ack","features":\#(features),"session":"s","resumed":false,"received":0}"#
                ))
        } else if text.contains("\"subscribe\"") {
            connection.send(
                .text(
                    #"{"type":"subscription-result","channel-id":"flood","success":true,"retained-messages":[]}"#
                ))
        } else if text.contains("\"count\"") {
            let count = Int(text.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 0
            for _ in 0..<(batches ? count / Self.batch : count) {
                connection.send(batches ? Self.several : Self.one)
            }
        }
    }

    func connection(_ connection: ServerConnection, closed end: LinkEnd) {}

    /// Messages a second that a client takes from its subscription.
    static func deliveries(port: UInt16, _ flow: FlowPolicy, _ count: Int) async throws -> Double {
        var configuration = SenteClient.Configuration.bare(flow)
        configuration.inbox = InboxPolicy(maximumMessages: count, maximumBytes: count << 10)
        let client = try SenteClient("ws://127.0.0.1:\(port)/", configuration: configuration)
        try await client.connect()
        try await client.agree(flow)
        let subscription = try await client.subscribe(channel)
        var messages = subscription.makeAsyncIterator()
        let seconds = try await FlowBench.seconds {
            try await client.send(Event(id: "pour", data: ["count": Value(count)]))
            var received = 0
            while received < count, let message = await messages.next() { received += 1 + message.missed }
        }
        await client.disconnect()
        return Double(count) / seconds
    }
}
