// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// sente-lite's `[id data]` dialect ("v2"): one event a message, channels by events of the protocol's own.
///
/// Its servers drop whatever they do not know without a word, so all that is refused before it is written
/// (`Dialect.check`).
package struct SenteLiteVectors: MessageCoder {
    package let format: WireFormat
    package var sizes: SizeLimits
    package let readsTraces: Bool

    package init(format: WireFormat, sizes: SizeLimits = SizeLimits(), readsTraces: Bool = false) {
        self.format = format
        self.sizes = sizes
        self.readsTraces = readsTraces
    }

    package var dialect: Dialect { .senteLiteVectors }

    package func spell(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Value {
        switch outbound {
        case .subscribe(let channel): Self.spell(VectorWord.subscribe, (.channel, Self.name(of: channel)))
        case .unsubscribe(let channel): Self.spell(VectorWord.unsubscribe, (.channel, Self.name(of: channel)))
        case .publish(let channel, let data, false):
            Self.spell(VectorWord.publish, (.channel, Self.name(of: channel)), (.data, data))
        case .publish(let channel, let data, true):
            Self.spell(
                VectorWord.publish, (.channel, Self.name(of: channel)), (.data, data),
                (MapField.excludeSender[1], true))
        case .event(let event, nil): event.vector
        case .event(let event, let callback?): [event.vector, Value(callback)]
        case .ping: Event(id: VectorWord.ping).vector
        case .pong: Event(id: VectorWord.pong).vector
        case .flow(let word): Event(word).vector
        case .identified(let id, let outbound): MessageName.put(id, intoEvent: try spell(outbound, at: now))
        case .traced(let outbound, let trace): adding(trace, to: try spell(outbound, at: now))
        case .headed(_, let outbound): try spell(outbound, at: now)
        case .request, .answer, .listChannels, .listSubscriptions, .jetStream:
            throw SenteError(.unsupported, "This dialect has no such operation.", outcome: .notSent)
        }
    }

    private static func spell(_ id: Keyword, _ fields: (MapField, Value)...) -> Value {
        var map = ValueMap()
        for (field, value) in fields { map[field.keyword] = value }
        return Event(id: id, data: .map(map)).vector
    }

    /// Servers take any value for a channel's name and compare exactly: what looks like a keyword is meant as one.
    private static func name(of channel: String) -> Value {
        guard channel.utf8.first == UInt8(ascii: ":") else { return Value(channel) }
        let keyword = Keyword(channel)
        return keyword.isValid ? .keyword(keyword) : Value(channel)
    }

    /// The channel that the server names; nil when it is neither text nor keyword.
    static func channel(named name: Value?) -> String? {
        switch name {
        case .string(let text)?: text
        case .keyword(let keyword)?: keyword.description
        default: nil
        }
    }
}
