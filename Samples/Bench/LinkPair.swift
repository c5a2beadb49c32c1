// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport

/// Both ends of one WebSocket as values, with the opening handshake done.
struct LinkPair {
    static let start = Instant(nanoseconds: 0)

    var client: Link
    var server: Link
    private var masks: MaskKeys

    /// The client's policy is what is offered; the server takes what it gets.
    init(compression policy: CompressionPolicy? = nil, entropy: Entropy = .system) throws {
        masks = MaskKeys(entropy)
        var reports: [LinkReport] = []
        client = Link(
            client: try UpgradeRequest(WebSocketURL("ws://host/")), key: HandshakeKey(entropy),
            compression: .system(policy), deadline: .distantFuture)
        server = Link(
            server: LinkLimits(), compression: .system(policy.map { _ in CompressionPolicy() }),
            at: Self.start)
        let request = Self.take(&client)
        request.withUnsafeBytes { server.receive($0, at: Self.start, masks: &masks, into: &reports) }
        _ = server.accept(at: Self.start, masks: &masks, into: &reports)
        let answer = Self.take(&server)
        answer.withUnsafeBytes { client.receive($0, at: Self.start, masks: &masks, into: &reports) }
    }

    /// The bytes of a message on their way to the server.
    mutating func fromClient(_ message: Message) -> [UInt8] {
        _ = client.send(message, at: Self.start, masks: &masks)
        return Self.take(&client)
    }

    /// The bytes of a message on their way to the client.
    mutating func fromServer(_ message: Message) -> [UInt8] {
        _ = server.send(message, at: Self.start, masks: &masks)
        return Self.take(&server)
    }

    private static func take(_ link: inout Link) -> [UInt8] {
        var taken: [UInt8] = []
        var reports: [LinkReport] = []
        link.withOutput(into: &reports) {
            taken = Array($0)
            return $0.count
        }
        return taken
    }
}
