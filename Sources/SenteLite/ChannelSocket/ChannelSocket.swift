// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// The channel socket itself, Sente's `chsk`.
///
/// Its calls return at once; what comes of them shows in the state. To wait, use `client`.
public final class ChannelSocket: Sendable {
    /// The client below, for what Sente has no name for: channels, `connect(timeout:)`, metrics.
    public let client: SenteClient
    let hub: ReceiveHub

    init(
        _ url: String, configuration: SenteClient.Configuration, host: any Host, transport: any Transport,
        seed: UInt64?
    ) throws(SenteError) {
        let token = LastToken()
        var configuration = configuration
        configuration.clientID = configuration.clientID ?? host.entropy.uuid().description
        if let provider = configuration.csrfToken {
            configuration.csrfToken = {
                let value = try await provider()
                token.note(value)
                return value
            }
        }
        client = try SenteClient(
            url, configuration: configuration, host: host, transport: transport, seed: seed)
        hub = ReceiveHub(client, token)
        hub.start(for: self)
    }

    deinit {
        hub.end()
    }

    /// By what the server knows this client; the same for all its connections.
    public var clientID: String { client.configuration.clientID ?? "" }

    /// Connects, also after `disconnect()` or when the client gave up (`chsk-connect!`).
    ///
    /// While it connects or is open nothing changes.
    public func connect() {
        let submissions = client.driver.submissions
        let call = submissions.makeCall()
        submissions.post([.call(call, .delivery(DeliveryResult()), .connect(call, limit: nil))])
    }

    /// Disconnects for good: nothing comes back until `connect()` (`chsk-disconnect!`).
    public func disconnect() {
        let submissions = client.driver.submissions
        let call = submissions.makeCall()
        submissions.post([.call(call, .delivery(DeliveryResult()), .disconnect(call))])
    }

    /// Replaces the connection, as is needed after a login or a logout (`chsk-reconnect!`).
    ///
    /// A server sees the cookies and parameters of a connection's start for as long as it lives.
    public func reconnect() {
        client.reconnect()
    }

    /// Breaks the connection as if it were lost, with the close code 3000, to try what happens then
    /// (`chsk-break-connection!`).
    public func breakConnection() {
        client.driver.submissions.post(.breakLink)
    }
}

/// The token of the last attempt.
final class LastToken: Sendable {
    private let token = LockedValue<String?>(nil)

    var value: String? { token.withLock { $0 } }

    func note(_ value: String?) {
        token.withLock { $0 = value }
    }
}
