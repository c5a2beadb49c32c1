// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSignals
import SenteWire
import Testing

@Suite("What the server tells of itself")
struct ServerSignalTests {
    typealias ID = ServerSignal.ID

    /// A way to an id, and the fields that it has then.
    struct Row: CustomTestStringConvertible, Sendable {
        let id: ID
        let fields: String
        var change: @Sendable (inout ServerConfiguration) -> Void = { _ in }
        let run: @Sendable (inout TestServerSession) -> Void
        var testDescription: String { id.rawValue }

        init(
            _ id: ID, _ fields: String,
            with change: @escaping @Sendable (inout ServerConfiguration) -> Void = { _ in },
            _ run: @escaping @Sendable (inout TestServerSession) -> Void
        ) {
            self.id = id
            self.fields = fields
            self.change = change
            self.run = run
        }
    }

    static let subscribe = #"{"type":"subscribe","channel-id":"room"}"#
    static let publish = #"{"type":"publish","channel-id":"room","data":{"text":"hi"}}"#
    static let ask = #"{"type":"rpc-request","channel-id":"room","data":{"a":1},"timeout-ms":5000}"#
    static let answer = #"{"type":"rpc-response","request-id":"<r1>","data":{"b":2}}"#

    /// A connection has asked, and another may answer.
    @Sendable static func asked(_ server: inout TestServerSession) {
        server.connect(1)
        server.connect(2)
        server.receive(from: 2, subscribe)
        server.receive(from: 1, ask)
    }

    @Sendable static func beats(_ configuration: inout ServerConfiguration) {
        configuration.heartbeatInterval = .seconds(30)
        configuration.heartbeatTimeout = .seconds(40)
    }

    /// Those of the session; the others are about sockets.
    static let rows: [Row] = [
        Row(.serverStarted, "port host") { $0.command(.started(port: 3_000)) },
        Row(.serverStarted, "port host requested-port actual-port ephemeral?", with: { $0.port = 0 }) {
            $0.command(.started(port: 40_000))
        },
        Row(.serverStopping, "active-connections") { $0.command(.stop) },
        Row(.connectionAdded, "conn-id total-connections") { $0.connect(1) },
        Row(.connectionRemoved, "conn-id duration-ms message-count total-connections") {
            $0.connect(1)
            $0.handle(.closed(ConnectionID(1)))
        },
        Row(.messageReceived, "conn-id size") {
            $0.connect(1)
            $0.receive(from: 1, subscribe)
        },
        Row(.messageParsed, "conn-id type size format") {
            $0.connect(1)
            $0.receive(from: 1, subscribe)
        },
        Row(.messageRouting, "conn-id type") {
            $0.connect(1)
            $0.receive(from: 1, subscribe)
        },
        Row(.messageProcessed, "conn-id type response-type") {
            $0.connect(1)
            $0.receive(from: 1, subscribe)
        },
        Row(.messageSent, "conn-id type size format") { $0.connect(1) },
        Row(.messageSent, "conn-id channel-id type size format") {
            $0.connect(1)
            $0.receive(from: 1, subscribe)
        },
        Row(.parseFailed, "conn-id size raw-message error-type format") {
            $0.connect(1)
            $0.receive(from: 1, "{")
        },
        Row(.processFailed, "conn-id size error-type format", with: { $0.maximumMessageBytes = 10 }) {
            $0.connect(1)
            $0.receive(from: 1, subscribe)
        },
        Row(.processFailed, "conn-id error-type format", with: { $0.allowsFlood = true }) {
            $0.connect(1)
            $0.receive(from: 1, #"{"type":"flood","channel-id":"room"}"#)
        },
        Row(.sendFailed, "conn-id message-type format") {
            $0.connect(1)
            $0.command(.send(.double(.nan), to: ConnectionID(1)))
        },
        Row(.channelCreated, "channel-id config") { $0.command(.createChannel("room", nil)) },
        Row(.channelDeleted, "channel-id subscriber-count") {
            $0.command(.createChannel("room", nil))
            $0.command(.deleteChannel("room"))
        },
        Row(.subscriptionRequest, "conn-id channel-id") {
            $0.connect(1)
            $0.receive(from: 1, subscribe)
        },
        Row(.subscriptionAdded, "conn-id channel-id total-subscribers") {
            $0.connect(1)
            $0.receive(from: 1, subscribe)
        },
        Row(.subscriptionRemoved, "conn-id channel-id remaining-subscribers") {
            $0.connect(1)
            $0.receive(from: 1, subscribe)
            $0.receive(from: 1, #"{"type":"unsubscribe","channel-id":"room"}"#)
        },
        Row(
            .subscriptionRejected, "conn-id channel-id reason current max",
            with: { $0.channelDefaults.maximumSubscribers = 1 }
        ) {
            $0.connect(1)
            $0.connect(2)
            $0.receive(from: 1, subscribe)
            $0.receive(from: 2, subscribe)
        },
        Row(.subscriptionRejected, "conn-id channel-id reason", with: { $0.createsChannels = false }) {
            $0.connect(1)
            $0.receive(from: 1, subscribe)
        },
        Row(.allSubscriptionsRemoved, "conn-id channel-count") {
            $0.connect(1)
            $0.receive(from: 1, subscribe)
            $0.handle(.closed(ConnectionID(1)))
        },
        Row(
            .retainedMessagesSent, "conn-id channel-id message-count",
            with: { $0.channelDefaults.retention = 5 }
        ) {
            $0.command(.createChannel("room", nil))
            $0.command(.publish(["text": "hi"], channel: "room"))
            $0.connect(1)
            $0.receive(from: 1, subscribe)
        },
        Row(.publishStart, "channel-id") {
            $0.connect(1)
            $0.receive(from: 1, publish)
        },
        Row(
            .messagePublished, "channel-id message-id target-subscriber-count total-subscriber-count"
        ) {
            $0.command(.createChannel("room", nil))
            $0.command(.publish(["text": "hi"], channel: "room"))
        },
        Row(.publishFailed, "conn-id channel-id reason") {
            $0.connect(1)
            $0.receive(from: 1, publish)
        },
        Row(.channelBroadcastStart, "channel-id subscriber-count") {
            $0.command(.createChannel("room", nil))
            $0.command(.publish(["text": "hi"], channel: "room"))
        },
        Row(.channelBroadcastComplete, "channel-id delivered target-count") {
            $0.command(.createChannel("room", nil))
            $0.command(.publish(["text": "hi"], channel: "room"))
        },
        Row(.broadcastStart, "total-connections") { $0.command(.broadcast(["text": "hi"])) },
        Row(.broadcastComplete, "sent-count total-connections") {
            $0.command(.broadcast(["text": "hi"]))
        },
        Row(.broadcastFailed, "channel-id reason") {
            $0.command(.publish(["text": "hi"], channel: "room"))
        },
        Row(.requestSent, "request-id conn-id target-channel-id timeout-ms delivery-result", asked),
        Row(.responseSent, "request-id target-conn-id error?") {
            asked(&$0)
            $0.receive(from: 2, answer)
        },
        Row(.correlation, "request-id duration-ms error?") {
            asked(&$0)
            $0.advance(by: .milliseconds(12))
            $0.receive(from: 2, answer)
        },
        Row(.responseFailed, "request-id conn-id reason") {
            $0.connect(1)
            $0.receive(from: 1, answer)
        },
        Row(.requestExpired, "request-id conn-id age-ms") {
            asked(&$0)
            $0.advance(by: .seconds(5))
        },
        Row(.cleanupCompleted, "expired-count") {
            asked(&$0)
            $0.advance(by: .seconds(5))
        },
        Row(.heartbeatStarting, "enabled") { $0.command(.started(port: 3_000)) },
        Row(.heartbeatStarting, "enabled interval-ms", with: beats) { $0.command(.started(port: 3_000)) },
        Row(.heartbeatCheck, "total-connections timeout-ms", with: beats) {
            $0.connect(1)
            $0.advance(by: .seconds(30))
        },
        Row(.heartbeatPingSent, "conn-id", with: beats) {
            $0.connect(1)
            $0.advance(by: .seconds(30))
        },
        Row(.heartbeatTimeout, "conn-id time-since-pong-ms timeout-ms", with: beats) {
            $0.connect(1)
            $0.advance(by: .seconds(60))
        },
        Row(.closingDeadConnection, "conn-id", with: beats) {
            $0.connect(1)
            $0.advance(by: .seconds(60))
        },
        Row(.heartbeatCleanupComplete, "closed-count", with: beats) {
            $0.connect(1)
            $0.advance(by: .seconds(60))
        },
        Row(.heartbeatStopped, "", with: beats) {
            $0.connect(1)
            $0.command(.stop)
        },
        Row(.flowAgreed, "conn-id features session-resumed?", with: flow, agreed),
        Row(.flowAgreed, "conn-id features", with: flow) {
            $0.connect(1)
            $0.receive(from: 1, #"{"type":"flow-handshake","capabilities":{}}"#)
        },
        Row(.flowIgnored, "conn-id capability", with: flow) {
            $0.connect(1)
            $0.receive(from: 1, #"{"type":"flow-handshake","capabilities":{"resume":1}}"#)
        },
        Row(.flowBreached, "conn-id reason", with: flow) {
            $0.connect(1)
            $0.receive(from: 1, #"{"type":"flow-skip"}"#)
        },
        Row(.sessionParked, "conn-id kept-bytes parked-sessions", with: flow) {
            agreed(&$0)
            $0.handle(.closed(ConnectionID(1)))
        },
        Row(.sessionEnded, "conn-id", with: flow) {
            agreed(&$0)
            $0.receive(from: 1, #"{"type":"flow-end"}"#)
        },
        Row(
            .streamStarted, "conn-id stream-id stream-type channel-id total-size", with: streams, uploading),
        Row(.streamComplete, "conn-id stream-id", with: streams) {
            uploading(&$0)
            let end = #"{"type":"flow-stream-complete","message-id":"u","total-chunks":0,"total-size":0}"#
            for case .stream(_, let name, .hasParts) in $0.effects(of: .received(ConnectionID(1), .text(end)))
            {
                $0.change(name) { $0.confirm(at: $1) }
            }
        },
        Row(.streamFailed, "conn-id stream-id error-code message", with: streams) {
            uploading(&$0)
            $0.receive(
                from: 1, #"{"type":"flow-stream-error","message-id":"u","error-code":"a","message":"b"}"#)
        },
        Row(.streamFailed, "conn-id stream-id error-code message", with: streams) {
            uploading(&$0)
            $0.receive(from: 1, #"{"type":"flow-stream-cancel","message-id":"u","reason":"b"}"#)
        },
    ]

    @Sendable static func streams(_ configuration: inout ServerConfiguration) {
        configuration.flow.streaming = StreamPolicy()
    }

    /// A client asks for an upload, and somebody takes it.
    @Sendable static func uploading(_ server: inout TestServerSession) {
        server.connect(1)
        server.receive(from: 1, #"{"type":"flow-handshake","capabilities":{"streaming":true}}"#)
        let upload =
            #"{"type":"flow-stream-init","message-id":"u","stream-type":"upload","stream":1,"chunk-size":4,"total-size":0,"channel-id":"files"}"#
        for case .stream(_, let name, .offered) in server.effects(
            of: .received(ConnectionID(1), .text(upload)))
        {
            server.change(name) { $0.accept(at: $1) }
        }
    }

    @Sendable static func flow(_ configuration: inout ServerConfiguration) { configuration.flow = .all }

    @Sendable static func agreed(_ server: inout TestServerSession) {
        server.connect(1)
        server.receive(
            from: 1, #"{"type":"flow-handshake","capabilities":{"resume":{"messages":9,"bytes":9}}}"#)
    }

    /// Those that `ReferenceServerSignalTests` finds on real sockets.
    static let aboutSockets: Set<ID> = [
        .serverStarting, .serverStopped, .httpRequest, .webSocketRequest, .webSocketOpened, .webSocketClosed,
        .webSocketError,
    ]

    @Test("Each id comes of its cause, with its fields in their order", arguments: rows)
    func table(_ row: Row) throws {
        var server = TestServerSession(.maps, row.change)
        server.session.signalLevel = .trace
        row.run(&server)
        let signals = server.signals.filter { $0.id == row.id }
        #expect(!signals.isEmpty)
        let fields = signals.map { $0.data.keys.compactMap { $0.keywordValue?.text }.joined(separator: " ") }
        #expect(fields.contains(row.fields), "\(fields)")
    }

    @Test("The table has every id that is not about sockets")
    func whole() {
        #expect(Set(Self.rows.map(\.id)).union(Self.aboutSockets) == Set(ID.allCases))
    }

    @Test("Nothing is made while nobody listens, and nothing below the level that is wanted", arguments: rows)
    func level(_ row: Row) {
        var server = TestServerSession(.maps, row.change)
        row.run(&server)
        #expect(server.signals.isEmpty)
        for level in SignalLevel.named {
            var server = TestServerSession(.maps, row.change)
            server.session.signalLevel = level
            row.run(&server)
            #expect(server.signals.allSatisfy { $0.id.level >= level })
            #expect(server.signals.contains { $0.id == row.id } == (row.id.level >= level))
        }
    }

    @Test("Listening changes nothing of what the server does", arguments: rows)
    func unseen(_ row: Row) {
        func lines(_ level: SignalLevel?) -> Int {
            var server = TestServerSession(.maps, row.change)
            server.session.signalLevel = level
            row.run(&server)
            var effects = 0
            server.connect(9)
            for text in [Self.subscribe, Self.publish] {
                effects += server.receive(from: 9, text).count { !$0.hasPrefix("sente-lite.") }
            }
            return effects
        }
        #expect(lines(nil) == lines(.trace))
    }

    @Test("The documents' conversation comes out with the documents' data")
    func documents() {
        var server = TestServerSession { configuration in
            configuration.port = 3_001
            configuration.host = "localhost"
        }
        server.session.signalLevel = .info
        func last(_ id: ID) -> String? {
            server.signals.last { $0.id == id }.map { server.masked(Value.map($0.data).description) }
        }
        server.command(.started(port: 3_001))
        #expect(last(.serverStarted) == #"{:port 3001, :host "localhost"}"#)
        server.connect(1)
        #expect(last(.connectionAdded) == #"{:conn-id "<c1>", :total-connections 1}"#)
        for number in 2...10 as ClosedRange<UInt64> { server.connect(number) }
        for number in 1...10 as ClosedRange<UInt64> {
            server.receive(from: number, #"{"type":"subscribe","channel-id":"chat-room"}"#)
        }
        server.receive(
            from: 1, #"{"type":"publish","channel-id":"chat-room","data":{},"exclude-sender":true}"#)
        #expect(
            last(.messagePublished)
                == #"{:channel-id "chat-room", :message-id "msg-1", :target-subscriber-count 9, "#
                + ":total-subscriber-count 10}")
        #expect(
            last(.channelBroadcastComplete)
                == #"{:channel-id "chat-room", :delivered 9, :target-count 9}"#)
        server.receive(from: 1, #"{"type":"rpc-request","channel-id":"chat-room","data":{}}"#)
        server.receive(from: 2, Self.answer)
        #expect(
            last(.responseSent)
                == #"{:request-id "<r1>", :target-conn-id "<c1>", :error? false}"#)
    }

    @Test("In a file of text the documents' lines stand to the letter")
    func lines() {
        func line(_ milliseconds: Int64, _ signal: ServerSignal) -> String {
            let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: milliseconds)
            let line = LineFormat.text.line(of: Signal(signal, at: now))
            return String(line.reversed().drop { $0.isNewline }.reversed())
        }
        #expect(
            line(
                1_761_360_590_862,
                ServerSignal(
                    .messagePublished,
                    [
                        "channel-id": "chat-room", "message-id": "msg-1234", "target-subscriber-count": 8,
                        "total-subscriber-count": 10,
                    ]))
                    == """
                    2025-10-25T02:49:50.862Z INFO [sente-lite.channels/message-published]
                      {:channel-id "chat-room", :message-id "msg-1234",
                       :target-subscriber-count 8, :total-subscriber-count 10}
                    """)
        #expect(
            line(
                1_761_360_590_863,
                ServerSignal(
                    .channelBroadcastComplete,
                    ["channel-id": "announcements", "delivered": 25, "target-count": 25]))
                    == """
                    2025-10-25T02:49:50.863Z INFO [sente-lite.server/channel-broadcast-complete]
                      {:channel-id "announcements", :delivered 25, :target-count 25}
                    """)
        #expect(
            line(
                1_761_360_590_865,
                ServerSignal(
                    .responseSent,
                    ["request-id": "req-123", "target-conn-id": "conn-456", "error?": false]))
                    == """
                    2025-10-25T02:49:50.865Z INFO [sente-lite.channels/rpc-response-sent]
                      {:request-id "req-123", :target-conn-id "conn-456", :error? false}
                    """)
    }

    @Test("One request is followed by its id, from the question to the answer")
    func correlation() {
        var server = TestServerSession()
        server.session.signalLevel = .info
        Self.asked(&server)
        server.receive(from: 2, Self.answer)
        let request = server.signals.first { $0.id == .requestSent }?.data[Keyword("request-id")]
        #expect(request != nil)
        let followed = server.signals.filter { $0.data[Keyword("request-id")] == request }
        #expect(followed.map(\.id) == [.requestSent, .responseSent, .correlation])
    }

    @Test(
        "What a peer wrote is told to those alone who follow each message, and no more than 256 bytes of it")
    func rawMessages() {
        for (level, bytes) in [(SignalLevel.debug, nil), (.trace, 256)] as [(SignalLevel, Int?)] {
            var server = TestServerSession()
            server.session.signalLevel = level
            server.connect(1)
            server.receive(from: 1, String(repeating: "{", count: 1_000))
            let data = server.signals.last { $0.id == .parseFailed }?.data
            #expect(data?[Keyword("size")] == 1_000)
            #expect(data?[Keyword("raw-message")]?.stringValue?.utf8.count == bytes)
            #expect((data?[Keyword("raw-message")] == nil) == (bytes == nil))
        }
    }

    @Test("As telemetry takes it, a signal has its namespace, its level and its time in nanoseconds")
    func telemetry() {
        let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 1_761_360_590_862)
        let signal = Signal(
            ServerSignal(.publishFailed, ["channel-id": "room", "reason": nil]), at: now)
        #expect(signal.time == 1_761_360_590_862_000_000)
        #expect(signal.level == .warn)
        #expect(signal.kind == .event)
        #expect(signal.namespace == "sente-lite.channels")
        #expect(signal.id == "sente-lite.channels/message-publish-failed")
        #expect(signal.data == [.keyword("channel-id"): "room"])
        #expect(Signal(ServerSignal(.sendFailed, [:]), at: now).kind == .error)
    }
}
