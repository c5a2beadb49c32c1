// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// The client of a server that takes streams, as text on the wire.
@Suite("A session with streams")
struct SessionStreamsTests {
    private static let resume = #""resume":{"window-ms":20000,"messages":8,"bytes":4000}"#
    private static let welcome =
        #"{"type":"welcome","conn-id":"c","capabilities":{"streaming":true,\#(resume)}}"#
    private static let opening = StreamOpening(
        kind: .upload, number: 0, channel: "reports", chunkSize: 1_024, totalSize: 3, isChecked: false)

    private static func opened(streaming: Bool = true, resumes: Bool = false) -> TestSession {
        var session = TestSession.connectingInText {
            $0.flow = .off
            $0.flow.streaming = StreamingPolicy()
            $0.flow.resumption = resumes ? ResumptionPolicy() : nil
        }
        session.greet(text: welcome)
        let held = (streaming ? [#""streaming":true"#] : []) + (resumes ? [resume] : [])
        let kept = resumes ? #","session":"s","resumed":false,"received":0"# : ""
        session.receive(
            #"{"type":"flow-handshake-ack","features":{\#(held.joined(separator: ","))}\#(kept)}"#)
        return session
    }

    private static func uploading(resumes: Bool = false) -> TestSession {
        var session = opened(resumes: resumes)
        session.stream(.open(opening, isSeekable: true, startsOver: false))
        session.receive(#"{"type":"flow-stream-accept","message-id":"u","next":0,"bytes":0,"until":10}"#)
        return session
    }

    @Test("streams are offered where the app has set a policy, and nowhere else")
    func offering() {
        var session = TestSession.connectingInText { $0.flow = .off }
        session.greet(text: Self.welcome)
        #expect(session.sentText.isEmpty)
        session = TestSession.connectingInText {
            $0.flow = .off
            $0.flow.streaming = StreamingPolicy()
        }
        session.greet(text: Self.welcome)
        #expect(session.sentText == [#"{"type":"flow-handshake","capabilities":{"streaming":true}}"#])
        #expect(Self.opened().status.features?.streaming == true)
    }

    @Test("an upload is asked for, sent and ended in words")
    func upload() {
        var session = Self.opened()
        session.stream(.open(Self.opening, isSeekable: true, startsOver: false))
        #expect(
            session.sentText == [
                #"{"type":"flow-stream-init","message-id":"u","stream-type":"upload","stream":1,"channel-id":"reports","#
                    + #""chunk-size":1024,"total-size":3,"total-chunks":1}"#
            ])
        session.receive(#"{"type":"flow-stream-accept","message-id":"u","next":0,"bytes":0,"until":10}"#)
        #expect(session.streamEffects.contains(.wantsBytes))
        session.stream(.provide([97, 98, 99], at: 0))
        #expect(
            session.sentText == [
                #"{"type":"flow-stream-chunk","message-id":"u","chunk-index":0,"data":"YWJj"}"#
            ])
        session.stream(.finish(at: 3))
        #expect(
            session.sentText == [
                #"{"type":"flow-stream-complete","message-id":"u","total-chunks":1,"total-size":3}"#
            ])
        session.receive(
            #"{"type":"flow-stream-complete","message-id":"u","chunks-received":1,"bytes-received":3,"#
                + #""duration-ms":7,"receipt":{"id":9}}"#)
        let receipt = StreamReceipt(
            end: StreamPoint(index: 1, bytes: 3), milliseconds: 7, answer: ["id": 9])
        #expect(session.streamEffects.contains(.ended(.completed(receipt))))
    }

    @Test(
        "a stream waits for a connection, and is asked for again over the next one, with a session or without"
    )
    func links() {
        for resumes in [false, true] {
            var session = Self.uploading(resumes: resumes)
            session.stream(.provide([97, 98, 99], at: 0))
            session.cut()
            #expect(session.streamEffects.contains(.changed(.initializing)))
            session.advanceToAttempt()
            session.greet(text: Self.welcome)
            session.receive(
                resumes
                    ? #"{"type":"flow-handshake-ack","features":{"streaming":true,\#(Self.resume)},"session":"s","#
                        + #""resumed":true,"received":0,"sent":0,"missed":0}"#
                    : #"{"type":"flow-handshake-ack","features":{"streaming":true}}"#)
            #expect(session.sentText.count == 1)
            #expect(session.sentText.last?.contains(#""again":true"#) == true)
            session.receive(#"{"type":"flow-stream-accept","message-id":"u","next":0,"bytes":0,"until":10}"#)
            #expect(session.sentText.last?.contains("YWJj") == true)
        }
    }

    @Test("words about streams that were not agreed on end the link, and so does one that names no stream")
    func violations() {
        for (word, streaming) in [
            (#"{"type":"flow-stream-cancel","message-id":"u"}"#, false),
            (#"{"type":"flow-stream-cancel"}"#, true),
        ] {
            var session = Self.opened(streaming: streaming)
            session.receive(word)
            #expect(session.state == .reconnecting)
        }
    }

    @Test("a word that names its stream and cannot be ends that stream, and the link stays")
    func malformed() {
        var session = Self.uploading()
        session.receive(#"{"type":"flow-stream-credits","message-id":"u","next":0,"bytes":0,"until":-1}"#)
        #expect(session.state == .open)
        #expect(session.sentText.last?.contains(#""error-code":"protocol-error""#) == true)
    }

    @Test("without a policy a stream cannot be opened, and its end says why")
    func off() {
        var session = TestSession.openedInText()
        session.stream(.open(Self.opening, isSeekable: true, startsOver: false))
        guard case .ended(.failed(let fault))? = session.streamEffects.last else {
            Issue.record("nothing is said")
            return
        }
        #expect(fault.code == .refused)
    }

    /// How a server makes clear that it takes no streams.
    enum Without: CaseIterable {
        case announcement, agreement, answer
    }

    @Test(
        "a stream that was begun before the connection ends when the server turns out to take none",
        arguments: Without.allCases)
    func none(_ without: Without) throws {
        var session = TestSession.connectingInText {
            $0.flow = .off
            $0.flow.streaming = StreamingPolicy()
        }
        session.stream(.open(Self.opening, isSeekable: true, startsOver: false))
        #expect(session.streamEffects.isEmpty)
        switch without {
        case .announcement: session.greet(text: #"{"type":"welcome","conn-id":"c"}"#)
        case .agreement:
            session.greet(text: Self.welcome)
            session.receive(#"{"type":"flow-handshake-ack","features":{}}"#)
        case .answer:
            session.greet(text: Self.welcome)
            session.advance(by: .seconds(5))
        }
        guard case .ended(.failed(let fault))? = session.streamEffects.last else {
            Issue.record("nothing is said")
            return
        }
        #expect(fault.code == .refused)
        #expect(session.state == .open)
    }

    @Test("disconnect() calls streams off")
    func disconnecting() {
        var session = Self.uploading()
        session.disconnect()
        var endings = session.streamEffects.compactMap(\.ending)
        session.endLink(.closed(code: .normal, reason: ""))
        endings += session.streamEffects.compactMap(\.ending)
        #expect(endings == [.cancelled(isRemote: false, reason: "The client was disconnected.")])
    }

    @Test("what apps say beside the bytes is counted, and goes again where the session goes on")
    func control() {
        var session = Self.uploading(resumes: true)
        session.submit(.flow(.stream("u", .control(["quality": "480p"]))), awaits: .written)
        let word = #"{"type":"flow-stream-control","message-id":"u","data":{"quality":"480p"}}"#
        #expect(session.sentText == [word])
        session.cut()
        session.advanceToAttempt()
        session.greet(text: Self.welcome)
        session.receive(
            #"{"type":"flow-handshake-ack","features":{"streaming":true,\#(Self.resume)},"session":"s","#
                + #""resumed":true,"received":0,"sent":0,"missed":0}"#)
        #expect(session.sentText.first == word)
    }

    @Test("chunks of streams and parts of messages leave in turns")
    func turns() throws {
        var session = TestSession.connectingInText {
            $0.flow = .off
            $0.flow.streaming = StreamingPolicy()
            $0.flow.chunking = ChunkPolicy(size: 1_024)
            $0.writeWindow = 1_000
        }
        let features = #"{"streaming":true,"chunking":true,"max-chunk-size":1024}"#
        session.greet(text: #"{"type":"welcome","conn-id":"c","capabilities":\#(features)}"#)
        session.receive(#"{"type":"flow-handshake-ack","features":\#(features)}"#)
        session.writesAtOnce = false
        let opening = StreamOpening(
            kind: .upload, number: 0, channel: "reports", chunkSize: 1_024, totalSize: 8_192, isChecked: false
        )
        session.stream(.open(opening, isSeekable: true, startsOver: false))
        session.receive(#"{"type":"flow-stream-accept","message-id":"u","next":0,"bytes":0,"until":10}"#)
        let text = Value.string(String(repeating: "x", count: 6_000))
        session.submit(.publish(channel: "a", data: ["t": text], excludeSender: false))
        session.stream(.provide(ArraySlice(repeating: 0, count: 8_192), at: 0))
        var types: [String?] = []
        for _ in 0..<20 {
            session.flush()
            types += try session.sentText.map {
                try WireFormat.json.decode(Array($0.utf8))["type"]?.stringValue
            }
        }
        let chunk = try #require(types.firstIndex(of: "flow-stream-chunk"))
        #expect(
            Array(types[chunk...].prefix(6))
                == [
                    "flow-stream-chunk", "flow-chunk", "flow-stream-chunk", "flow-chunk", "flow-stream-chunk",
                    "flow-chunk",
                ])
    }

    @Test("progress and signs of life wake the session")
    func time() {
        var session = Self.uploading()
        session.advance(by: .seconds(20))
        #expect(session.deadline.map { $0 > session.now.instant } == true)
    }
}

extension TestSession {
    fileprivate mutating func stream(_ command: StreamCommand) { handle(.command(.stream("u", command))) }

    /// What streams wanted done in the last step.
    fileprivate var streamEffects: [StreamEffect] {
        effects.compactMap { if case .stream(let output) = $0 { output.effect } else { nil } }
    }
}

extension StreamEffect {
    fileprivate var ending: StreamEnding? {
        if case .ended(let ending) = self { ending } else { nil }
    }
}
