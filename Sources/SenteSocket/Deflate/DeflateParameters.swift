// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// The parameters of permessage-deflate in an offer, or in the answer to one (RFC 7692 §7.1).
struct DeflateParameters: Hashable, Sendable {
    static let name = "permessage-deflate"
    /// zlib writes no raw DEFLATE with the smallest window RFC 7692 knows, 8 bits.
    static let smallestWritable = 9

    var serverNoContextTakeover = false
    var clientNoContextTakeover = false
    var serverMaxWindowBits: Int?
    /// In an offer 15 also stands for the parameter without a value, which allows everything.
    var clientMaxWindowBits: Int?

    init() {}

    /// What a client offers.
    init(offering policy: CompressionPolicy) {
        serverNoContextTakeover = !policy.keepsIncomingContext
        clientNoContextTakeover = !policy.keepsOutgoingContext
        // Only when asked for: servers that do not know it leave it out of their answer, and must then be refused.
        if policy.incomingWindowBits < 15 { serverMaxWindowBits = policy.incomingWindowBits }
        clientMaxWindowBits = policy.outgoingWindowBits
    }

    /// Reads an offer or an answer; whatever §7.1 does not define makes it invalid.
    init(_ member: WebSocketExtension, isOffer: Bool) throws(HandshakeError) {
        var seen: Set<String> = []
        for parameter in member.parameters {
            guard seen.insert(parameter.name).inserted else {
                throw HandshakeError("\(Self.name) has \(parameter.name) twice")
            }
            switch parameter.name {
            case "server_no_context_takeover":
                try Self.checkNoValue(parameter)
                serverNoContextTakeover = true
            case "client_no_context_takeover":
                try Self.checkNoValue(parameter)
                clientNoContextTakeover = true
            case "server_max_window_bits": serverMaxWindowBits = try Self.windowBits(parameter)
            case "client_max_window_bits":
                let isBare = isOffer && parameter.value == nil
                clientMaxWindowBits = isBare ? 15 : try Self.windowBits(parameter)
            default: throw HandshakeError("\(Self.name) has the unknown parameter \(parameter.name)")
            }
        }
    }

    private static func checkNoValue(_ parameter: WebSocketExtension.Parameter) throws(HandshakeError) {
        guard parameter.value == nil else {
            throw HandshakeError("\(name) gives \(parameter.name) a value, which it must not have")
        }
    }

    /// 8 to 15, in decimal without a leading zero (§7.1.2).
    private static func windowBits(_ parameter: WebSocketExtension.Parameter) throws(HandshakeError) -> Int {
        guard let value = parameter.value, let bits = (8...15).first(where: { String($0) == value }) else {
            throw HandshakeError(
                "\(name) has \(parameter.name)=\(parameter.value ?? ""), which must be a number from 8 to 15")
        }
        return bits
    }

    /// As it stands in Sec-WebSocket-Extensions.
    var text: String {
        var parts = [Self.name]
        if serverNoContextTakeover { parts.append("server_no_context_takeover") }
        if clientNoContextTakeover { parts.append("client_no_context_takeover") }
        if let bits = serverMaxWindowBits { parts.append("server_max_window_bits=\(bits)") }
        if let bits = clientMaxWindowBits {
            parts.append(bits == 15 ? "client_max_window_bits" : "client_max_window_bits=\(bits)")
        }
        return parts.joined(separator: "; ")
    }
}

// MARK: - Agreeing

/// What both sides go by once permessage-deflate is agreed on, seen from one of them.
struct DeflateTerms: Hashable, Sendable {
    var outgoingWindowBits = 15
    var incomingWindowBits = 15
    var keepsOutgoingContext = true
    var keepsIncomingContext = true
}

extension DeflateParameters {
    /// What a client that made this offer goes by after the server's answer.
    func terms(answeredBy answer: DeflateParameters) throws(HandshakeError) -> DeflateTerms {
        // §7.1.1.1 and §7.1.2.1: a server accepts these by repeating them.
        guard answer.serverNoContextTakeover || !serverNoContextTakeover else {
            throw HandshakeError("the server does not agree to server_no_context_takeover")
        }
        if let offered = serverMaxWindowBits {
            guard let bits = answer.serverMaxWindowBits, bits <= offered else {
                throw HandshakeError("the server does not agree to server_max_window_bits=\(offered)")
            }
        }
        // §7.1.2.2.
        guard clientMaxWindowBits != nil || answer.clientMaxWindowBits == nil else {
            throw HandshakeError("the server asks for client_max_window_bits, which was not offered")
        }
        return DeflateTerms(
            outgoingWindowBits: min(clientMaxWindowBits ?? 15, answer.clientMaxWindowBits ?? 15),
            incomingWindowBits: answer.serverMaxWindowBits ?? 15,
            keepsOutgoingContext: !clientNoContextTakeover && !answer.clientNoContextTakeover,
            keepsIncomingContext: !answer.serverNoContextTakeover)
    }

    /// What a server answers to this offer, and goes by then; nil when it declines.
    func accepted(by policy: CompressionPolicy) -> (answer: DeflateParameters, terms: DeflateTerms)? {
        var answer = DeflateParameters()
        answer.serverNoContextTakeover = serverNoContextTakeover || !policy.keepsOutgoingContext
        answer.clientNoContextTakeover = clientNoContextTakeover || !policy.keepsIncomingContext
        let outgoing = min(serverMaxWindowBits ?? 15, policy.outgoingWindowBits)
        guard outgoing >= Self.smallestWritable else { return nil }
        if serverMaxWindowBits != nil || outgoing < 15 { answer.serverMaxWindowBits = outgoing }
        let incoming = min(clientMaxWindowBits ?? 15, policy.incomingWindowBits)
        if incoming < 15 {
            // A client that did not offer it cannot be told a window.
            guard clientMaxWindowBits != nil else { return nil }
            answer.clientMaxWindowBits = incoming
        }
        let terms = DeflateTerms(
            outgoingWindowBits: outgoing, incomingWindowBits: incoming,
            keepsOutgoingContext: !answer.serverNoContextTakeover,
            keepsIncomingContext: !answer.clientNoContextTakeover)
        return (answer, terms)
    }

    /// What a server makes of all a client offers, the most wanted first; nil when it declines all.
    static func accept(
        _ offers: [WebSocketExtension], by policy: CompressionPolicy
    ) -> (answer: DeflateParameters, terms: DeflateTerms)? {
        for offer in offers where offer.name == name {
            if let accepted = try? DeflateParameters(offer, isOffer: true).accepted(by: policy) {
                return accepted
            }
        }
        return nil
    }

    /// What a client makes of a server's answer to its offer; nil when nothing was agreed on.
    static func terms(
        of answer: [WebSocketExtension], to offer: DeflateParameters?
    ) throws(HandshakeError) -> DeflateTerms? {
        if let other = answer.first(where: { offer == nil || $0.name != name }) {
            throw HandshakeError("the server uses an extension that was not offered: \(other.name)")
        }
        guard let offer, let first = answer.first else { return nil }
        guard answer.count == 1 else { throw HandshakeError("the server answers \(name) twice") }
        return try offer.terms(answeredBy: DeflateParameters(first, isOffer: false))
    }
}
