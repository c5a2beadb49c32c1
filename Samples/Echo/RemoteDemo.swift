// SPDX-License-Identifier: Apache-2.0

import SampleTerminal
import SenteLite

/// Connects to a server that runs already, and hears its own messages.
struct RemoteDemo: Sendable {
    var url = ""
    var channel = "echo"
    var count = 3
    /// The limit of each step.
    var limit: Duration = .seconds(10)
    var configuration = SenteClient.Configuration()

    func run(_ report: Report) async throws {
        var configuration = configuration
        configuration.timeouts.connect = limit
        configuration.timeouts.request = limit
        let client = try SenteClient(url, configuration: configuration)
        report.heading("echo at \(url)")
        do {
            try await connect(client, report)
            try await exchange(with: client, report)
        } catch {
            await client.disconnect()
            throw error
        }
        await client.disconnect()
        report.step("disconnected", client.state.rawValue)
    }

    private func connect(_ client: SenteClient, _ report: Report) async throws {
        let registration = client.onStateChange { old, new in
            guard old.state != new.state else { return }
            switch new.state {
            case .connecting: report.passing("connecting", "attempt \(new.attempt)")
            case .reconnecting: report.passing("no connection", "", new.lastError?.message ?? "")
            case .closed, .open, .closing, .failed: break
            }
        }
        defer { registration.cancel() }
        do {
            try await client.connect(timeout: limit)
        } catch {
            guard error.code == .timedOut else { throw error }
            let reason = client.status.lastError
            let hint = reason?.code == .unreachable ? " Is the server running there?" : ""
            throw Failure(
                "No connection within \(limit.seconds). \(reason?.description ?? "Nothing answered.")\(hint)")
        }
    }

    private func exchange(with client: SenteClient, _ report: Report) async throws {
        let status = client.status
        report.step(
            "connected", status.identity?.connectionID ?? "without an id",
            "in \(client.metrics.connection.timeToOpen?.text ?? "?"), \(status.dialect?.rawValue ?? "?"), "
                + "\(status.format?.name ?? "?")")

        let subscription = try await client.subscribe(channel)
        try demand(
            subscription.isConfirmed,
            "The server did not confirm the subscription to “\(channel)” within \(limit.seconds).")
        report.step("subscribed", channel, "confirmed by the server")

        var times: [Duration] = []
        for number in 1...count {
            let (message, receipt, time) = try await roundTrip(number, client, subscription)
            times.append(time)
            guard number <= 10 else {
                report.progress("message \(number)", of: count, at: number)
                continue
            }
            report.step(
                "message \(number)", message.data.readable,
                "\(message.id ?? "without an id"), back in \(time.text)"
                    + (receipt.deliveredTo.map { ", delivered to \($0)" } ?? ""))
        }
        let sorted = times.sorted()
        report.step(
            "received", "\(times.count) of \(count)",
            "median \(sorted[sorted.count / 2].text), slowest \(sorted[sorted.count - 1].text)")
    }

    /// Publishes one message and waits until it comes back.
    private func roundTrip(
        _ number: Int, _ client: SenteClient, _ subscription: Subscription
    ) async throws -> (ChannelMessage, PublishReceipt, Duration) {
        let token = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let began = ContinuousClock.now
        let receipt = try await client.publish(
            ["number": Value(number), "token": Value(token)], to: channel)
        // Others may use the channel too: the token tells our own.
        let message = try await within(limit, "The delivery of message \(number) on “\(channel)”") {
            for await message in subscription where message.data["token"]?.stringValue == token {
                return message
            }
            throw Failure("The subscription to “\(channel)” ended before message \(number) came.")
        }
        return (message, receipt, began.duration(to: .now))
    }
}
