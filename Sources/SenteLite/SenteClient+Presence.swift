// SPDX-License-Identifier: Apache-2.0

public import SenteCore
import SenteTransport
public import SenteWire

/// Who else is here.
extension SenteClient {
    /// Follows who is present in a channel; nobody is told of this client before ``Presence/enter(_:)``.
    ///
    /// It works over publish and subscribe alone, with any server that has channels, and asks the others as soon as the client
    /// is open. It uses a channel of its own, `-presence` behind the name: so those who listen to the channel itself never see
    /// its messages, and a server that keeps messages for later subscribers keeps none of these in their place. In
    /// `PresenceSettings.channel` you can name another. Each of its messages is a map with the one key
    /// `:sente-lite/presence`, text in JSON; in a channel that is shared others see these, and ignore what has that key.
    ///
    /// - Parameters:
    ///   - channel: The channel in which to be present.
    ///   - type: What members say of themselves.
    ///   - settings: How often members speak, and what is kept. The default is a heartbeat of 30 s and an expiry of 75 s.
    /// - Returns: The presence, to enter and to follow.
    /// - Throws: What `subscribe` throws, and `invalidArgument` for settings that make no sense.
    public func presence<T: Codable & Sendable>(
        in channel: String, as type: T.Type, settings: PresenceSettings = PresenceSettings()
    ) async throws(SenteError) -> Presence<T> {
        if let problem = settings.problem {
            throw counted(SenteError(.invalidArgument, problem, outcome: .notSent))
        }
        let carrier = settings.carrier(of: channel)
        try check(.subscribe(channel: channel))
        try check(.subscribe(channel: carrier))
        let hub = PresenceHub(carrier, settings, self)
        do throws(SenteError) {
            _ = try await call(receiver: (hub.inbox, hub)) {
                .subscribe($0, channel: carrier, hub.inbox, scoped: true, history: .none)
            }
        } catch {
            hub.close()
            throw error
        }
        return Presence(carrier, settings, ClientPresence(self, hub))
    }

    /// Follows who is present in a channel, where members say of themselves whatever they like.
    ///
    /// For the rest it is as ``presence(in:as:settings:)``.
    public func presence(
        in channel: String, settings: PresenceSettings = PresenceSettings()
    ) async throws(SenteError) -> Presence<Value> {
        try await presence(in: channel, as: Value.self, settings: settings)
    }
}

/// A client's presence: keeps the client, and tells the hub where it stands.
private final class ClientPresence: PresenceSource {
    private let client: SenteClient
    private let hub: PresenceHub
    private let following: CancelOnDeinit

    init(_ client: SenteClient, _ hub: PresenceHub) {
        self.client = client
        self.hub = hub
        let task = client.host.start { [states = client.states, weak hub] in
            for await status in states { hub?.statusChanged(to: status) }
        }
        following = CancelOnDeinit { task.cancel() }
    }

    var snapshot: PresenceSnapshot { hub.snapshot }
    func makeIterator() -> MailboxIterator<PresenceSnapshot> { hub.makeIterator() }
    func enter(_ data: Value) { hub.handle(.enter(data)) }
    func update(_ data: Value) { hub.handle(.update(data)) }
    func close() { hub.close() }
    func refused(_ error: SenteError) { client.driver.submissions.refused(error) }

    func leave() async {
        let done = DeliveryResult()
        hub.handle(.leave, done: done)
        _ = await done.wait()
    }
}
