// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteTestSupport

extension SenteClient {
    /// Waits until the client stands so.
    func reaches(_ state: ConnectionState, within limit: Duration = .seconds(300)) async throws {
        let states = states
        try await bounded("the client is \(state)", within: limit) {
            for await status in states where status.state == state { return }
            try Task.checkCancellation()
        }
    }

    /// Calls `reconnect()` on an open client, and waits until it is open again.
    func replacesLink() async {
        var states = states.makeAsyncIterator()
        reconnect()
        while let status = await states.next(), status.state == .open {}
        while let status = await states.next(), status.state != .open {}
    }

    /// Every change of the state from now on.
    func collectStatuses() -> Collector<ConnectionStatus> {
        let statuses = Collector<ConnectionStatus>()
        onStateChange { _, new in statuses.append(new) }
        return statuses
    }
}

extension Subscription {
    /// The next messages, that many.
    func take(_ count: Int, within limit: Duration = .seconds(300)) async throws -> [ChannelMessage] {
        let channel = channel
        let subscription = self
        return try await bounded("\(count) messages in \(channel)", within: limit) {
            var messages: [ChannelMessage] = []
            var iterator = subscription.makeAsyncIterator()
            while messages.count < count {
                guard let message = await iterator.next() else { throw CancellationError() }
                messages.append(message)
            }
            return messages
        }
    }
}

/// The error a call throws; nil when it throws none.
func error(_ body: () async throws(SenteError) -> Void) async -> SenteError? {
    do throws(SenteError) {
        try await body()
        return nil
    } catch {
        return error
    }
}

/// True; compiles and runs on the main actor only.
@MainActor
func isOnMainActor() -> Bool {
    MainActor.assertIsolated()
    return true
}
