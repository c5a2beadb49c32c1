// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// A link with its surroundings, driven by hand: what a transport would do, without a socket.
final class Peer {
    var link: Link
    var masks: MaskKeys
    var now = Instant(nanoseconds: 0)
    var reports: [LinkReport] = []

    init(_ link: Link, seed: UInt64 = 1) {
        self.link = link
        masks = MaskKeys(.seeded(seed))
    }

    /// The same link, to try something else with.
    func copy() -> Peer {
        let other = Peer(link)
        (other.now, other.reports) = (now, reports)
        return other
    }

    /// A client whose request has been written, and the answer to it that opens the link.
    static func client(
        limits: LinkLimits = LinkLimits(), headers: [HTTPHeader] = [], subprotocols: [String] = [],
        mode: PayloadMode = .messages, compression: LinkCompression? = nil, seed: UInt64 = 1
    ) throws -> (peer: Peer, answer: String) {
        let url = try WebSocketURL("ws://host/chat")
        let request = try UpgradeRequest(url, headers: headers, subprotocols: subprotocols)
        let key = HandshakeKey(.seeded(seed))
        let deadline = Instant(nanoseconds: 0).advanced(by: .seconds(10))
        let link = Link(
            client: request, key: key, limits: limits, mode: mode, compression: compression,
            deadline: deadline)
        let peer = Peer(link, seed: seed)
        _ = peer.output()
        return (peer, key.answer)
    }

    static func openClient(
        limits: LinkLimits = LinkLimits(), mode: PayloadMode = .messages,
        compression: LinkCompression? = nil, answer extensions: String = ""
    ) throws -> Peer {
        let (peer, answer) = try client(limits: limits, mode: mode, compression: compression)
        peer.feed(Self.switching(answer, extra: extensions))
        peer.reports = []
        return peer
    }

    static func server(limits: LinkLimits = LinkLimits(), compression: LinkCompression? = nil) -> Peer {
        Peer(Link(server: limits, compression: compression, at: Instant(nanoseconds: 0)), seed: 2)
    }

    static func openServer(
        limits: LinkLimits = LinkLimits(), compression: LinkCompression? = nil, offer extensions: String = ""
    ) -> Peer {
        let peer = server(limits: limits, compression: compression)
        peer.feed(Self.request(extensions))
        _ = peer.accept()
        _ = peer.output()
        peer.reports = []
        return peer
    }

    /// A 101 with the given answer to the key.
    static func switching(_ answer: String, extra: String = "") -> [UInt8] {
        let text =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(answer)\r\n\(extra)\r\n"
        return Array(text.utf8)
    }

    /// The request of RFC 6455 §1.3.
    static func request(_ extra: String = "") -> [UInt8] {
        let text =
            "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\(extra)\r\n"
        return Array(text.utf8)
    }

    func feed(_ bytes: [UInt8], by size: Int = .max, inPlaceFrom threshold: Int = .max) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if link.missingBytes >= threshold {
                let source = rest.prefix(size)
                let count = link.fill(at: now, masks: &masks, into: &reports) { target in
                    target.copyBytes(from: source.prefix(target.count))
                    return min(source.count, target.count)
                }
                rest = rest.dropFirst(count)
            } else {
                let piece = Array(rest.prefix(size))
                piece.withUnsafeBytes { link.receive($0, at: now, masks: &masks, into: &reports) }
                rest = rest.dropFirst(piece.count)
            }
            fireIfDue()
        }
    }

    /// What an owner does once it has looked at the events of one read.
    func fireIfDue() {
        if let deadline = link.deadline, deadline <= now { link.timerFired(at: now, into: &reports) }
    }

    func feed(_ text: String, by size: Int = .max) {
        feed(Array(text.utf8), by: size)
    }

    func accept(subprotocol: String? = nil, headers: [HTTPHeader] = []) -> Bool {
        defer { fireIfDue() }
        return link.accept(subprotocol: subprotocol, headers: headers, at: now, masks: &masks, into: &reports)
    }

    func send(_ message: Message, id: UInt64? = nil) -> Link.WriteResult {
        link.send(message, id: id.map { SendID($0) }, at: now, masks: &masks)
    }

    func close(_ code: CloseCode = .normal, reason: String = "") -> Bool {
        link.close(code, reason: reason, at: now, masks: &masks, into: &reports)
    }

    func respond(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) -> Bool {
        link.respond(status: status, headers: headers, body: body, at: now)
    }

    func ping(_ payload: [UInt8] = []) -> Link.WriteResult {
        link.ping(payload, masks: &masks)
    }

    func end() {
        link.receivedEnd(at: now, into: &reports)
    }

    func advance(by duration: Duration) {
        now = now.advanced(by: duration)
        link.timerFired(at: now, into: &reports)
    }

    /// Takes at most `limit` bytes of output.
    func output(_ limit: Int = .max) -> [UInt8] {
        var taken: [UInt8] = []
        link.withOutput(into: &reports) { bytes in
            taken = Array(bytes.prefix(limit))
            return taken.count
        }
        return taken
    }

    /// What the link reported but for what was written, each message by itself.
    var events: [LinkReport] {
        reports.flatMap { report -> [LinkReport] in
            switch report {
            case .received(let messages): messages.map { .received([$0]) }
            case .wrote: []
            case .opened, .progress, .answered, .refused, .closed: [report]
            }
        }
    }

    var messages: [Message] {
        reports.flatMap { if case .received(let messages) = $0 { messages } else { [Message]() } }
    }

    var wrote: [SendID] { reports.flatMap { if case .wrote(let ids) = $0 { ids } else { [SendID]() } } }

    /// The kinds and contents of the events without the words of failures, which may depend on how bytes were
    /// cut.
    var told: [String] { events.map(\.told) }

    var failure: LinkFailure? {
        if case .closed(.failed(let failure)) = events.last { return failure }
        return nil
    }

    var refusal: Refusal? {
        if case .refused(let refusal) = events.last { return refusal }
        return nil
    }

    var isOpened: Bool {
        events.contains { if case .opened = $0 { true } else { false } }
    }
}

extension LinkReport {
    var told: String {
        switch self {
        case .closed(.failed(let failure)): "failed \(failure.kind) \(failure.closeCode?.description ?? "-")"
        case .closed(.closed(let code, let reason)): "closed \(code) \(reason)"
        case .received(let messages): messages.map { "\($0.kind) \(hex($0.bytes))" }.joined(separator: ", ")
        case .opened(let opening): "opened \(opening.subprotocol ?? "-")"
        case .refused(let refusal): "refused \(refusal.status) \(refusal.headers) \(hex(refusal.body))"
        case .progress, .wrote, .answered: "\(self)"
        }
    }
}

/// A frame spelled out, right or wrong.
struct Frame {
    var first: UInt8
    var payload: [UInt8]
    var key: [UInt8]?

    init(
        _ opcode: UInt8, _ payload: [UInt8] = [], final: Bool = true, reserved: UInt8 = 0,
        masked: Bool = false
    ) {
        first = (final ? 0x80 : 0) | reserved << 4 | opcode
        self.payload = payload
        key = masked ? [0x37, 0xFA, 0x21, 0x3D] : nil
    }

    static func text(_ text: String, final: Bool = true, masked: Bool = false) -> Frame {
        Frame(1, Array(text.utf8), final: final, masked: masked)
    }

    static func close(_ code: UInt16, _ reason: String = "", masked: Bool = false) -> Frame {
        Frame(8, [UInt8(code >> 8), UInt8(code & 255)] + Array(reason.utf8), masked: masked)
    }

    /// The bytes, the length in its shortest form or the one asked for (7, 16 or 64 bits).
    func bytes(lengthBits: Int? = nil) -> [UInt8] {
        let count = payload.count
        let mask: UInt8 = key == nil ? 0 : 0x80
        var out = [first]
        switch lengthBits ?? (count < 126 ? 7 : count < 65_536 ? 16 : 64) {
        case 7: out.append(mask | UInt8(count))
        case 16: out += [mask | 126, UInt8(count >> 8), UInt8(count & 255)]
        default: out += [mask | 127] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
        }
        guard let key else { return out + payload }
        return out + key + payload.enumerated().map { $1 ^ key[$0 & 3] }
    }
}

/// The unmasked frames in what a link wrote.
func frames(_ bytes: [UInt8]) -> [(first: UInt8, isMasked: Bool, key: [UInt8], payload: [UInt8])] {
    var result: [(UInt8, Bool, [UInt8], [UInt8])] = []
    var rest = bytes[...]
    while rest.count >= 2 {
        let first = rest.removeFirst()
        let second = rest.removeFirst()
        var count = Int(second & 0x7F)
        if count > 125 {
            let wide = rest.prefix(count == 126 ? 2 : 8)
            rest = rest.dropFirst(wide.count)
            count = wide.reduce(0) { $0 << 8 | Int($1) }
        }
        let key = second & 0x80 == 0 ? [] : Array(rest.prefix(4))
        rest = rest.dropFirst(key.count)
        let payload = rest.prefix(count).enumerated().map { key.isEmpty ? $1 : $1 ^ key[$0 & 3] }
        rest = rest.dropFirst(count)
        result.append((first, !key.isEmpty, key, payload))
    }
    return result
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.filter { $0 != " " }.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

extension Entropy {
    /// The same bytes for the same seed.
    static func seeded(_ seed: UInt64) -> Entropy {
        let source = Source(seed)
        return Entropy { buffer in
            for index in buffer.indices {
                buffer[index] = UInt8.random(in: .min ... .max, using: &source.generator)
            }
        }
    }

    /// Used by one test on one thread.
    private final class Source: @unchecked Sendable {
        var generator: Generator

        init(_ seed: UInt64) {
            generator = Generator(seed: seed)
        }
    }
}
