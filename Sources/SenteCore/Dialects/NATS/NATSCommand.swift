// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What a client says to a NATS server, one operation; whoever makes one has checked its names.
package enum NATSCommand: Hashable, Sendable {
    /// The options, once, in answer to the first INFO.
    case connect(Value)
    /// `PUB`, or `HPUB` where there is a head.
    case publish(subject: String, reply: String? = nil, head: [UInt8] = [], payload: [UInt8])
    case subscribe(subject: String, group: String? = nil, sid: UInt64)
    case unsubscribe(sid: UInt64)
    case ping
    case pong

    /// Appends its bytes.
    package func write(to bytes: inout [UInt8]) throws(WireError) {
        switch self {
        case .connect(let options):
            let json = try WireFormat.json.encode(options)
            bytes += "CONNECT ".utf8
            bytes += json
            bytes += Self.lineEnd
        case .publish(let subject, let reply, let head, let payload):
            bytes.reserveCapacity(bytes.count + subject.utf8.count + 64 + head.count + payload.count)
            bytes += head.isEmpty ? "PUB ".utf8 : "HPUB ".utf8
            bytes += subject.utf8
            if let reply {
                bytes.append(.blank)
                bytes += reply.utf8
            }
            if !head.isEmpty { bytes += " \(head.count)".utf8 }
            bytes += " \(head.count + payload.count)".utf8
            bytes += Self.lineEnd
            bytes += head
            bytes += payload
            bytes += Self.lineEnd
        case .subscribe(let subject, let group, let sid):
            bytes += "SUB \(subject)\(group.map { " \($0)" } ?? "") \(sid)\r\n".utf8
        case .unsubscribe(let sid): bytes += "UNSUB \(sid)\r\n".utf8
        case .ping: bytes += "PING\r\n".utf8
        case .pong: bytes += "PONG\r\n".utf8
        }
    }

    private static let lineEnd: [UInt8] = [.carriageReturn, .lineFeed]
}
