// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport

/// One end of a connection without a socket, with the system's zlib.
final class LinkEndpoint {
    var link: Link
    var masks = MaskKeys(.system)
    var now = Instant(nanoseconds: 0)
    var reports: [LinkReport] = []

    init(_ link: Link) {
        self.link = link
    }

    /// Takes bytes, `sizes` of them at a time in turns.
    func feed(_ bytes: [UInt8], by sizes: [Int] = [.max]) {
        var rest = bytes[...]
        var turn = 0
        while !rest.isEmpty {
            let piece = Array(rest.prefix(sizes[turn % sizes.count]))
            turn += 1
            rest = rest.dropFirst(piece.count)
            piece.withUnsafeBytes { link.receive($0, at: now, masks: &masks, into: &reports) }
        }
        link.timerFired(at: now, into: &reports)
    }

    func send(_ message: Message) -> Link.WriteResult {
        link.send(message, at: now, masks: &masks)
    }

    func output() -> [UInt8] {
        var taken: [UInt8] = []
        link.withOutput(into: &reports) {
            taken = Array($0)
            return $0.count
        }
        return taken
    }

    func advance(by duration: Duration) {
        now = now.advanced(by: duration)
        link.timerFired(at: now, into: &reports)
    }

    /// The messages since the last call.
    func takeMessages() -> [Message] {
        defer { reports = [] }
        return reports.flatMap { if case .received(let messages) = $0 { messages } else { [Message]() } }
    }

    var failure: LinkFailure? {
        if case .closed(.failed(let failure)) = reports.last { failure } else { nil }
    }
}

/// Both ends of a connection that agreed on permessage-deflate.
struct DeflatedPair {
    let client: LinkEndpoint
    let server: LinkEndpoint

    init(
        _ policy: CompressionPolicy = CompressionPolicy(),
        server own: CompressionPolicy = CompressionPolicy(),
        limits: LinkLimits = LinkLimits()
    ) throws {
        let start = Instant(nanoseconds: 0)
        let request = try UpgradeRequest(WebSocketURL("ws://host/"))
        client = LinkEndpoint(
            Link(
                client: request, key: HandshakeKey(.system), limits: limits, compression: .system(policy),
                deadline: .distantFuture))
        server = LinkEndpoint(Link(server: limits, compression: .system(own), at: start))
        server.feed(client.output())
        _ = server.link.accept(at: start, masks: &server.masks, into: &server.reports)
        client.feed(server.output())
        client.reports = []
        server.reports = []
    }
}

/// An unmasked frame.
func unmaskedFrame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let count = payload.count
    if count < 126 { return [first, UInt8(count)] + payload }
    if count < 65_536 { return [first, 126, UInt8(count >> 8), UInt8(count & 255)] + payload }
    return [first, 127] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) } + payload
}
