// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// The `{"type": …}` dialect ("v1"): one map a message, fields in kebab-case, times in milliseconds since 1970.
///
/// Replies without an id are matched by kind and channel, which the session does. What a server of this family chokes on is refused before it is written (`Dialect.check`).
package struct SenteLiteMaps: DialectCoder {
    /// The name of events that have no `type` in either direction.
    static let untyped: Keyword = "sente-lite/message"

    package let format: WireFormat
    /// Whether fields and types are keywords: servers expect what they write themselves.
    private let writesKeywords: Bool
    package let sizes: SizeLimits
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
        case .subscribe(let channel): frame(.subscribe, (.channel, Value(channel)))
        case .unsubscribe(let channel): frame(.unsubscribe, (.channel, Value(channel)))
        case .publish(let channel, let data, false):
            frame(.publish, (.channel, Value(channel)), (.data, data))
        case .publish(let channel, let data, true):
            frame(
                .publish, (.channel, Value(channel)), (.data, data), (MapField.excludeSender[0], true),
                (MapField.excludeSender[1], true))
        case .request(let channel, let data, let limit):
            frame(.rpcRequest, (.channel, Value(channel)), (.data, data), (.limit, Value(limit)))
        case .answer(let id, let data, let isError):
            frame(
                .rpcResponse, (.requestID, Value(id)), (.data, data), (MapField.isError[0], Value(isError)),
                (MapField.isError[1], Value(isError)))
        case .ping(let stamp?): frame(.ping, (.timestamp, Value(stamp)))
        case .ping(nil): frame(.ping)
        case .pong(let original?):
            frame(
                .pong, (.timestamp, Value(now.wallMilliseconds)), (.originalTimestamp, Value(original)))
        case .pong(nil): frame(.pong, (.timestamp, Value(now.wallMilliseconds)))
        case .event(let event, _): frame(event)
        case .listChannels: frame(.listChannels)
        case .listSubscriptions: frame(.getSubscriptions)
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

    private func frame(_ type: MapFrameType, _ fields: (MapField, Value)...) -> Value {
        var items = [key(.type), name(Keyword(type.rawValue))]
        items.reserveCapacity(2 + 2 * fields.count)
        for (field, value) in fields {
            items.append(key(field))
            items.append(value)
        }
        return .map(ValueMap(fewDistinct: items))
    }

    private func frame(_ word: FlowOutbound) -> Value {
        let type = (key(.type), name(Keyword(word.word.type)))
        return .map(ValueMap([type] + word.fields { key(MapField(stringLiteral: $0)) }))
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

    private func key(_ field: MapField) -> Value { writesKeywords ? field.keyword : Value(field.text) }

    /// A type is whatever the app calls its events; what is no keyword can still be said as text.
    private func name(_ name: Keyword) -> Value {
        writesKeywords && name.isValid ? .keyword(name) : Value(name.text)
    }
}
