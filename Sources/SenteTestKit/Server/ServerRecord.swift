// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire

/// What clients sent to a server, over all of its lives, in the order it came.
struct ServerRecord: Sendable {
    private(set) var frames: [Value] = []
    private(set) var published: [(channel: String, data: Value)] = []
    private(set) var asked: [(channel: String, data: Value)] = []
    private(set) var events: [Event] = []

    /// Notes a message; whether it is the app's doing rather than the protocol's.
    mutating func note(
        _ message: Message, _ read: ClientMessage, _ dialect: Dialect, _ format: WireFormat
    ) -> Bool {
        let frame = try? format.decode(message.bytes)
        if let frame { frames.append(frame) }
        switch read {
        case .publish(let channel, let data, _, _): published.append((Self.name(channel), data))
        case .request(let channel, let data, _, _): asked.append((Self.name(channel), data))
        case .event(let vector, _): if let event = try? Event(validating: vector) { events.append(event) }
        case .other(let frame): if let event = dialect.event(frame) { events.append(event) }
        case .traced, .ping, .pong, .flow, .ignored, .unreadable: return false
        default: break
        }
        return true
    }

    private static func name(_ channel: Value) -> String {
        channel.stringValue ?? channel.keywordValue.map { ":\($0.text)" } ?? channel.description
    }
}
