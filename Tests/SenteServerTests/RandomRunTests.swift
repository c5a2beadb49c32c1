// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSignals
import SenteWire
import Testing

@Suite("Random runs of the server")
struct RandomRunTests {
    private static let channels = [#""a""#, #""b""#, "null", "7", #"{"k":[1]}"#, #""c""#]

    private func frame(_ generator: inout Generator, _ requests: [String]) -> String {
        let channel = Self.channels.randomElement(using: &generator) ?? "null"
        let id = requests.randomElement(using: &generator) ?? "none"
        let data = ["{}", "1", "null", #"{"x":{"y":[1,2]}}"#].randomElement(using: &generator) ?? "{}"
        let frames = [
            #"{"type":"subscribe","channel-id":\#(channel)}"#,
            #"{"type":"unsubscribe","channel-id":\#(channel)}"#,
            #"{"type":"publish","channel-id":\#(channel),"data":\#(data),"exclude-sender":true}"#,
            #"{"type":"publish","channel-id":\#(channel),"data":\#(data)}"#,
            #"{"type":"rpc-request","channel-id":\#(channel),"data":\#(data),"timeout-ms":1500}"#,
            #"{"type":"rpc-response","request-id":"\#(id)","data":\#(data)}"#,
            #"{"type":"ping","timestamp":1}"#,
            #"{"type":"pong"}"#, #"{"type":"pong"}"#, #"{"type":"list-channels"}"#,
            #"{"type":"get-subscriptions"}"#,
            #"{"type":"what"}"#, "{", "null",
        ]
        return frames.randomElement(using: &generator) ?? "{}"
    }

    private func faults(_ generator: inout Generator) -> Faults {
        var faults = Faults()
        faults.isSilent = Int.random(in: 0..<8, using: &generator) == 0
        faults.neverGreets = Int.random(in: 0..<8, using: &generator) == 0
        faults.deliversFlat = Bool.random(using: &generator)
        faults.sendsErrors = Bool.random(using: &generator)
        faults.forwardsNoRequests = Int.random(in: 0..<4, using: &generator) == 0
        faults.leavesTCPOpen = Bool.random(using: &generator)
        faults.delay = .milliseconds([0, 0, 300].randomElement(using: &generator) ?? 0)
        faults.replies =
            [.normal, .never, .late(.milliseconds(700)), .twice, .outOfOrder].randomElement(using: &generator)
            ?? .normal
        if Int.random(in: 0..<6, using: &generator) == 0 { (faults.ending, faults.endingAfter) = (.drop, 20) }
        return faults
    }

    @Test(
        "Whatever comes, nothing is sent to who is gone, and the tables agree with one another",
        arguments: 0..<20)
    func run(_ seed: UInt64) throws {
        var generator = Generator(seed: seed)
        var server = TestServerSession {
            $0.heartbeatInterval = .seconds(5)
            $0.heartbeatTimeout = .seconds(10)
            $0.channelDefaults.maximumSubscribers = 3
            $0.channelDefaults.retention = 2
            $0.maximumConnections = 5
            $0.tables.delayedMessages = 20
        }
        if seed % 3 == 0 { server.session.signalLevel = .trace }
        var here: Set<UInt64> = []
        var next: UInt64 = 0
        var requests: [String] = []
        for _ in 0..<1_500 {
            var input = ServerInput.timerFired
            switch Int.random(in: 0..<20, using: &generator) {
            case 0...1:
                next += 1
                here.insert(next)
                input = .connected(ConnectionID(next))
            case 2:
                guard let gone = here.sorted().randomElement(using: &generator) else { continue }
                here.remove(gone)
                input = .closed(ConnectionID(gone))
            case 3: input = .command(.setFaults(faults(&generator), for: nil))
            case 4:
                let one = here.sorted().randomElement(using: &generator).map { ConnectionID($0) }
                input = .command(.setFaults(faults(&generator), for: one))
            case 5: input = .command(.deleteChannel("a"))
            case 6: input = .command(.broadcast(["n": 1]))
            default:
                let sender = UInt64.random(in: 0...next, using: &generator)
                input = .received(ConnectionID(sender), .text(frame(&generator, requests)))
            }
            server.moveClock(
                to: server.now.instant.advanced(
                    by: .milliseconds(Int64.random(in: 0..<400, using: &generator))))
            for effect in server.effects(of: input) {
                switch effect {
                case .send(let id, let message):
                    #expect(here.contains(id.number))
                    let value = try WireFormat.json.decode(message.bytes)
                    if let request = value["request-id"]?.stringValue {
                        requests = requests.suffix(20) + [request]
                    }
                case .close(let id, _, _, _), .drop(let id): #expect(here.remove(id.number) != nil)
                case .record, .remoteSignals: break
                case .ask, .tell, .serve, .flood, .awaitRoom, .stream, .agreedOnStreams, .subscription, .work,
                    .pauseReading, .resumeReading:
                    Issue.record("\(effect)")
                }
            }
            check(server, here)
        }
    }

    private static let events = [
        "[:chsk/ws-ping]", "[:chsk/ws-pong]", "[[:chsk/ws-ping] \"p\"]", "[[:chsk/ws-pong] nil]",
        "[[:a/b 1] nil]",
        "[[:a/b {:x [1 2]}] \"cb\"]", "[[:plain] nil]", "[nil nil]", "[", "", "nil", "[:a/b]",
        "[:chsk/handshake []]",
        "[:sente-lite/subscribe {:channel-id \"a\"}]", "[:sente-lite/unsubscribe {:channel-id \"a\"}]",
        "[:sente-lite/publish {:channel-id \"a\" :data {:n 1}}]",
        "[:sente-lite/publish {:channel-id 1 :data 1}]",
    ]

    private func eventInput(_ generator: inout Generator, _ here: Set<UInt64>, _ next: inout UInt64)
        -> ServerInput
    {
        let uids: [Value] = ["u", "v", .null, [1]]
        let uid = uids.randomElement(using: &generator) ?? .null
        let one = here.sorted().randomElement(using: &generator).map { ConnectionID($0) }
        switch Int.random(in: 0..<24, using: &generator) {
        case 0...2:
            next += 1
            let client = "c\(Int.random(in: 0..<4, using: &generator))"
            return .connected(
                ConnectionID(next), HandshakeInfo(clientID: client, uid: uid.isNull ? nil : uid))
        case 3...4: return one.map { .closed($0) } ?? .timerFired
        case 5: return .command(.setFaults(eventFaults(&generator), for: nil))
        case 6...9:
            return .command(.push([.keyword("a/b"), 1], uid: uid, flushes: Bool.random(using: &generator)))
        case 10: return .command(.push([.keyword("chsk/close")], uid: uid, flushes: false))
        case 11: return .command(.broadcast([.keyword("a/all")]))
        case 12: return one.map { .command(.reply(1, callback: "cb", to: $0)) } ?? .timerFired
        case 13: return .timerFired
        default:
            let sender = UInt64.random(in: 0...next, using: &generator)
            return .received(ConnectionID(sender), .text(Self.events.randomElement(using: &generator) ?? ""))
        }
    }

    private func eventFaults(_ generator: inout Generator) -> Faults {
        var faults = faults(&generator)
        faults.reversesHeldPushes = Bool.random(using: &generator)
        faults.pushesLate = .milliseconds([0, 0, 400].randomElement(using: &generator) ?? 0)
        return faults
    }

    @Test(
        "The same holds for servers of events, and their users are who is connected or was a moment ago",
        arguments: 0..<10, [ServerConfiguration.Dialect.vectors, .sente])
    func events(_ seed: UInt64, _ dialect: ServerConfiguration.Dialect) throws {
        var generator = Generator(seed: seed)
        var server = TestServerSession(dialect) {
            $0.hasHook = seed % 2 == 0
            $0.maximumConnections = 8
            $0.tables.awayClients = 3
            $0.tables.heldMessages = 4
            if dialect == .vectors { $0.heartbeatInterval = .seconds(5) }
            $0.heartbeatTimeout = .seconds(10)
            $0.sente.keepAlive = .seconds(4)
            $0.sente.pingTimeout = .seconds(2)
        }
        if seed % 3 == 0 { server.session.signalLevel = .trace }
        var here: Set<UInt64> = []
        var next: UInt64 = 0
        var seen = 0
        for _ in 0..<800 {
            let input = eventInput(&generator, here, &next)
            if case .connected(let id, _) = input { here.insert(id.number) }
            if case .closed(let id) = input { here.remove(id.number) }
            let pause = Int64.random(in: 0..<300, using: &generator)
            server.moveClock(to: server.now.instant.advanced(by: .milliseconds(pause)))
            for effect in server.effects(of: input) {
                seen += 1
                switch effect {
                case .send(let id, let message):
                    #expect(here.contains(id.number))
                    _ = try WireFormat.edn.decode(message.bytes)
                case .close(let id, _, _, _), .drop(let id): #expect(here.remove(id.number) != nil)
                case .tell: #expect(seed % 2 == 0)
                case .record, .remoteSignals: break
                case .ask, .serve, .flood, .awaitRoom, .stream, .agreedOnStreams, .subscription, .work,
                    .pauseReading, .resumeReading:
                    Issue.record("\(effect)")
                }
            }
            let statistics = server.session.statistics(at: server.now)
            #expect(server.session.deadline.map { $0 > server.now.instant } != false)
            #expect(Set(statistics.connections.map(\.id.number)) == here)
            let uids = server.session.connectedUIDs.any
            #expect(dialect == .vectors || uids.count <= 4)
            #expect(!here.isEmpty || dialect == .sente || uids.isEmpty)
        }
        #expect(seen > 150)
        for number in here { server.handle(.closed(ConnectionID(number))) }
        server.handle(.command(.setFaults(Faults(), for: nil)))
        server.advance(by: .seconds(20))
        #expect(server.session.connectedUIDs.any.isEmpty)
        #expect(server.session.deadline == nil)
    }

    @Test(
        "Whatever the wall clock does, the same is said to the same connections at the same time",
        arguments: 0..<4, ServerConfiguration.Dialect.allCases)
    func wallClock(_ seed: UInt64, _ dialect: ServerConfiguration.Dialect) {
        func run(isSteady: Bool) -> [String] {
            var generator = Generator(seed: seed)
            var clock = Generator(seed: seed)
            var server = TestServerSession(dialect) {
                $0.heartbeatInterval = .seconds(5)
                $0.heartbeatTimeout = .seconds(10)
                $0.channelDefaults.retention = 2
                $0.sente.keepAlive = .seconds(4)
                $0.sente.pingTimeout = .seconds(2)
            }
            var next: UInt64 = 0
            var seen: [String] = []
            for _ in 0..<400 {
                seen += server.advance(by: .milliseconds(Int64.random(in: 0..<400, using: &generator)))
                if !isSteady { server.stepWallClock(by: Int64.random(in: -90_000...90_000, using: &clock)) }
                let sender = UInt64.random(in: 0...next, using: &generator)
                let input = eventInput(&generator, Set(0...next), &next)
                if case .connected(let id, let handshake) = input {
                    seen += server.connect(id.number, handshake)
                } else if dialect == .maps {
                    seen += server.receive(from: sender, frame(&generator, (1...50).map { "<r\($0)>" }))
                } else {
                    seen += server.handle(input)
                }
            }
            // Times and the ids made of them are what may differ.
            return seen.map { $0.replacing(/-?[0-9]{4,}/, with: "#") }
        }
        let (steady, wandering) = (run(isSteady: true), run(isSteady: false))
        #expect(steady.count > 100 && wandering.count == steady.count)
        let difference = zip(steady, wandering).first { $0 != $1 }
        #expect(difference?.1 == difference?.0)
    }

    private func check(_ server: TestServerSession, _ here: Set<UInt64>) {
        let statistics = server.session.statistics(at: server.now)
        #expect(server.session.deadline.map { $0 > server.now.instant } != false)
        #expect(Set(statistics.connections.map(\.id.number)) == here)
        for channel in statistics.channels {
            let subscribers = statistics.connections.filter { $0.subscriptions.contains(channel.id) }
            #expect(subscribers.count == channel.subscriberCount)
            #expect(channel.subscriberCount <= 3)
            #expect(channel.retainedCount <= 2)
        }
        #expect(statistics.connections.count <= 5)
    }

    // MARK: Words about messages

    private func word(_ generator: inout Generator, _ sessions: [String]) -> Message {
        func number() -> String {
            ["0", "1", "2", "3", "-1", "7", "9223372036854775807", "1.5", "null", #""x""#].randomElement(
                using: &generator) ?? "0"
        }
        let session = sessions.randomElement(using: &generator) ?? "none"
        if Int.random(in: 0..<4, using: &generator) == 0 {
            let count = Int.random(in: 0..<12, using: &generator)
            let bytes = (0..<count).map { _ in
                UInt8([0, 1, 2, 3, 0x7B, 0x7D, 0x80, 0xFF].randomElement(using: &generator) ?? 0)
            }
            return .binary([0xC1, UInt8.random(in: 0..<4, using: &generator)] + bytes)
        }
        let offer =
            #""batching":true,"chunking":true,"binary":true,"deduplication":true,"compression":["gzip"],"max-chunk-size":\#(number()),"resume":{"messages":\#(number()),"bytes":9000}"#
        let resume =
            #"{"session":"\#(session)","received":\#(number()),"sent":\#(number()),"attempt":\#(number())}"#
        let words = [
            #"{"type":"flow-handshake","capabilities":{\#(offer)}}"#,
            #"{"type":"flow-handshake","capabilities":{"resume":{"messages":9,"bytes":9000}}}"#,
            #"{"type":"flow-handshake","capabilities":{"resume":{"messages":9,"bytes":9000}},"resume":\#(resume)}"#,
            #"{"type":"flow-ack","received":\#(number())}"#, #"{"type":"flow-skip"}"#,
            #"{"type":"flow-end"}"#,
            #"{"type":"flow-batch","messages":[{"type":"flow-skip"},\#(number()),{"type":"subscribe","channel-id":"a"}]}"#,
            #"{"type":"flow-chunk-start","message-id":\#(number()),"total-chunks":\#(number()),"total-size":\#(number())}"#,
            #"{"type":"flow-chunk","message-id":\#(number()),"chunk-index":\#(number()),"data":"e30="}"#,
            #"{"type":"flow-chunk-end","message-id":\#(number())}"#,
            #"{"type":"flow-chunk-abort","message-id":\#(number())}"#,
            #"{"type":"flow-compressed","compression-algorithm":"gzip","data":"AA=="}"#,
            #"{"type":"publish","channel-id":"a","data":{},"message-id":"\#(number())"}"#,
            #"{"type":"subscribe","channel-id":"a"}"#,
        ]
        return .text(words.randomElement(using: &generator) ?? "{}")
    }

    @Test(
        "Whatever words come, nothing is sent to who is gone, and what is kept has its bounds",
        arguments: 0..<20)
    func words(_ seed: UInt64) throws {
        var generator = Generator(seed: seed)
        var server = TestServerSession(
            compressors: [
                .gzip: Compressor { bytes, output throws(WireError) in
                    output += bytes
                } decompress: { bytes, output, _ throws(WireError) in
                    output += bytes
                }
            ]
        ) {
            $0.heartbeatInterval = .seconds(20)
            $0.flow = .all
            $0.flow.resumption?.window = .seconds(30)
            $0.flow.resumption?.sessions = 3
            $0.flow.resumption?.totalBytes = 3_000
            $0.flow.chunking?.maximumMessageBytes = 2_000
            if seed % 2 == 0 { $0.flow.batching?.linger = .milliseconds(5) }
        }
        var here: Set<UInt64> = []
        var next: UInt64 = 0
        var sessions: [String] = []
        for _ in 0..<2_000 {
            var input = ServerInput.timerFired
            let one = here.sorted().randomElement(using: &generator).map { ConnectionID($0) }
            switch (Int.random(in: 0..<20, using: &generator), one) {
            case (0...1, _):
                next += 1
                here.insert(next)
                let client = ["", "a", "b"].randomElement(using: &generator) ?? ""
                input = .connected(ConnectionID(next), HandshakeInfo(clientID: client))
            case (2, let one?):
                here.remove(one.number)
                input = .closed(one)
            case (3, let one?): input = .room(one)
            case (4, _): input = .command(.publish(["x": 1], channel: "a"))
            case (5...17, let one?): input = .received(one, word(&generator, sessions))
            default: break
            }
            server.moveClock(
                to: server.now.instant.advanced(
                    by: .milliseconds(Int64.random(in: 0..<300, using: &generator))))
            for effect in server.effects(of: input) {
                switch effect {
                case .send(let id, let message):
                    #expect(here.contains(id.number))
                    let value = try? WireFormat.json.decode(message.bytes)
                    if let session = value?["session"]?.stringValue {
                        sessions = sessions.suffix(5) + [session]
                    }
                case .close(let id, _, _, _), .drop(let id): #expect(here.remove(id.number) != nil)
                case .awaitRoom(let id): #expect(here.contains(id.number))
                default: break
                }
            }
            let statistics = server.session.statistics(at: server.now)
            #expect(statistics.parkedSessions <= 3 && (0...3_000).contains(statistics.parkedBytes))
            #expect(Set(statistics.connections.map(\.link.number)) == here)
            #expect(server.session.deadline.map { $0 > server.now.instant } ?? true)
        }
        for number in here { server.handle(.closed(ConnectionID(number))) }
        server.advance(by: .seconds(60))
        let statistics = server.session.statistics(at: server.now)
        #expect(
            statistics.parkedSessions == 0 && statistics.parkedBytes == 0 && statistics.connections.isEmpty)
        #expect(statistics.channels.allSatisfy { $0.subscriberCount == 0 })
        #expect(server.session.deadline == nil)
    }
}
