// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

/// Tests of a server that writes and reads large values when a test says so.
protocol LargeWorkSuite {}

extension LargeWorkSuite {
    /// A value is large from 300 on, parts have 1,000 bytes; client 1 is there, and subscribed to `a` and `b`.
    static func server(
        resumes: Bool = false, acknowledges: Bool = false, size: Int = 300,
        change: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> TestServerSession {
        var server = TestServerSession(.maps, compressors: [.gzip: .bomb]) {
            $0.largeValue = size
            $0.flow.chunking = ServerConfiguration.Flow.Chunking()
            $0.flow.compression = ServerConfiguration.Flow.Compression()
            $0.flow.compression?.minimumBytes = .max
            $0.flow.usesBinaryEnvelope = true
            if resumes { $0.flow.resumption = ServerConfiguration.Flow.Resumption() }
            change(&$0)
        }
        open(1, &server, acknowledges: acknowledges)
        for channel in ["a", "b"] {
            server.receive(from: 1, #"{"type":"subscribe","channel-id":"\#(channel)"}"#)
        }
        return server
    }

    static var offer: String { offer(acknowledges: false) }

    static func offer(acknowledges: Bool) -> String {
        #""capabilities":{"chunking":true,"binary":true,"chunk-ack":\#(acknowledges),"compression":["gzip"],"max-chunk-size":1000,"resume":{"messages":1000,"bytes":1000000}}"#
    }

    @discardableResult
    static func open(
        _ number: UInt64, _ server: inout TestServerSession, as clientID: UInt64? = nil, resume: String = "",
        acknowledges: Bool = false
    ) -> [String] {
        server.connect(number, HandshakeInfo(clientID: "client \(clientID ?? number)"))
        let offer = offer(acknowledges: acknowledges)
        return server.receive(from: number, #"{"type":"flow-handshake",\#(offer)\#(resume)}"#)
    }

    /// Sends a message in one part.
    @discardableResult
    static func send(
        _ text: String, inParts part: UInt8, from number: UInt64 = 1, _ server: inout TestServerSession
    ) -> [String] {
        server.receive(from: number, .binary([0xC1, 2, part, 0, 1] + Array(text.utf8)))
    }

    static func publish(_ size: Int, _ channel: String = "none") -> String {
        #"{"type":"publish","channel-id":"\#(channel)","data":{"t":"\#(String(repeating: "x", count: size))"}}"#
    }

    static func news(_ size: Int, _ channel: String) -> ServerCommand {
        .publish(["t": .string(String(repeating: "x", count: size))], channel: channel)
    }

    static var ping: String { #"{"type":"ping"}"# }

    /// The types of what was sent to a client; parts are shown by their sizes.
    static func types(_ lines: [String], to number: UInt64 = 1, _ server: TestServerSession) throws
        -> [String]
    {
        try lines.filter { $0.hasPrefix("\(number) < ") }.map { line in
            guard line.contains(" < {") else { return "part" }
            return try server.values([line]).first?["type"]?.stringValue ?? ""
        }
    }

    /// Gives room until nothing more goes.
    static func pour(_ server: inout TestServerSession, to number: UInt64 = 1) -> [String] {
        (0..<20).flatMap { _ in server.handle(.room(ConnectionID(number))) }
    }
}

extension Compressor {
    /// Whatever is unfolded has no end.
    static let bomb = Compressor { _, _ throws(WireError) in
    } decompress: { _, _, limit throws(WireError) in
        throw WireError(.tooLarge, "It unfolds to more than \(limit) bytes.")
    }
}
