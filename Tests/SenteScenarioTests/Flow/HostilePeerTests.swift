// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
import SenteServer
import SenteWire
import Testing

/// Rule 16: what flow keeps never exceeds its bounds, whatever the peer sends, and nothing the peer sends traps.
@Suite("Peers that keep to nothing")
struct HostilePeerTests {
    private static let seeds: UInt64 =
        ProcessInfo.processInfo.environment["SENTE_SEEDS"].flatMap { UInt64($0) } ?? 12

    private static let codes: Set<CloseCode> = [
        .protocolError, .invalidData, .policyViolation, .messageTooBig,
    ]

    // MARK: A client against a server

    private struct ClientWorld: ~Copyable {
        var words: HostileWords
        var client: ClientEngine
        var configuration = SessionConfiguration()
        var now = Moment(
            instant: Instant(nanoseconds: 1_000_000_000), wallMilliseconds: 1_700_000_000_000)
        var link: LinkID?
        /// Large values that are to be written or read.
        var works: [LargeWork] = []
        var lastCall: UInt64 = 0
        var codes: [CloseCode: Int] = [:]
        var violations: [String] = []
        var outcomes: [CallID: Result<Answer, SenteError>] = [:]
        /// The server greets as an honest one that announces nothing.
        var isHonest = false

        init(_ dialect: Dialect, _ format: WireFormat? = nil, seed: UInt64) {
            words = HostileWords(dialect, format, seed: seed)
            configuration.compressor = { _, _ in .runs }
            if seed % 2 == 1 { configuration.largeValue = 1_000 }
            configuration.flow.chunking = ChunkPolicy(size: 1_000, maximumChunks: 16)
            configuration.flow.resumption = ResumptionPolicy(maximumMessages: 10, maximumBytes: 4_000)
            configuration.outbox = OutboxPolicy(maximumMessages: 20, maximumBytes: 20_000)
            let detector = DialectDetector(compressor: .runs)
            client = ClientEngine(
                configuration: configuration,
                sizes: SizeLimits(incomingMessage: 4_096, outgoingMessage: 4_096),
                random: Generator(seed: seed)
            ) { (first, sizes) throws(SenteError) in try detector.detect(first, sizes: sizes) }
        }

        mutating func command(_ command: Command) {
            var effects: [Effect] = []
            client.handle(.command(command), at: now, into: &effects)
            perform(effects)
        }

        mutating func report(_ reports: [LinkReport]) {
            guard let link else { return }
            var effects: [Effect] = []
            client.handle(reports, of: link, at: now, into: &effects)
            perform(effects)
        }

        mutating func call() -> CallID {
            lastCall += 1
            return CallID(lastCall)
        }

        mutating func pass(_ duration: Duration) {
            now.instant = now.instant.advanced(by: duration)
            var effects: [Effect] = []
            client.handle(.timerFired, at: now, into: &effects)
            perform(effects)
        }

        private mutating func perform(_ effects: [Effect]) {
            if effects.count > 20_000 { violations.append("\(effects.count) effects in one step") }
            var wrote: [SendID] = []
            for effect in effects {
                switch effect {
                case .openLink(let id, _): link = id
                case .transmit(let id, let messages) where id == link:
                    wrote += messages.map(\.id)
                    for message in messages { learn(message.message) }
                case .closeLink(let id, let code, _) where id == link:
                    codes[code, default: 0] += 1
                    link = nil
                case .abandonLink(let id) where id == link: link = nil
                case .resolve(let call, let result): outcomes[call] = result
                case .work(let work): works.append(work)
                default: break
                }
            }
            check()
            guard !wrote.isEmpty, isHonest || words.chance(80) else { return }
            report([.wrote(wrote)])
        }

        /// The callback of the client's handshake.
        private mutating func learn(_ message: Message) {
            guard words.dialect == .sente, let value = try? words.format.decode(message.bytes),
                value[0]?[0] == .keyword("flow/handshake"), let callback = value[1]?.stringValue
            else { return }
            words.callback = callback
        }

        private mutating func check() {
            let load = client.flowLoad
            if load.unfinished.messages > 1_024 || load.unfinished.bytes > (16 << 20) + 20_000 {
                violations.append("unfinished: \(load.unfinished)")
            }
            // Two that are larger than all the others may be together count apart, and one more is being written.
            if load.kept.messages > 12 || load.kept.bytes > 2 * 4_000 + 3 * 16_000 {
                violations.append("the ledger: \(load.kept)")
            }
            if load.givenUp > load.kept.messages { violations.append("\(load.givenUp) are given up") }
            if load.held.messages > 4_097 || load.held.bytes > (1 << 20) + 16_000 {
                violations.append("held: \(load.held)")
            }
            if load.leaving.bytes > 20_000 + 2 * 16_000 { violations.append("leaving: \(load.leaving)") }
            if load.heldBytes > (16 << 20) + 16_000 { violations.append("behind: \(load.heldBytes)") }
            if let deadline = client.deadline, deadline < now.instant {
                violations.append("the deadline is over")
            }
        }

        // MARK: Steps

        private mutating func greet() {
            report([.opened(LinkOpening())])
            let isSilent = isHonest || words.chance(10)
            report([.received([words.greeting(isSilent ? nil : words.features())])])
            guard !isSilent, words.chance(85) else { return }
            let ack: [(Value, Value)] = [
                (words.name("features"), words.features()),
                (words.name("session"), words.chance(90) ? "s" : words.anything()),
                (words.name("resumed"), .bool(words.chance(40))), (words.name("received"), words.small(8)),
                (words.name("sent"), words.small(8)), (words.name("missed"), words.small(3)),
            ]
            report([.received([words.message(words.spelled("handshake-ack", ack))])])
        }

        mutating func step() {
            if !works.isEmpty, words.chance(30) { work() }
            if link != nil, client.status.state == .connecting { greet() }
            guard link != nil else { return pass(.seconds(30)) }
            switch Int.random(in: 0..<20, using: &words.random) {
            case 0..<11: report([.received([words.message()])])
            case 11..<16: send()
            case 16: report([.closed(.failed(LinkFailure(.lost, "Cut.")))])
            default: pass(.milliseconds(Int.random(in: 1...3_000, using: &words.random)))
            }
        }

        private mutating func work() {
            var effects: [Effect] = []
            client.handle(.worked(works.removeFirst().done()), at: now, into: &effects)
            perform(effects)
        }

        private mutating func send() {
            let data: Value = ["t": .string(String(repeating: "a", count: words.pick([1, 100, 3_000])))]
            let outbound: Outbound =
                words.dialect == .sente
                ? .event(Event(id: "app/x", data: data))
                : .publish(channel: words.pick(["a", "b"]), data: data, excludeSender: false)
            let options = SendOptions(priority: words.pick(SendOptions.Priority.allCases))
            command(
                .submit(call(), Submission(outbound, options: options, limit: .seconds(5), awaits: .reply)))
        }

        /// An honest server finds the client as if nothing had been.
        mutating func end() {
            isHonest = true
            report([.closed(.failed(LinkFailure(.lost, "Cut.")))])
            // What came before the end is heard first.
            while !works.isEmpty { work() }
            for _ in 0..<200 where client.status.state != .open || link == nil {
                if link != nil, client.status.state == .connecting { greet() }
                report([.closed(.failed(LinkFailure(.lost, "Cut.")))])
                pass(.seconds(5))
                if link != nil, client.status.state == .connecting { greet() }
            }
            pass(.seconds(40))
            if client.status.state != .open { violations.append("with an honest server it does not open") }
            let id = call()
            command(
                .submit(
                    id,
                    Submission(
                        .event(Event(id: "app/y", data: ["n": 1])), limit: .seconds(5), awaits: .written)))
            report([.wrote([SendID(.max)])])
            if client.outboxCount != 0 {
                violations.append("\(client.outboxCount) messages wait: \(client.flowLoad), \(client.status)")
            }
            guard case .success(.written)? = outcomes[id] else {
                return violations.append("an event is \(outcomes[id] as Any)")
            }
        }
    }

    @Test(
        "A client holds no more than it may, ends with the right codes, and serves the next server well",
        arguments: [
            (Dialect.senteLiteMaps, WireFormat.json), (.senteLiteVectors, .edn), (.sente, .edn),
            (.sente, .senteMessagePack),
        ])
    func client(_ dialect: Dialect, _ format: WireFormat) async {
        var codes: [CloseCode: Int] = [:]
        for seed in 1...Self.seeds {
            // A world takes its thread for long, and others have time limits.
            await Task.yield()
            var world = ClientWorld(dialect, format, seed: seed)
            world.command(.connect(world.call(), limit: nil))
            if dialect != .sente {
                world.command(.subscribe(world.call(), channel: "a", InboxID(1), scoped: false))
            }
            for _ in 0..<300 where world.violations.isEmpty { world.step() }
            if world.violations.isEmpty { world.end() }
            codes.merge(world.codes) { $0 + $1 }
            if let violation = world.violations.first {
                Issue.record("Seed \(seed): \(violation)")
                return
            }
        }
        print("hostile servers of \(dialect), \(format.name): \(codes)")
        guard Self.seeds >= 12 else { return }
        for code in Self.codes { #expect(codes[code, default: 0] > 0, "\(code.rawValue) never came.") }
    }

    @Test("Parts without end are put aside up to the bound, and then end the link", arguments: [true, false])
    func partsWithoutEnd(isCounted: Bool) {
        var world = ClientWorld(.senteLiteMaps, seed: 1)
        world.command(.connect(world.call(), limit: nil))
        world.report([.opened(LinkOpening())])
        var features: [(Value, Value)] = [("chunking", true), ("binary", true)]
        if isCounted { features.append(("resume", ["window-ms": 20_000, "messages": 8, "bytes": 4_000])) }
        world.report([.received([world.words.greeting(.map(ValueMap(features)))])])
        let ack: [(Value, Value)] = [
            ("features", .map(ValueMap(features))), ("session", "s"), ("resumed", false),
        ]
        world.report([.received([world.words.message(world.words.spelled("handshake-ack", ack))])])
        let body = [UInt8](repeating: 0x20, count: 15_000)
        for number in 128..<1_500 where world.link != nil {
            let name = [UInt8(number & 0x7F | 0x80), UInt8(number >> 7)]
            world.report([.received([.binary([0xC1, 2] + name + [0, 0] + body)])])
        }
        #expect(world.violations == [])
        #expect(world.codes[.messageTooBig, default: 0] == (isCounted ? 1 : 0))
        #expect(isCounted || world.client.flowLoad.unfinished.bytes > 15 << 20)
    }

    @Test("A server that says everything but whether the session goes on is left")
    func wordsBeforeTheAnswer() {
        var world = ClientWorld(.senteLiteMaps, seed: 1)
        world.command(.connect(world.call(), limit: nil))
        let features: Value = ["resume": ["window-ms": 20_000, "messages": 8, "bytes": 4_000]]
        let ack: [(Value, Value)] = [("features", features), ("session", "s"), ("resumed", false)]
        world.report([.opened(LinkOpening()), .received([world.words.greeting(features)])])
        world.report([.received([world.words.message(world.words.spelled("handshake-ack", ack))])])
        world.report([.closed(.failed(LinkFailure(.lost, "Cut.")))])
        world.pass(.seconds(5))
        world.report([.opened(LinkOpening()), .received([world.words.greeting(features)])])
        let delivery = Message.text(
            #"{"type":"channel-message","channel-id":"a","data":1,"broadcast-time":1}"#)
        for _ in 0..<5_000 where world.link != nil { world.report([.received([delivery])]) }
        #expect(world.violations == [])
        #expect(world.codes == [.protocolError: 1])
    }

    // MARK: A server against clients

    private struct ServerWorld {
        var words: HostileWords
        var server: ServerSession
        let configuration: ServerConfiguration
        var now = Moment(
            instant: Instant(nanoseconds: 1_000_000_000), wallMilliseconds: 1_700_000_000_000)
        let honest = ConnectionID(1)
        var last: UInt64 = 1
        var links: [ConnectionID] = []
        var codes: [CloseCode: Int] = [:]
        var drops = 0
        var heard = 0
        var sessions: [String] = ["s"]
        var violations: [String] = []
        var givesRoom = true
        var works: [ServerWork] = []

        init(
            _ dialect: Dialect, _ format: WireFormat? = nil, seed: UInt64, partBytes: Int = 1_000
        ) {
            words = HostileWords(dialect, format, seed: seed)
            var configuration = WireSetup(dialect, format).server
            configuration.flow = .all
            configuration.flow.chunking?.size = partBytes
            configuration.flow.chunking?.maximumMessageBytes = 16_000
            configuration.flow.resumption?.sessions = 5
            configuration.flow.resumption?.bytes = 10_000
            configuration.flow.resumption?.totalBytes = 30_000
            configuration.flow.deduplication?.ids = 50
            configuration.maximumMessageBytes = 16_000
            configuration.maximumUnwrittenBytes = 40_000
            configuration.heartbeatInterval = .seconds(600)
            if seed % 2 == 0 { configuration.largeValue = 300 }
            self.configuration = configuration
            server = ServerSession(
                configuration, seed: seed, compressors: [.gzip: .runs, .deflate: .runs])
            handle(.connected(honest, HandshakeInfo(clientID: "honest", uid: "honest")))
            if dialect != .sente { handle(.command(.createChannel("a", nil))) }
        }

        mutating func handle(_ input: ServerInput) {
            var effects: [ServerEffect] = []
            server.handle(input, at: now, into: &effects)
            if effects.count > 20_000 { violations.append("\(effects.count) effects in one step") }
            for effect in effects {
                switch effect {
                case .send(honest, _):
                    heard += 1
                    // Sente's servers close who is silent.
                    guard words.dialect == .sente else { continue }
                    handle(.received(honest, words.message([[.keyword("chsk/ws-pong")], .null])))
                case .send(_, let message): learn(message)
                case .close(let id, let code, _, _):
                    if id == honest { violations.append("the honest one is closed: \(code.rawValue)") }
                    codes[code, default: 0] += 1
                    links.removeAll { $0 == id }
                case .drop(let id):
                    if id == honest { violations.append("the honest one is dropped") }
                    drops += 1
                    links.removeAll { $0 == id }
                case .awaitRoom(let id): if givesRoom, words.chance(50) { handle(.room(id)) }
                case .work(let work): works.append(work)
                default: break
                }
            }
            check()
        }

        private mutating func learn(_ message: Message) {
            guard message.bytes.first != 0xC1, let value = try? words.format.decode(message.bytes) else {
                return
            }
            let fields = [value, value[0] ?? .null, value[1] ?? .null].compactMap(\.mapValue)
            if let name = fields.compactMap({ $0[words.name("session")]?.stringValue }).first {
                sessions.append(name)
            }
        }

        private mutating func check() {
            let load = server.flowLoad
            if load.unfinishedBytes > 16_000 + 16 << 20 { violations.append("unfinished: \(load)") }
            if load.heldBytes > 16_000 + 17 << 20 { violations.append("held: \(load)") }
            if load.keptBytes > 10_000 { violations.append("kept for a session: \(load)") }
            if load.waitingBytes > 40_000 + 2 * 17_000 { violations.append("waiting: \(load)") }
            if load.parkedSessions > 5 || load.parkedBytes > 30_000 { violations.append("parked: \(load)") }
            if load.rememberedIDs > 50 { violations.append("remembered: \(load)") }
            if let deadline = server.deadline, deadline < now.instant {
                violations.append("the deadline is over")
            }
        }

        mutating func connect(_ clientID: String? = nil) -> ConnectionID {
            last += 1
            let id = ConnectionID(last)
            links.append(id)
            let name = clientID ?? words.pick(["x", "y", ""])
            handle(.connected(id, HandshakeInfo(clientID: name, uid: words.dialect == .sente ? "u" : nil)))
            return id
        }

        mutating func shake(_ id: ConnectionID) {
            var fields: [(Value, Value)] = [(words.name("capabilities"), words.features())]
            if words.chance(40) {
                let resume = words.map([
                    "session": .string(words.pick(sessions.suffix(3))), "received": words.small(6),
                    "sent": words.small(6), "attempt": words.small(4),
                ])
                fields.append((words.name("resume"), resume))
            }
            handle(.received(id, words.message(words.spelled("handshake", fields))))
        }

        mutating func step() {
            if links.count < 3 || words.chance(3) {
                let id = connect()
                if words.chance(85) { shake(id) }
            }
            guard let id = links.randomElement(using: &words.random) else { return }
            switch Int.random(in: 0..<20, using: &words.random) {
            case 0..<11: handle(.received(id, words.message()))
            case 11..<15: publish(id)
            case 15: handle(.received(id, words.message(subscribe)))
            case 16:
                links.removeAll { $0 == id }
                handle(.closed(id))
            case 17: handle(.room(id))
            case 18 where !works.isEmpty: handle(.worked(works.removeFirst().done()))
            default:
                let time = Duration.milliseconds(Int.random(in: 1...5_000, using: &words.random))
                now.instant = now.instant.advanced(by: time)
                handle(.timerFired)
            }
        }

        var subscribe: Value {
            switch words.dialect {
            case .senteLiteMaps: ["type": "subscribe", "channel-id": "a"]
            case .senteLiteVectors:
                [.keyword("sente-lite/subscribe"), [.keyword("channel-id"): "a"]]
            case .sente, .nats: [[.keyword("app/x"), ["n": 1]], "c"]
            }
        }

        mutating func publish(_ id: ConnectionID, size: Int? = nil) {
            let text = Value.string(String(repeating: "a", count: size ?? words.pick([1, 100, 5_000])))
            let name = Value.string("m\(Int.random(in: 0..<500, using: &words.random))")
            let value: Value =
                switch words.dialect {
                case .senteLiteMaps:
                    ["type": "publish", "channel-id": "a", "data": ["t": text], "message-id": name]
                case .senteLiteVectors:
                    [
                        .keyword("sente-lite/publish"),
                        .map([
                            .keyword("channel-id"): "a", .keyword("data"): ["t": text],
                            .keyword("message-id"): name,
                        ]),
                    ]
                case .sente, .nats:
                    [[.keyword("app/x"), .map([.keyword("t"): text, .keyword("message-id"): name])], "c"]
                }
            handle(.received(id, words.message(value)))
        }

        /// Another client is served as if nothing had been.
        mutating func end() {
            let before = heard
            handle(.received(honest, words.message(subscribe)))
            if heard <= before { violations.append("the honest one is not answered") }
        }
    }

    @Test(
        "A server holds no more than it may, ends with the right codes, and serves others well meanwhile",
        arguments: [
            (Dialect.senteLiteMaps, WireFormat.json), (.senteLiteVectors, .edn), (.sente, .edn),
            (.sente, .senteMessagePack),
        ])
    func server(_ dialect: Dialect, _ format: WireFormat) async {
        var codes: [CloseCode: Int] = [:]
        for seed in 1...Self.seeds {
            // A world takes its thread for long, and others have time limits.
            await Task.yield()
            var world = ServerWorld(dialect, format, seed: seed)
            for _ in 0..<300 where world.violations.isEmpty { world.step() }
            if world.violations.isEmpty { world.end() }
            codes.merge(world.codes) { $0 + $1 }
            if let violation = world.violations.first {
                Issue.record("Seed \(seed): \(violation)")
                return
            }
        }
        print("hostile clients of \(dialect), \(format.name): \(codes)")
        guard Self.seeds >= 12 else { return }
        for code in Self.codes { #expect(codes[code, default: 0] > 0, "\(code.rawValue) never came.") }
    }

    @Test("A client that reads nothing of what goes to it in parts is dropped")
    func readsNothing() {
        var world = ServerWorld(.senteLiteMaps, seed: 1)
        world.givesRoom = false
        let id = world.connect("x")
        world.handle(
            .received(
                id,
                .text(#"{"type":"flow-handshake","capabilities":{"chunking":true,"max-chunk-size":1000}}"#)))
        world.handle(.received(id, world.words.message(world.subscribe)))
        for _ in 0..<20 { world.publish(id, size: 5_000) }
        #expect(world.violations == [])
        #expect(world.drops == 1)
    }

    @Test("Parts without end, to a server", arguments: [true, false])
    func partsWithoutEndToServer(isCounted: Bool) {
        var world = ServerWorld(.senteLiteMaps, seed: 1, partBytes: 15_000)
        let id = world.connect("x")
        let resume = isCounted ? #","resume":{"messages":8,"bytes":4000}"# : ""
        world.handle(
            .received(
                id,
                .text(
                    #"{"type":"flow-handshake","capabilities":{"chunking":true,"binary":true\#(resume)}}"#)))
        let body = [UInt8](repeating: 0x20, count: 15_000)
        for number in 128..<1_500 where !world.links.isEmpty {
            let name = [UInt8(number & 0x7F | 0x80), UInt8(number >> 7)]
            world.handle(.received(id, .binary([0xC1, 2] + name + [0, 0] + body)))
        }
        #expect(world.violations == [])
        #expect(world.codes[.messageTooBig, default: 0] == (isCounted ? 1 : 0))
        #expect(isCounted || world.server.flowLoad.unfinishedBytes > 15 << 20)
    }
}
