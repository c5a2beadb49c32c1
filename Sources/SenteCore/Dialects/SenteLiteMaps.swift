// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// The `{"type": …}` dialect ("v1"): one map a message, fields in kebab-case, times in milliseconds since 1970.
///
/// It keeps nothing from message to message: replies without an id are matched by kind and channel, which the session
/// does. What a server of this family chokes on is refused before it is written (`Dialect.check`).
package struct SenteLiteMaps: DialectCoder {
    /// The name of events that have no `type` in either direction.
    static let untyped: Keyword = "sente-lite/message"
    /// The sizes of messages are bounded by the link and the session; here only the depth counts.
    static let wireLimits = WireLimits(maximumBytes: .max)

    package let format: WireFormat

    package init(format: WireFormat) {
        self.format = format
    }

    package var dialect: Dialect { .senteLiteMaps }

    package mutating func encode(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Message {
        try dialect.check(arguments: outbound)
        let bytes: [UInt8]
        do throws(WireError) {
            bytes = try format.encode(frame(outbound, at: now), limits: Self.wireLimits)
        } catch {
            throw SenteError(
                .unsayable, "The message cannot be written as \(format.name): \(error)", outcome: .notSent)
        }
        return Message(format.isBinary ? .binary : .text, bytes)
    }

    private func frame(_ outbound: Outbound, at now: Moment) -> Value {
        switch outbound {
        case .subscribe(let channel): Self.frame(.subscribe, (MapField.channel, Value(channel)))
        case .unsubscribe(let channel): Self.frame(.unsubscribe, (MapField.channel, Value(channel)))
        case .publish(let channel, let data, false):
            Self.frame(.publish, (MapField.channel, Value(channel)), (MapField.data, data))
        case .publish(let channel, let data, true):
            Self.frame(
                .publish, (MapField.channel, Value(channel)), (MapField.data, data),
                (MapField.excludeSender[0], true), (MapField.excludeSender[1], true))
        case .request(let channel, let data, let limit):
            Self.frame(
                .rpcRequest, (MapField.channel, Value(channel)), (MapField.data, data),
                (MapField.limit, Value(limit)))
        case .answer(let id, let data, let isError):
            Self.frame(
                .rpcResponse, (MapField.requestID, Value(id)), (MapField.data, data),
                (MapField.isError[0], Value(isError)), (MapField.isError[1], Value(isError)))
        case .ping(let stamp?): Self.frame(.ping, (MapField.timestamp, Value(stamp)))
        case .ping(nil): Self.frame(.ping)
        case .pong(let original?):
            Self.frame(
                .pong, (MapField.timestamp, Value(now.wallMilliseconds)),
                (MapField.originalTimestamp, Value(original)))
        case .pong(nil): Self.frame(.pong, (MapField.timestamp, Value(now.wallMilliseconds)))
        case .event(let event, _): Self.frame(event)
        case .listChannels: Self.frame(.listChannels)
        case .listSubscriptions: Self.frame(.getSubscriptions)
        }
    }

    private static func frame(_ type: MapFrameType, _ fields: (String, Value)...) -> Value {
        var map = ValueMap()
        map.reserveCapacity(fields.count + 1)
        map[MapField.type] = Value(type.rawValue)
        for (name, value) in fields { map[name] = value }
        return .map(map)
    }

    /// An application event: its fields side by side with its type.
    private static func frame(_ event: Event) -> Value {
        let fields = event.data.mapValue ?? ValueMap()
        guard event.id != untyped else { return .map(fields) }
        var map = ValueMap()
        map.reserveCapacity(fields.count + 1)
        map[MapField.type] = Value(event.id.text)
        for (name, value) in fields { map[name] = value }
        return .map(map)
    }
}
