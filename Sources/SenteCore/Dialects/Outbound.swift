// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What a client can say, before a dialect spells it.
package enum Outbound: Hashable, Sendable {
    case subscribe(channel: String)
    case unsubscribe(channel: String)
    case publish(channel: String, data: Value, excludeSender: Bool)
    /// `limit` in milliseconds: how long the server should wait for the service.
    case request(channel: String, data: Value, limit: Int64)
    case answer(requestID: String, data: Value, isError: Bool)
    /// `stamp` in milliseconds since 1970, unique on its link when it is a fence.
    case ping(stamp: Int64?)
    /// The answer to a server's ping, or unasked.
    case pong(original: Int64?)
    /// An application event; with `callback`, the id that the server's answer to it is to carry.
    case event(Event, callback: String? = nil)
    case listChannels
    case listSubscriptions
    /// A word of flow.
    indirect case flow(FlowOutbound)
    /// A word to the streams of NATS.
    indirect case jetStream(JetStreamOutbound)
    /// The same with an id of the client's, by which a server knows it again.
    indirect case identified(String, Outbound)
    /// The same as a step of a trace.
    indirect case traced(Outbound, by: TraceContext)
    /// The same with what stands beside its data.
    indirect case headed(NamedValues, Outbound)
}

extension Outbound {
    /// What it counts against the outbox's bytes and the write window, before its real size is known.
    package var weight: Int {
        switch self {
        case .subscribe(let channel), .unsubscribe(let channel): 32 + channel.utf8.count
        case .publish(let channel, let data, _), .request(let channel, let data, _):
            64 + channel.utf8.count + data.weight
        case .answer(let id, let data, _): 64 + id.utf8.count + data.weight
        case .event(let event, let callback):
            32 + event.id.name.utf8.count + event.data.weight + (callback?.utf8.count ?? 0)
        case .ping, .pong, .listChannels, .listSubscriptions: 48
        case .flow(let word): 48 + word.weight
        case .jetStream(let word): word.weight
        case .identified(let id, let outbound): 16 + id.utf8.count + outbound.weight
        case .traced(let outbound, _): 72 + outbound.weight
        case .headed(let fields, let outbound): fields.weight + outbound.weight
        }
    }

    /// By what the server's reply to it is known; nil where it gives none.
    package func correlation(in capabilities: Capabilities) -> Correlation? {
        switch self {
        case .subscribe(let channel):
            .next(capabilities.answersInOrder ? .subscription : .subscribe, channel: WireName(channel))
        case .unsubscribe(let channel):
            .next(capabilities.answersInOrder ? .subscription : .unsubscribe, channel: WireName(channel))
        case .publish(let channel, _, _):
            capabilities.acknowledgesPublish ? .next(.publish, channel: WireName(channel)) : nil
        case .request(let channel, _, _): .next(.request, channel: WireName(channel))
        case .listChannels: .next(.channels, channel: nil)
        case .listSubscriptions: .next(.subscriptions, channel: nil)
        case .event(_, let callback): callback.map { .id(.event, WireName($0)) }
        case .answer, .ping, .pong, .flow, .jetStream: nil
        case .identified(_, let outbound), .traced(let outbound, _), .headed(_, let outbound):
            outbound.correlation(in: capabilities)
        }
    }

    /// Whether a session that survives its links counts it: all but words of flow and what keeps a link alive.
    package var isCounted: Bool {
        switch self {
        case .ping, .pong: false
        case .identified(_, let outbound), .traced(let outbound, _), .headed(_, let outbound):
            outbound.isCounted
        case .flow(let word): word.word.isCounted
        case .subscribe, .unsubscribe, .publish, .request, .answer, .event, .listChannels, .listSubscriptions,
            .jetStream:
            true
        }
    }

    /// By what else the server's reply to it is known.
    package func marks(in capabilities: Capabilities) -> [Correlation] {
        if case .identified(_, let outbound) = self { return outbound.marks(in: capabilities) }
        if case .traced(.event(var event, let callback), let trace) = self {
            event.data = event.data.adding(trace) { .keyword(Keyword($0)) }
            return Outbound.event(event, callback: callback).marks(in: capabilities)
        }
        guard capabilities.answersInOrder, case .event(let event, _?) = self else { return [] }
        let echoes: [Correlation] = [.echo(event.id, data: event.data), .echo(event.id, data: nil)]
        return event.requestID.map { echoes + [.requestID($0)] } ?? echoes
    }

    /// With what stands beside its data, if anything does.
    package consuming func headed(by fields: NamedValues) -> Outbound {
        fields.isEmpty ? self : .headed(fields, self)
    }

    /// Whether it says what the client wants to hear of; it goes past the outbox.
    var isWish: Bool {
        switch self {
        case .subscribe, .unsubscribe: true
        default: false
        }
    }

    var withoutHeaders: Outbound {
        if case .headed(_, let outbound) = self { outbound } else { self }
    }

    package var channel: String? {
        switch self {
        case .subscribe(let channel), .unsubscribe(let channel), .publish(let channel, _, _),
            .request(let channel, _, _):
            channel
        case .identified(_, let outbound), .traced(let outbound, _), .headed(_, let outbound):
            outbound.channel
        case .jetStream(let word): word.channel
        case .answer, .ping, .pong, .event, .listChannels, .listSubscriptions, .flow: nil
        }
    }
}

extension NamedValues {
    fileprivate var weight: Int { reduce(0) { $0 + 4 + $1.name.utf8.count + $1.value.utf8.count } }
}
