// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The dialect of sente-lite's second family: one event `[id data]` a text message.
///
/// Messages that its server drops are unreadable here: events with a nil callback, batches, ids without
/// namespace, maps. In JSON it greets and understands nothing, since ids are no keywords there.
struct VectorDialect: ServerDialect {
    private let format: MessageFormat
    private let csrfToken: String
    /// Whether what goes to several at once comes inside `:chsk/recv`.
    private let wrapsBroadcasts: Bool
    /// Whether words about messages are understood; otherwise they are events.
    private let understandsFlow: Bool

    init(
        _ format: MessageFormat, csrfToken: String, wrapsBroadcasts: Bool, understandsFlow: Bool = false
    ) {
        self.format = format
        self.csrfToken = csrfToken
        self.wrapsBroadcasts = wrapsBroadcasts
        self.understandsFlow = understandsFlow
    }

    // MARK: Reading

    // sente-lite, wire_format.cljc, parse-message and decode-event
    func decode(_ message: Message) -> ClientMessage {
        guard message.bytes.first == UInt8(ascii: "["), let value = format.value(of: message) else {
            return .unreadable
        }
        return decode(value)
    }

    func decode(_ value: Value) -> ClientMessage {
        guard case .vector(let items) = value, let event = Self.event(in: items)
        else { return .unreadable }
        return said(event.id, event.data).traced(by: TraceFields { event.data[Keyword($0)] })
    }

    private func said(_ id: Keyword, _ data: Value) -> ClientMessage {
        // Whatever stands where a map should be has no such keys, as in Clojure.
        func field(_ key: Keyword) -> Value { data[key] ?? .null }
        return switch id.text {
        case "chsk/ws-ping": .ping(stamp: .null)
        case "chsk/ws-pong": .pong
        case "chsk/handshake": .ignored
        case "sente-lite/subscribe": .subscribe(field("channel-id"))
        case "sente-lite/unsubscribe": .unsubscribe(field("channel-id"))
        case "sente-lite/publish":
            // The flag `exclude-sender?` only changes a count that nobody is told.
            .publish(
                field("channel-id"), data: field("data"), excludesSender: false,
                messageID: data.mapValue?.messageID)
        default:
            if understandsFlow, id.namespace == "flow" {
                .flow(FlowWord(named: id.name, data.mapValue ?? ValueMap()), callback: nil)
            } else {
                .event([.keyword(id), data], callback: nil)
            }
        }
    }

    /// The id must have a namespace; a callback is taken for one by its place and forgotten.
    private static func event(in items: [Value]) -> (id: Keyword, data: Value)? {
        var event = items
        if items.count == 2, case .vector(let inner) = items[0], items[1].stringValue != nil { event = inner }
        guard let id = event.first?.keywordValue, id.namespace != nil else { return nil }
        return (id, event.count > 1 ? event[1] : .null)
    }

    // MARK: Writing

    func encode(_ value: Value, of message: ServerMessage) -> Message? { format.message(of: value) }

    func value(of message: ServerMessage, at now: Moment) -> Value? {
        switch message {
        case .welcome(_, let uid, let data, let capabilities):
            var greeting: ValueMap = [.keyword("sente-lite-version"): "2.0.0"]
            for (key, value) in data.mapValue ?? ValueMap() { greeting[key] = value }
            if let capabilities {
                greeting[.keyword("capabilities")] = capabilities.value { .keyword(Keyword($0)) }
            }
            // The last element says "first" after every reconnect too.
            return [.keyword("chsk/handshake"), [uid, .string(csrfToken), .map(greeting), true]]
        case .ping: return [.keyword("chsk/ws-ping")]
        case .pong: return [.keyword("chsk/ws-pong")]
        case .subscribed(let channel, _, _): return Self.subscribed(channel, true)
        case .subscribeRefused(let channel, let reason, _, _):
            return Self.subscribed(channel, false, .keyword(Keyword(reason.rawValue)))
        case .unsubscribed(let channel, let existed):
            return existed
                ? Self.subscribed(channel, true)
                : Self.subscribed(channel, .null, .keyword("not-subscribed"))
        case .delivery(let channel, let data, _, let sender, _, let trace):
            var frame: ValueMap = [
                .keyword("channel-id"): channel, .keyword("data"): data,
                .keyword("from"): sender.map { .string($0) } ?? .null,
            ]
            for field in trace?.fields ?? [] { frame[.keyword(Keyword(field.name))] = .string(field.text) }
            return wrapped([.keyword("sente-lite/channel-msg"), .map(frame)])
        case .flow(let word, _):
            let fields = word.adding(
                to: ValueMap(), { .keyword(Keyword($0)) }, writesBytes: format.format.isBinary
            ) {
                ["uid": $0.uid, "csrf-token": .string(csrfToken)]
            }
            return [.keyword(Keyword(namespace: "flow", name: word.name)), .map(fields)]
        case .broadcast(let event): return wrapped(event)
        case .application(let event): return event
        case .echo(let event, let name):
            return [
                .keyword("sente-lite/echo"),
                [
                    .keyword("original-event-id"): event[0] ?? .null,
                    .keyword("original-data"): event[1] ?? .null,
                    .keyword("conn-id"): .string(name),
                    .keyword("timestamp"): .integer(now.wallMilliseconds),
                ],
            ]
        default: return nil
        }
    }

    /// The one answer to subscribing and to unsubscribing.
    private static func subscribed(_ channel: Value, _ success: Value, _ error: Value? = nil) -> Value {
        var data: ValueMap = [.keyword("channel-id"): channel, .keyword("success"): success]
        if let error { data[.keyword("error")] = error }
        return [.keyword("sente-lite/subscribed"), .map(data)]
    }

    private func wrapped(_ event: Value) -> Value {
        wrapsBroadcasts ? [.keyword("chsk/recv"), event] : event
    }
}
