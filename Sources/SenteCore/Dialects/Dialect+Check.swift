// SPDX-License-Identifier: Apache-2.0

import SenteWire

extension Dialect {
    /// Refuses what no server that the client may meet could be told.
    ///
    /// `known` is the dialect that is configured or was spoken last. Without one, what any dialect can say passes: the
    /// dialect that the server greets in judges it again when it is written. Returns what the message weighs.
    @discardableResult
    package static func check(
        _ outbound: Outbound, for known: Dialect?, limit: SizeLimits
    ) throws(SenteError) -> Int {
        if let known { return try known.check(outbound, limit: limit) }
        do throws(SenteError) {
            return try senteLiteMaps.check(outbound, limit: limit)
        } catch {
            for dialect in detected {
                if let weight = try? dialect.check(outbound, limit: limit) { return weight }
            }
            throw error
        }
    }

    /// Refuses what this dialect cannot say or its servers choke on, and what is too large.
    ///
    /// It needs no link and looks at nothing but its arguments, so it runs on the caller's thread before anything is
    /// queued. Sizes are estimates (`Outbound.weight`) until the message is encoded; returns that of this one.
    @discardableResult
    package func check(_ outbound: Outbound, limit: SizeLimits) throws(SenteError) -> Int {
        try check(arguments: outbound)
        let weight = outbound.weight
        guard weight <= limit.outgoingMessage else {
            throw SenteError(
                .messageTooLarge,
                "The message takes about \(weight) bytes and the limit is \(limit.outgoingMessage): "
                    + "send less at once, or raise `limits.outgoingMessage`.", outcome: .notSent)
        }
        return weight
    }

    func check(arguments outbound: Outbound) throws(SenteError) {
        if case .identified(_, let outbound) = outbound { return try check(arguments: outbound) }
        if case .traced(let outbound, _) = outbound { return try check(arguments: outbound) }
        if case .headed(let fields, let outbound) = outbound {
            try check(headers: fields)
            return try check(arguments: outbound)
        }
        switch self {
        case .senteLiteMaps: try Self.checkMaps(outbound)
        case .senteLiteVectors: try Self.checkLiteVectors(outbound)
        case .sente: try Self.checkSente(outbound)
        case .nats: try Self.checkNATS(outbound)
        }
    }

    /// Only servers of NATS keep channels as streams.
    var streamless: SenteError {
        SenteError(
            .unsupported,
            "Servers of the dialect \(rawValue) keep no streams: leave `stored` and `from` out, or use a server of NATS.",
            outcome: .notSent)
    }

    private func check(headers fields: NamedValues) throws(SenteError) {
        guard self == .nats else {
            throw SenteError(
                .unsupported,
                "Servers of the dialect \(rawValue) carry no headers: leave `headers` out of the options, and put into the "
                    + "data what belongs there.", outcome: .notSent)
        }
        _ = try NATSHead(fields).encoded()
    }

    private static func checkMaps(_ outbound: Outbound) throws(SenteError) {
        if let channel = outbound.channel { try check(channel: channel) }
        switch outbound {
        // A server of this dialect throws on other data, and then neither delivers nor answers.
        case .publish(_, let data, _), .request(_, let data, _): try check(data: data)
        case .event(let event, callback: nil): try check(event: event)
        case .event(_, callback: _?):
            throw SenteError(
                .unsupported,
                "Servers of the dialect senteLiteMaps do not answer events: use send(_:timeout:reply:), "
                    + "or request(_:on:).", outcome: .notSent)
        case .jetStream: throw senteLiteMaps.streamless
        case .subscribe, .unsubscribe, .answer, .ping, .pong, .listChannels, .listSubscriptions, .flow,
            .identified, .traced, .headed:
            break
        }
    }

    static func check(channel: String) throws(SenteError) {
        let length = channel.utf8.count
        guard length > 0 else { throw invalid("`channel` is empty: give the name of a channel.") }
        guard length <= 1_024 else {
            throw invalid("`channel` has \(length) bytes: a channel's name has at most 1,024.")
        }
        guard !channel.holdsControl else {
            throw invalid("`channel` holds a control character (“\(channel.excerpt())”): use printable text.")
        }
    }

    static func check(data: Value) throws(SenteError) {
        switch data {
        case .map, .null: return
        default:
            throw invalid(
                "`data` is \(kind(of: data)): servers of this dialect take a map or nothing. "
                    + "Wrap it, for example as {\"value\": …}.")
        }
    }

    private static func check(event: Event) throws(SenteError) {
        let name = event.id.text
        guard !name.isEmpty else { throw invalid("The event's `id` is empty: give it a name.") }
        if let type = MapFrameType(name), type.isActedUpon {
            throw invalid(
                "The event's `id` “\(name)” is a word of the protocol: use the client's own call, or another id."
            )
        }
        try check(data: event.data)
        if let fields = event.data.mapValue, MapFrame(fields).has(.type) {
            throw invalid(
                "The event's `data` holds the key “type”, which is where its id is written: rename the key.")
        }
    }

    static func invalid(_ message: String) -> SenteError {
        SenteError(.invalidArgument, message, outcome: .notSent)
    }

    private static func kind(of value: Value) -> String {
        switch value {
        case .null: "null"
        case .bool: "a truth value"
        case .integer, .bigInteger, .double, .decimal, .ratio: "a number"
        case .string, .character: "text"
        case .keyword, .symbol: "a name"
        case .list, .vector: "an array"
        case .map: "a map"
        case .set: "a set"
        case .bytes, .instant, .uuid, .uri, .tagged: "a single value"
        }
    }
}

extension String {
    /// Whether C0, DEL or C1 is in it; by bytes, since every call asks.
    fileprivate var holdsControl: Bool {
        var text = self
        return text.withUTF8 { bytes in
            var previous: UInt8 = 0
            for byte in bytes {
                // C1 is U+0080…U+009F: C2 80…C2 9F.
                if byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte < 0xA0) { return true }
                previous = byte
            }
            return false
        }
    }
}
