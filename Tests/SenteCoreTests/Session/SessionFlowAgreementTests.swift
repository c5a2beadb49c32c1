// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("What a client and a server agree on beyond plain messages")
struct SessionFlowAgreementTests {
    @Test("a server that announces nothing hears what it heard before")
    func plain() throws {
        var session = TestSession.connectingInText()
        session.subscribe("a")
        session.greet(text: #"{"type":"welcome","conn-id":"c"}"#)
        #expect(session.sentText == [#"{"type":"subscribe","channel-id":"a"}"#])
        #expect(session.status.features == nil)
        #expect(session.status.recovery == .none)
    }

    @Test("the handshake goes before the wishes, and what holds is shown")
    func handshake() throws {
        var session = TestSession.connectingInText()
        session.subscribe("a")
        session.greet(text: ServerFeatures.sessions.welcome)
        #expect(try session.sentTypes() == ["flow-handshake", "subscribe"])
        #expect(
            session.sentText[0]
                == #"{"type":"flow-handshake","capabilities":{"batching":true,"chunking":true,"chunk-ack":true,"#
                + #""max-chunk-size":65536,"max-message-bytes":{"in":67108864,"out":67108864},"binary":true,"#
                + #""resume":{"messages":1000,"bytes":1048576}}}"#)
        #expect(session.state == .open)
        #expect(session.status.features == nil)
        session.receive(ServerFeatures.sessions.begins)
        #expect(session.status.features?.resumption?.messages == 8)
    }

    @Test("with flow off, nothing is said of it")
    func off() throws {
        var session = TestSession.connectingInText { $0.flow = .off }
        session.greet(text: ServerFeatures.sessions.welcome)
        #expect(session.sentText.isEmpty)
    }

    @Test(
        "what was not offered is not agreed to",
        arguments: [
            ("batching", "true"), ("chunking", "true"), ("streaming", "true"), ("binary", "true"),
            ("compression", #"["gzip"]"#), ("resume", #"{"window-ms":20000,"messages":8,"bytes":4000}"#),
        ])
    func surplus(feature: String, value: String) {
        // Each offers something, so that there is a handshake.
        var session = TestSession.connectingInText {
            let isBatching = feature == "batching"
            $0.flow = FlowPolicy(
                batching: isBatching ? nil : BatchPolicy(), compression: nil, chunking: nil,
                resumption: isBatching ? ResumptionPolicy() : nil)
        }
        session.greet(text: ServerFeatures.sessions.welcome)
        #expect(session.sentText.count == 1)
        session.receive(
            #"{"type":"flow-handshake-ack","features":{"\#(feature)":\#(value)},"session":"s"}"#)
        #expect(session.state == .reconnecting)
        #expect(
            session.status.lastError?.message.contains("“\(feature == "compression" ? "gzip" : feature)”")
                == true)
    }

    @Test(
        "a word that comes before the agreement ends the link",
        arguments: [#"{"type":"flow-end"}"#, #"{"type":"flow-skip"}"#, #"{"type":"flow-ack","received":0}"#])
    func early(word: String) {
        var session = TestSession.connectingInText()
        session.greet(text: ServerFeatures.sessions.welcome)
        session.receive(word)
        #expect(session.state == .reconnecting)
        #expect(session.status.lastError?.closeCode == .protocolError)
    }

    @Test(
        "what a server says of a feature and makes no sense turns that off alone, and is told",
        arguments: [
            #""batching":1"#, #""chunking":true,"max-chunk-size":63"#, #""chunking":true,"max-chunk-size":0"#,
            #""resume":{"window-ms":0,"messages":8,"bytes":4000}"#,
        ])
    func nonsense(features: String) {
        var session = TestSession.connectingInText()
        session.greet(text: ServerFeatures.sessions.welcome)
        session.receive(#"{"type":"flow-handshake-ack","features":{"binary":true,\#(features)}}"#)
        var expected = FlowFeatures()
        expected.binaryEnvelope = true
        var holding = session.status.features
        holding?.maximumChunkBytes = expected.maximumChunkBytes
        #expect(holding == expected)
        #expect(session.undecodable.count == 1)
    }

    @Test("the smallest parts that are taken have 64 bytes")
    func smallestParts() {
        var session = TestSession.connectingInText()
        session.greet(text: ServerFeatures.sessions.welcome)
        session.receive(
            #"{"type":"flow-handshake-ack","features":{"chunking":true,"max-chunk-size":64}}"#)
        #expect(session.status.features?.chunking == true)
    }

    @Test(
        "an envelope in bytes is offered where no message of the format begins like one",
        arguments: [false, true])
    func envelopes(isMine: Bool) {
        let mine = WireFormat(name: isMine ? "mine" : "gzip-edn", isBinary: true) {
            value, bytes, limits throws(WireError) in
            try WireFormat.edn.encode(value, into: &bytes, limits: limits)
        } decode: { bytes, limits throws(WireError) in
            try WireFormat.edn.decode(bytes, limits: limits)
        }
        var session = TestSession.connectingInText(DialectDetector(format: mine))
        session.report([.opened(LinkOpening())])
        session.receive(
            binary: Array(#"[:chsk/handshake ["conn-1" "tok" {:capabilities {:chunking true}} true]]"#.utf8))
        #expect(session.sentText[0].contains(":chunking true"))
        #expect(session.sentText[0].contains(":binary true") == !isMine)
    }

    @Test(
        "a server that goes on with a session nobody asked for, or gives it no name, or a book, is left",
        arguments: [
            #""session":"s","resumed":true,"received":0,"sent":0,"missed":0"#, #""resumed":false"#,
            #""session":"","resumed":false"#,
            #""session":"\#(String(repeating: "s", count: 1 << 16))","resumed":false"#,
        ])
    func wrongSession(fields: String) {
        var session = TestSession.connectingInText()
        session.greet(text: ServerFeatures.sessions.welcome)
        session.receive(
            #"{"type":"flow-handshake-ack","features":{\#(ServerFeatures.sessions.text)},\#(fields)}"#)
        #expect(session.state == .reconnecting)
        #expect(session.status.lastError?.closeCode == .protocolError)
    }

    @Test("a server that announces and never answers goes on plain, for good")
    func silent() throws {
        var session = TestSession.connectingInText()
        session.greet(text: ServerFeatures.sessions.welcome)
        session.advance(by: .seconds(5))
        #expect(session.state == .open)
        #expect(session.undecodable.count == 1)
        session.cut()
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.sessions.welcome)
        #expect(session.sentText.isEmpty)
    }

    @Test("sente-lite's vectors and Sente spell it their way")
    func vectors() throws {
        let data = "{:capabilities {:resume {:window-ms 20000 :messages 8 :bytes 4000}}}"
        let grant =
            "{:features {:resume {:window-ms 20000 :messages 8 :bytes 4000}} :session \"s\" :resumed false :received 0}"
        var lite = TestSession.connectingInText()
        lite.greet(text: "[:chsk/handshake [\"conn-1\" \"tok\" \(data) true]]")
        #expect(
            lite.sentText == [
                "[:flow/handshake {:capabilities {:batching true, :chunking true, :chunk-ack true, "
                    + ":max-chunk-size 65536, :max-message-bytes {:in 67108864, :out 67108864}, :binary true, "
                    + ":resume {:messages 1000, :bytes 1048576}}}]"
            ])
        lite.receive("[:flow/handshake-ack \(grant)]")
        #expect(lite.status.features?.resumption != nil)
        lite.receive("[:my/event 1]")
        lite.advance(by: .seconds(1))
        #expect(lite.sentText == ["[:flow/ack {:received 1}]"])

        var sente = TestSession.connectingInText()
        sente.greet(text: "[[:chsk/handshake [\"uid\" nil \(data) true]] nil]")
        let said = try Vectors.edn(try #require(sente.sentText.first))
        let callback = try #require(said[1]?.stringValue)
        #expect(said[0]?[0] == .keyword("flow/handshake"))
        sente.receive("[\(grant) \"\(callback)\"]")
        #expect(sente.status.features?.resumption != nil)
        sente.receive("[[[:my/event 1] [:my/event 2]] nil]")
        sente.advance(by: .seconds(1))
        #expect(sente.sentText == ["[[:flow/ack {:received 1}] nil]"])
        _ = sente.submit("my/question")
        sente.receive("[[:flow/ack {:received 1}] \"\(callback)\"]")
        #expect(sente.state == .open)
    }
}
