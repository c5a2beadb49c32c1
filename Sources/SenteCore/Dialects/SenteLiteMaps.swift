// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// The `{"type": …}` dialect ("v1"): one map a message, fields in kebab-case, times in milliseconds since 1970.
///
/// Replies without an id are matched by kind and channel, which the session does. What a server of this family chokes on is refused before it is written (`Dialect.check`).
package struct SenteLiteMaps: MessageCoder {
    /// The name of events that have no `type` in either direction.
    static let untyped: Keyword = "sente-lite/message"

    package let format: WireFormat
    /// Whether fields and types are keywords: servers expect what they write themselves.
    private let writesKeywords: Bool
    package var sizes: SizeLimits
    package let readsTraces: Bool

    package init(
        format: WireFormat, writesKeywords: Bool = false, sizes: SizeLimits = SizeLimits(),
        readsTraces: Bool = false
    ) {
        self.format = format
        self.writesKeywords = writesKeywords
        self.sizes = sizes
        self.readsTraces = readsTraces
    }

    package var dialect: Dialect { .senteLiteMaps }

    package func spell(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Value {
        switch outbound {
        case .subscribe(let channel): .frame([key(.type), word(.subscribe), key(.channel), Value(channel)])
        case .unsubscribe(let channel):
            .frame([key(.type), word(.unsubscribe), key(.channel), Value(channel)])
        case .publish(let channel, let data, false):
            .frame([key(.type), word(.publish), key(.channel), Value(channel), key(.data), data])
        case .publish(let channel, let data, true):
            .frame([
                key(.type), word(.publish), key(.channel), Value(channel), key(.data), data,
                key(MapField.excludeSender[0]), true, key(MapField.excludeSender[1]), true,
            ])
        case .request(let channel, let data, let limit):
            .frame([
                key(.type), word(.rpcRequest), key(.channel), Value(channel), key(.data), data, key(.limit),
                Value(limit),
            ])
        case .answer(let id, let data, let isError):
            .frame([
                key(.type), word(.rpcResponse), key(.requestID), Value(id), key(.data), data,
                key(MapField.isError[0]), Value(isError), key(MapField.isError[1]), Value(isError),
            ])
        case .ping(let stamp?): .frame([key(.type), word(.ping), key(.timestamp), Value(stamp)])
        case .ping(nil): .frame([key(.type), word(.ping)])
        case .pong(let original?):
            .frame([
                key(.type), word(.pong), key(.timestamp), Value(now.wallMilliseconds),
                key(.originalTimestamp), Value(original),
            ])
        case .pong(nil):
            .frame([key(.type), word(.pong), key(.timestamp), Value(now.wallMilliseconds)])
        case .event(let event, _): frame(event)
        case .listChannels: .frame([key(.type), word(.listChannels)])
        case .listSubscriptions: .frame([key(.type), word(.getSubscriptions)])
        case .flow(let word): frame(word)
        case .identified(let id, let outbound):
            MessageName.put(id, intoMap: try spell(outbound, at: now), asKeyword: writesKeywords)
        case .traced(let outbound, let trace): adding(trace, to: try spell(outbound, at: now))
        case .headed(_, let outbound): try spell(outbound, at: now)
        case .jetStream: throw dialect.streamless
        }
    }

    package func adding(_ trace: TraceContext, to value: Value) -> Value {
        value.adding(trace) { key(MapField(stringLiteral: $0)) }
    }

    private func frame(_ word: FlowOutbound) -> Value {
        .frame(
            [key(.type), name(Keyword(word.word.type))] + word.fields { key(MapField(stringLiteral: $0)) })
    }

    /// An application event: its fields side by side with its type.
    private func frame(_ event: Event) -> Value {
        let fields = event.data.mapValue ?? ValueMap()
        guard event.id != Self.untyped else { return .map(fields) }
        var map = ValueMap()
        map.reserveCapacity(fields.count + 1)
        map[key(.type)] = name(event.id)
        for (name, value) in fields { map[name] = value }
        return .map(map)
    }

    private func word(_ type: MapFrameType) -> Value { name(Keyword(type.rawValue)) }

    private func key(_ field: MapField) -> Value { writesKeywords ? field.keyword : Value(field.text) }

    /// A type is whatever the app calls its events; what is no keyword can still be said as text.
    private func name(_ name: Keyword) -> Value {
        writesKeywords && name.isValid ? .keyword(name) : Value(name.text)
    }
}

extension Value {
    /// A frame of fields and what they hold in turns, in one array: to pair them first would take two more.
    fileprivate static func frame(_ items: [Value]) -> Value { .map(ValueMap(fewDistinct: items)) }
}
