// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal
import SenteLite
import SenteServer

/// A client and a server in one process: talking, then through an outage of the server.
struct LocalDemo: Sendable {
    /// A change of the client's status, and when it was seen.
    struct StatusChange: Sendable {
        let status: ConnectionStatus
        let time = ContinuousClock.now
    }

    private static let channel = "echo"
    private static let limit: Duration = .seconds(10)

    private let report: Report
    /// The server writes its port here, and the client reads it before each attempt.
    private let portFile = FileManager.default.temporaryDirectory
        .appendingPathComponent("sente-echo-\(UUID().uuidString).port").path

    init(_ report: Report) {
        self.report = report
    }

    func run() async throws {
        defer { try? FileManager.default.removeItem(atPath: portFile) }
        var settings = ServerConfiguration()
        settings.port = 0
        settings.portFile = portFile
        settings.flow = .all
        settings.answeringChannels = ["echo-service"]
        let server = try ReferenceServer(settings)
        let client = try makeClient()

        report.heading("A server and a client")
        let port = try await server.start()
        report.step("server", "ws://127.0.0.1:\(port)/", "the reference server, in this process")
        let connection = try await connect(client)
        let subscription = try await subscribe(client)
        try await publish(client, subscription)
        try await request(client)

        report.heading("The connection is cut while the server has not answered yet")
        try await resume(client, server, subscription)

        report.heading("The server stops, and comes back on another port")
        try await survive(client, server, port: port, connection: connection, subscription)

        report.heading("The end")
        try await finish(client, server)
    }

    private func makeClient() throws -> SenteClient {
        var configuration = SenteClient.Configuration()
        configuration.endpointProvider = .portFile(portFile)
        // Quick, so that the outage is short to watch; the default spreads clients over seconds.
        configuration.reconnect = .exponential(
            initial: .milliseconds(150), multiplier: 1.5, maximum: .seconds(1), attempts: nil)
        return try SenteClient("ws://127.0.0.1/", configuration: configuration)
    }

    // MARK: Talking

    /// The connection's id.
    private func connect(_ client: SenteClient) async throws -> String {
        try await client.connect(timeout: Self.limit)
        let status = client.status
        guard let connection = status.identity?.connectionID else {
            throw Failure("The server gave the connection no id.")
        }
        report.step(
            "connected", connection,
            "in \(client.metrics.connection.timeToOpen?.text ?? "?"); the first frame showed "
                + "\(status.dialect?.rawValue ?? "?") in \(status.format?.name ?? "?")")
        return connection
    }

    private func subscribe(_ client: SenteClient) async throws -> Subscription {
        let subscription = try await client.subscribe(Self.channel)
        try demand(subscription.isConfirmed, "The server did not confirm the subscription.")
        try await confirm(client, "subscribed")
        return subscription
    }

    /// Asks the server, rather than our own books, what is subscribed.
    private func confirm(_ client: SenteClient, _ label: String) async throws {
        let confirmed = try await client.confirmedSubscriptions()
        try demand(confirmed == [Self.channel], "The server says the subscriptions are \(confirmed).")
        report.step(label, confirmed.joined(separator: ", "), "so says the server")
    }

    private func publish(_ client: SenteClient, _ subscription: Subscription) async throws {
        let began = ContinuousClock.now
        let data: Value = ["text": "hello", "number": 1]
        let receipt = try await client.publish(data, to: Self.channel)
        let id = try identified(receipt)
        report.step("published", id, "acknowledged, delivered to \(receipt.deliveredTo ?? 0)")
        let message = try await next(subscription, id: id)
        try demand(message.data == data, "What came back is \(message.data.readable), not \(data.readable).")
        report.step(
            "received", message.data.readable, "\(id), \(began.duration(to: .now).text) after publishing")
    }

    private func request(_ client: SenteClient) async throws {
        let service = try makeClient()
        try await service.connect(timeout: Self.limit)
        try await service.respond(on: "sum") { data in
            let numbers = data["numbers"]?.arrayValue ?? []
            return ["sum": Value(numbers.compactMap(\.integerValue).reduce(0, &+))]
        }
        let began = ContinuousClock.now
        let answer = try await client.request(["numbers": [19, 21, 2]], on: "sum", timeout: Self.limit)
        try demand(answer["sum"] == 42, "The service answered \(answer.readable), not 42.")
        report.step(
            "request", "19 + 21 + 2 = \((answer["sum"] ?? .null).readable)",
            "computed by \(service.status.identity?.connectionID ?? "another client"), "
                + began.duration(to: .now).text)
        await service.disconnect()
        report.step("ping", try await client.ping().text, "there and back")
    }

    // MARK: Over a cut

    /// A publication and a request are in flight when the connection breaks: the session goes on, and both are answered.
    private func resume(
        _ client: SenteClient, _ server: ReferenceServer, _ subscription: Subscription
    ) async throws {
        var slow = Faults()
        slow.delay = .milliseconds(300)
        await server.setFaults(slow)
        let data: Value = ["text": "on its way when the connection broke", "number": 3]
        async let receipt = client.publish(data, to: Self.channel)
        async let answer = client.request(["question": "still there?"], on: "echo-service")
        try await pending(client, 2)
        await server.drop()
        report.step(
            "cut", "2 calls in flight", "the server answers 300 ms late, and its connections are dropped")
        let id = try identified(try await receipt)
        let value = try await answer
        await server.setFaults(Faults())
        guard case .resumed(let missed) = client.status.recovery else {
            throw Failure("The session did not go on: \(client.status.recovery).")
        }
        report.step("resumed", "\(missed) messages missed", "the same session over a new connection")
        report.step("acknowledged", id, "the publication, sent once")
        report.step("answered", value.readable, "the request, sent once")
        let message = try await next(subscription, id: id)
        try demand(message.data == data, "What came back is \(message.data.readable), not \(data.readable).")
    }

    /// Waits until so many calls have left and are not answered.
    private func pending(_ client: SenteClient, _ count: Int) async throws {
        try await within(Self.limit, "Sending \(count) messages") {
            while client.metrics.pendingRequests < count || client.metrics.outbox.messages > 0 {
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    // MARK: Through an outage

    private func survive(
        _ client: SenteClient, _ server: ReferenceServer, port: Int, connection: String,
        _ subscription: Subscription
    ) async throws {
        let (changes, seen) = AsyncStream.makeStream(of: StatusChange.self)
        let registration = client.onStateChange { old, new in
            if old.state != new.state { seen.yield(StatusChange(status: new)) }
        }
        defer { registration.cancel() }

        let stopped = ContinuousClock.now
        await server.stop()
        let failed = try await follow(changes, since: stopped, "A failed attempt to reconnect") {
            $0.status.state == .reconnecting && $0.status.lastError?.code == .unreachable
        }
        let data: Value = ["text": "written while the server was away", "number": 2]
        async let receipt = client.publish(data, to: Self.channel)
        report.step(
            "queued", "\(try await queued(client)) in the outbox", "published while the server is away")
        let newPort = try await restart(server, avoiding: port)
        let back = try await follow(changes, since: failed.time, "The return to the server") {
            $0.status.state == .open
        }
        report.step("back", "\(stopped.duration(to: back.time).text) after the stop")
        report.step("port", "\(port) → \(newPort)", "read from the port file before each attempt")

        guard let name = back.status.identity?.connectionID else {
            throw Failure("The new connection has no id.")
        }
        try demand(name != connection, "The connection id is still \(connection).")
        report.step("connection", "\(connection) → \(name)")
        try await confirm(client, "restored")
        let id = try identified(await receipt)
        let message = try await next(subscription, id: id)
        try demand(message.data == data, "What came back is \(message.data.readable), not \(data.readable).")
        report.step("delivered", id, message.data.readable)
    }

    /// How many messages wait in the outbox, once one does.
    private func queued(_ client: SenteClient) async throws -> Int {
        try await within(Self.limit, "Queueing a message") {
            while client.metrics.outbox.messages == 0 { try await Task.sleep(for: .milliseconds(2)) }
            return client.metrics.outbox.messages
        }
    }

    /// The new port; the system may well give the old one again.
    private func restart(_ server: ReferenceServer, avoiding old: Int) async throws -> Int {
        for _ in 0..<20 {
            let port = try await server.start(port: 0)
            if port != old { return port }
            await server.stop()
        }
        throw Failure("The system gave the port \(old) twenty times.")
    }

    private func finish(_ client: SenteClient, _ server: ReferenceServer) async throws {
        let metrics = client.metrics
        report.step(
            "metrics",
            "\(metrics.connection.attempts) attempts, \(metrics.connection.reconnects) reconnects",
            "\(metrics.sent.messages) messages out, \(metrics.received.messages) in, "
                + "\(metrics.outbox.drops.values.reduce(0, +)) dropped")
        await client.disconnect()
        try demand(client.state == .closed, "After disconnecting the client is \(client.state.rawValue).")
        report.step("disconnected", client.state.rawValue)
        await server.stop()
        let stats = await server.stats
        try demand(stats.connections.isEmpty, "The server still has \(stats.connections.count) connections.")
        report.step("server stopped", "\(stats.connections.count) connections left")
    }

    // MARK: Waiting

    /// Shows the states as they pass, each with the time since the one before, up to the last.
    private func follow(
        _ changes: AsyncStream<StatusChange>, since start: ContinuousClock.Instant, _ step: String,
        until isLast: @escaping @Sendable (StatusChange) -> Bool
    ) async throws -> StatusChange {
        try await within(Self.limit, step) {
            var before = start
            for await change in changes {
                show(change.status, waited: before.duration(to: change.time))
                before = change.time
                if isLast(change) { return change }
            }
            throw Failure("The client's states ended before this: \(step).")
        }
    }

    private func show(_ status: ConnectionStatus, waited: Duration) {
        let label = status.state.rawValue
        switch status.state {
        case .connecting:
            report.passing(label, "attempt \(status.attempt)", "after \(waited.text) of waiting")
        case .reconnecting:
            report.passing(label, "", status.lastError?.message ?? "")
        case .open:
            report.passing(label, status.identity?.connectionID ?? "", "greeted after \(waited.text)")
        case .closed, .closing, .failed:
            report.passing(label, "", status.lastError?.message ?? "")
        }
    }

    private func next(_ subscription: Subscription, id: String) async throws -> ChannelMessage {
        let message = try await within(Self.limit, "The delivery of \(id)") {
            for await message in subscription { return message as ChannelMessage? }
            return nil
        }
        guard let message else { throw Failure("The subscription ended before \(id) came.") }
        try demand(message.id == id, "The message \(message.id ?? "without an id") came instead of \(id).")
        return message
    }

    private func identified(_ receipt: PublishReceipt) throws -> String {
        guard receipt.outcome == .acknowledged, let id = receipt.messageID else {
            throw Failure("The server did not acknowledge the message with an id.")
        }
        return id
    }
}
