// SPDX-License-Identifier: Apache-2.0

public import SenteCore
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
        return Presence(carrier, settings, self, hub)
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
