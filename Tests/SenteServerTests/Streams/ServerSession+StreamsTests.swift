// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("A server that takes streams, as text on the wire")
struct ServerSessionStreamsTests {
    private static let handshake =
        #"{"type":"flow-handshake","capabilities":{"streaming":true,"binary":true}}"#
    private static let upload =
        #"{"type":"flow-stream-init","message-id":"u","stream-type":"upload","stream":1,"chunk-size":4}"#
    private static let accept =
        #"1 < {"type":"flow-stream-accept","message-id":"u","next":0,"bytes":0,"until":10}"#

    private static func server(_ client: String = "me") -> TestServerSession {
        var server = TestServerSession {
            $0.flow.streaming = StreamPolicy()
            $0.flow.usesBinaryEnvelope = true
        }
        server.connect(1, HandshakeInfo(clientID: client))
        server.receive(from: 1, handshake)
        return server
    }

    /// A client asks for an upload, and somebody takes it.
    private static func take(_ server: inout TestServerSession) {
        let effects = server.effects(of: .received(ConnectionID(1), .text(Self.upload)))
        for case .stream(_, let name, .offered) in effects { server.change(name) { $0.accept(at: $1) } }
    }

    @Test("streams are announced, and agreed on with clients that have them")
    func agreement() {
        var server = TestServerSession { $0.flow.streaming = StreamPolicy() }
        #expect(
            server.connect(1) == [
                #"1 < {"type":"welcome","conn-id":"<c1>","server-time":1000,"capabilities":{"streaming":true}}"#
            ])
        #expect(
            server.receive(from: 1, Self.handshake) == [
                #"1 < {"type":"flow-handshake-ack","features":{"streaming":true}}"#,
                "1 agreed on streams",
            ])
    }

    @Test("an upload is told of, and its words are answered on the wire")
    func upload() {
        var server = Self.server()
        Self.take(&server)
        let chunk = StreamPart(index: 0, bytes: [1, 2]).binary(number: 1)
        #expect(server.receive(from: 1, Message(.binary, chunk)) == ["1 stream u"])
        #expect(
            server.receive(from: 1, #"{"type":"flow-stream-cancel","message-id":"u"}"#) == [
                #"1 stream u"#, #"1 < {"type":"flow-stream-end","message-id":"u"}"#,
            ])
    }

    @Test(
        "a word that lacks what belongs to it ends its stream; what names none, or is no chunk, ends the link"
    )
    func malformed() {
        var server = Self.server()
        server.receive(from: 1, Self.upload)
        let lines = server.receive(from: 1, #"{"type":"flow-stream-credits","message-id":"u"}"#)
        #expect(lines.contains { $0.contains(#""error-code":"protocol-error""#) })
        #expect(!lines.contains("1 close 1002"))
        #expect(server.receive(from: 1, #"{"type":"flow-stream-credits"}"#) == ["1 close 1002"])
        server = Self.server()
        #expect(server.receive(from: 1, Message(.binary, [0xC1, 3, 1])) == ["1 close 1002"])
    }

    @Test("streams that were not agreed on end the link")
    func unagreed() {
        var server = TestServerSession { $0.flow.streaming = StreamPolicy() }
        server.connect(1)
        server.receive(from: 1, #"{"type":"flow-handshake","capabilities":{}}"#)
        #expect(server.receive(from: 1, Self.upload) == ["1 close 1002"])
    }

    @Test("a client that has a name finds its streams on a later connection, and another client does not")
    func positions() {
        var server = Self.server()
        Self.take(&server)
        server.receive(from: 1, Message(.binary, StreamPart(index: 0, bytes: [1, 2]).binary(number: 1)))
        _ = server.lose(1)
        let again = Self.upload.replacing("}", with: #","again":true}"#)
        for (number, name) in [(2, "other"), (3, "me")] as [(UInt64, String)] {
            server.connect(number, HandshakeInfo(clientID: name))
            server.receive(from: number, Self.handshake)
            let lines = server.receive(from: number, again)
            #expect(lines.count == 1)
            #expect(
                lines[0].contains(
                    name == "me" ? #""next":1,"bytes":2"# : #""error-code":"unknown-stream""#))
        }
    }

    @Test("the streams of a client without a name end with its connection")
    func nameless() {
        var server = Self.server("")
        server.receive(from: 1, Self.upload)
        _ = server.lose(1)
        #expect(server.session.streamCount == 0)
    }

    @Test("only so many clients that are away have streams, and one that had none is forgotten at once")
    func bounds() {
        var server = TestServerSession {
            var policy = StreamPolicy()
            policy.parkedClients = 3
            $0.flow.streaming = policy
        }
        for number in 1...10 as ClosedRange<UInt64> {
            server.connect(number, HandshakeInfo(clientID: "client\(number)"))
            server.receive(from: number, Self.handshake)
            if number > 2 { server.receive(from: number, Self.upload) }
            _ = server.lose(number)
            #expect(server.session.streamClients <= 3)
            #expect(number > 2 || server.session.streamClients == 0)
        }
        #expect(server.session.streamCount == 3)
    }

    @Test("positions are let go of after their time, and nothing is left of a client")
    func expiry() {
        var server = Self.server()
        server.receive(from: 1, Self.upload)
        _ = server.lose(1)
        #expect(server.session.streamCount == 1)
        server.advance(by: .seconds(7_300))
        #expect(server.session.streamCount == 0)
        #expect(server.session.streamClients == 0)
    }
}
