// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The dialect of Sente: a value and the callback it belongs to, `[value ?callback]`, whatever the packer.
struct SenteDialect: ServerDialect {
    private let format: MessageFormat
    private let version: SenteSettings.Version
    /// Whether words about messages are understood; otherwise they are events.
    private let understandsFlow: Bool

    init(_ format: MessageFormat, version: SenteSettings.Version, understandsFlow: Bool = false) {
        self.format = format
        self.version = version
        self.understandsFlow = understandsFlow
    }

    // MARK: Reading

    // sente.cljc, on-msg
    func decode(_ message: Message) -> ClientMessage {
        let (prefix, rest) = unprefixed(message)
        guard let value = format.value(of: rest) else { return .unreadable }
        return prefix == UInt8(ascii: "-") ? decode(event: value, nil) : decode(value)
    }

    func decode(_ value: Value) -> ClientMessage {
        guard let items = value.arrayValue else { return .unreadable }
        let hasCallback = items.count > 1 && !items[1].isNull && items[1] != false
        return decode(event: items.first ?? .null, hasCallback ? items[1] : Value?.none)
    }

    private func decode(event: Value, _ callback: Value?) -> ClientMessage {
        switch event {
        case [.keyword("chsk/ws-ping")]: return .ping(stamp: callback ?? .null)
        case [.keyword("chsk/ws-pong")]: return .pong
        default:
            if understandsFlow, let id = event[0]?.keywordValue, id.namespace == "flow" {
                return .flow(FlowWord(named: id.name, event[1]?.mapValue ?? ValueMap()), callback: callback)
            }
            return ClientMessage.event(
                Self.isEvent(event) ? event : [.keyword("chsk/bad-event"), event], callback: callback
            ).traced(by: TraceFields { event[1]?[Keyword($0)] })
        }
    }

    /// Whether a value is `[id]` or `[id data]`, the id with a namespace.
    static func isEvent(_ value: Value) -> Bool {
        guard case .vector(let items) = value, (1...2).contains(items.count) else { return false }
        return items[0].keywordValue?.namespace != nil
    }

    /// Up to 1.20 a text may begin with the mark of a wrapped or a bare value.
    private func unprefixed(_ message: Message) -> (prefix: UInt8?, rest: Message) {
        guard version != .current, message.kind == .text, let first = message.bytes.first,
            first == UInt8(ascii: "+") || first == UInt8(ascii: "-")
        else { return (nil, message) }
        return (first, Message(.text, Array(message.bytes.dropFirst())))
    }

    // MARK: Writing

    func value(of message: ServerMessage, at now: Moment) -> Value? {
        switch message {
        case .welcome(_, let uid, var data, let capabilities):
            if let capabilities {
                var map = data.mapValue ?? ValueMap()
                map[.keyword("capabilities")] = capabilities.value { .keyword(Keyword($0)) }
                data = .map(map)
            }
            var greeting = [uid, .null, data]
            if version != .current, data.isNull { greeting.removeLast() }
            return wrapped([.keyword("chsk/handshake"), .vector(greeting)])
        case .flow(let word, let callback):
            let fields = Value.map(
                word.adding(to: ValueMap(), { .keyword(Keyword($0)) }, writesBytes: format.format.isBinary) {
                    ["uid": $0.uid]
                })
            // The first is the answer to the handshake, the others are further ones.
            if case .agreement = word { return wrapped(fields, callback) }
            return wrapped([.keyword(Keyword(namespace: "flow", name: word.name)), fields], callback)
        case .batch(let events): return wrapped(.vector(events))
        case .reply(let value, let callback): return wrapped(value, callback)
        // A bare keyword in an event's place.
        case .ping: return wrapped(.keyword("chsk/ws-ping"))
        case .pong(let callback):
            // Nothing answers a ping without callback, and 1.17 answers none at all.
            return callback.isNull || version == .prefixed ? Value?.none : wrapped("pong", callback)
        case .application(let value): return value
        default: return nil
        }
    }

    private func wrapped(_ value: Value, _ callback: Value = .null) -> Value {
        version == .current || !callback.isNull ? [value, callback] : [value]
    }

    func encode(_ value: Value, of message: ServerMessage) -> Message? {
        guard var bytes = format.message(of: value) else { return nil }
        if case .application = message { return bytes }
        if version == .prefixed, bytes.kind == .text { bytes.bytes.insert(UInt8(ascii: "+"), at: 0) }
        return bytes
    }
}
