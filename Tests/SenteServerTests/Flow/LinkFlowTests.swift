// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("What a server's link sends in parts")
struct LinkFlowTests {
    /// A client that takes parts of 1,000 bytes, and is subscribed to `a` and `b`.
    private static func opened() -> TestServerSession {
        var server = TestServerSession { $0.flow.chunking = ServerConfiguration.Flow.Chunking() }
        server.connect(1)
        server.receive(
            from: 1,
            #"{"type":"flow-handshake","capabilities":{"chunking":true,"max-chunk-size":1000}}"#)
        for channel in ["a", "b"] {
            server.receive(from: 1, #"{"type":"subscribe","channel-id":"\#(channel)"}"#)
        }
        return server
    }

    private static func publish(_ size: Int, _ channel: String, _ server: inout TestServerSession) -> [String]
    {
        server.command(.publish(["t": .string(String(repeating: "x", count: size))], channel: channel))
    }

    /// The channels of whole messages, and of parts their message's number.
    private static func names(_ lines: [String], _ server: TestServerSession) throws -> [String] {
        try server.values(lines).compactMap { value in
            if value["type"] == "flow-chunk" { return value["message-id"]?.integerValue.map { "\($0)" } }
            return value["channel-id"]?.stringValue
        }
    }

    @Test("They have turns, others go between, and what is of their channels waits behind its own only")
    func turns() throws {
        var server = Self.opened()
        var lines: [String] = []
        for (size, channel) in [(4_500, "a"), (2_500, "b"), (1, "a"), (2, "b"), (1_500, "a")] {
            lines += Self.publish(size, channel, &server)
        }
        #expect(try Self.names(lines, server).isEmpty)
        for _ in 0..<20 { lines += server.handle(.room(ConnectionID(1))) }
        #expect(
            try Self.names(lines, server)
                == ["1", "2", "1", "2", "1", "2", "b", "1", "1", "a", "3", "3"])
        // Nothing is left that would make anything wait.
        #expect(try Self.names(Self.publish(3, "a", &server), server) == ["a"])
    }

    @Test(
        "What became of a publish waits behind no delivery in parts, its own or another's, and no answer behind it"
    )
    func results() throws {
        var server = Self.opened()
        func types(_ text: String) throws -> [String?] {
            try server.values(server.receive(from: 1, text)).map { $0["type"]?.stringValue }
        }
        let text = String(repeating: "x", count: 4_500)
        #expect(
            try types(#"{"type":"publish","channel-id":"a","data":{"t":"\#(text)"}}"#) == ["publish-result"])
        #expect(
            try types(#"{"type":"publish","channel-id":"b","data":{}}"#)
                == ["channel-message", "publish-result"])
        #expect(try types(#"{"type":"get-subscriptions"}"#) == ["subscription-list"])
        // One that says who hears the channel keeps its place among what is heard.
        #expect(try types(#"{"type":"unsubscribe","channel-id":"a"}"#) == [])
        var lines: [String] = []
        for _ in 0..<20 { lines += server.handle(.room(ConnectionID(1))) }
        #expect(try server.values(lines).last?["type"] == "unsubscription-result")
    }
}
