// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

/// A server that announces, and what clients of it do in JSON maps.
extension TestServerSession {
    static func resuming(
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        _ flow: (inout ServerConfiguration.Flow.Resumption) -> Void = { _ in }
    ) -> TestServerSession {
        TestServerSession {
            var resumption = ServerConfiguration.Flow.Resumption()
            flow(&resumption)
            $0.flow.resumption = resumption
            change(&$0)
        }
    }

    static let offer = #""capabilities":{"resume":{"messages":1000,"bytes":1048576}}"#

    /// Connects and agrees on a session; its id.
    @discardableResult
    mutating func begin(_ number: UInt64, as clientID: String = "") throws -> String {
        connect(number, HandshakeInfo(clientID: clientID))
        let answer = try values(receive(from: number, #"{"type":"flow-handshake",\#(Self.offer)}"#))
        #expect(answer[0]["resumed"] == false && answer[0]["received"] == 0)
        return try #require(answer[0]["session"]?.stringValue)
    }

    /// Connects and comes back to a session; what the server says then.
    mutating func comeBack(
        _ number: UInt64, to session: String, received: Int, sent: Int, attempt: Int = 1,
        as clientID: String = ""
    ) -> [String] {
        connect(number, HandshakeInfo(clientID: clientID))
        let resume =
            #"{"session":"\#(session)","received":\#(received),"sent":\#(sent),"attempt":\#(attempt)}"#
        return receive(from: number, #"{"type":"flow-handshake",\#(Self.offer),"resume":\#(resume)}"#)
    }

    mutating func lose(_ number: UInt64) -> [String] { handle(.closed(ConnectionID(number))) }

    /// What was sent, as values.
    func values(_ lines: [String]) throws -> [Value] {
        try lines.compactMap { line in
            guard let start = line.firstRange(of: " < ")?.upperBound else { return nil }
            return try WireFormat.json.decode(Array(line[start...].utf8))
        }
    }

    /// A question of a client, and the answer to it.
    static let list = #"{"type":"get-subscriptions"}"#
    static let listed = #"1 < {"type":"subscription-list","subscriptions":[]}"#

    /// Bytes as they are, behind a mark; so a test reads what was compressed.
    static let store = Compressor { bytes, output throws(WireError) in
        output.append(contentsOf: [0x1F])
        // As if it were smaller.
        output.append(contentsOf: bytes.prefix(bytes.count / 2))
    } decompress: { bytes, output, limit throws(WireError) in
        guard bytes.first == 0x1F else { throw WireError(.malformed, "This is not stored.") }
        guard bytes.count - 1 <= limit else { throw WireError(.tooLarge, "This is too large.") }
        output.append(contentsOf: bytes.dropFirst())
    }

    /// Whose client has agreed on all but a session, or on that too.
    static func agreed(
        binary: Bool = true, resumes: Bool = false, partBytes: Int = 100,
        _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> TestServerSession {
        var server = TestServerSession(.maps, compressors: [.gzip: store]) {
            $0.flow = .all
            if !resumes { $0.flow.resumption = nil }
            $0.flow.chunking?.maximumMessageBytes = 10_000
            change(&$0)
        }
        server.connect(1)
        let resume = resumes ? #","resume":{"messages":1000,"bytes":100000}"# : ""
        let offer =
            #""compression":["gzip","br"],"batching":true,"chunking":true,"max-chunk-size":\#(partBytes)"#
        server.receive(
            from: 1,
            #"{"type":"flow-handshake","capabilities":{\#(offer),"binary":\#(binary)\#(resume)}}"#)
        return server
    }
}
