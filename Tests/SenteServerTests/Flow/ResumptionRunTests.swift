// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

/// A client that counts, on a network that loses links, against the server: what arrives, arrives once and in order, and what
/// does not is told.
@Suite("Random runs of sessions")
struct ResumptionRunTests {
    private struct Run {
        var server: TestServerSession
        var generator: Generator
        var link: UInt64 = 0
        var isUp = false
        /// Whether the server has not noticed yet that these are gone.
        var unnoticed: [UInt64] = []
        var up: [Message] = []
        var down: [Message] = []

        var session: String?
        var received = 0
        var sent = 0
        var acknowledged = 0
        var kept: [Int] = []
        /// Whether the handshake was answered on this link.
        var isAgreed = false
        var parts: [UInt8] = []
        /// The number of the next message of the client, and the next that the server is to handle.
        var next = 0
        var handled = 0
        /// The number of the next delivery, and the next that the client may get.
        var published = 0
        var expected = 0
        var missedTold = 0
        var missedSeen = 0
        var comebacks = 0

        mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

        mutating func give(_ input: ServerInput) {
            for effect in server.effects(of: input) { take(effect) }
        }

        mutating func take(_ effect: ServerEffect) {
            switch effect {
            case .send(let id, let message): if id.number == link, isUp { down.append(message) }
            case .close(let id, _, _, _), .drop(let id):
                unnoticed.removeAll { $0 == id.number }
                if id.number == link { lose(isNoticed: true) }
            case .ask(_, let value):
                #expect(value["n"]?.integerValue == Int64(handled))
                handled += 1
            case .awaitRoom(let id): if chance(80) { give(.room(id)) } else { rooms.append(id) }
            case .work(let work): works.append(work)
            default: break
            }
        }

        var rooms: [ConnectionID] = []
        var works: [ServerWork] = []

        mutating func work() {
            if !works.isEmpty { give(.worked(works.removeFirst().done())) }
        }

        mutating func lose(isNoticed: Bool) {
            guard isUp else { return }
            isUp = false
            isAgreed = false
            up = []
            down = []
            parts = []
            if !isNoticed { unnoticed.append(link) }
        }

        mutating func open() {
            link += 1
            isUp = true
            give(.connected(ConnectionID(link), HandshakeInfo(clientID: "c")))
            let resume =
                session.map {
                    #","resume":{"session":"\#($0)","received":\#(received),"sent":\#(sent),"attempt":\#(link)}"#
                } ?? ""
            let offer =
                #""batching":true,"chunking":true,"binary":true,"max-chunk-size":150,"resume":{"messages":8,"bytes":100000}"#
            up.append(.text(#"{"type":"flow-handshake","capabilities":{\#(offer)}\#(resume)}"#))
        }

        mutating func say() {
            guard isAgreed else { return }
            kept.append(next)
            sent += 1
            up.append(Self.message(next))
            next += 1
        }

        static let subscribe = -1

        static func message(_ number: Int) -> Message {
            number == subscribe
                ? .text(#"{"type":"subscribe","channel-id":"a"}"#)
                : .text(#"{"type":"m","n":\#(number)}"#)
        }

        mutating func hear(_ message: Message) throws {
            if message.kind == .binary {
                #expect(message.bytes.prefix(2) == [0xC1, 2])
                // Number, index and size are only skipped; what they are worth is tried elsewhere.
                var rest = message.bytes[2...]
                func skipNumber() throws {
                    rest = rest[(try #require(rest.firstIndex { $0 < 0x80 }) + 1)...]
                }
                try skipNumber()
                try skipNumber()
                let flags = rest.removeFirst()
                if flags & 4 != 0 { try skipNumber() }
                parts += rest
                guard flags & 1 != 0 else { return }
                defer { parts = [] }
                return try hear(.text(String(decoding: parts, as: UTF8.self)))
            }
            try hear(try WireFormat.json.decode(message.bytes))
        }

        mutating func hear(_ value: Value) throws {
            switch value["type"]?.stringValue {
            case "flow-batch"?: for item in value["messages"]?.arrayValue ?? [] { try hear(item) }
            case "flow-ack"?: try letGo(try #require(value["received"]?.integerValue))
            case "flow-handshake-ack"?:
                isAgreed = true
                if value["resumed"] == true {
                    comebacks += 1
                    let missed = Int(try #require(value["missed"]?.integerValue))
                    received += missed
                    missedTold += missed
                    #expect(Int64(received) <= value["sent"]?.integerValue ?? -1)
                    try letGo(try #require(value["received"]?.integerValue))
                    up += kept.map { Self.message($0) }
                } else {
                    #expect(session == nil)
                    session = value["session"]?.stringValue
                    up.append(Self.message(Self.subscribe))
                    sent += 1
                    kept.append(Self.subscribe)
                }
            case "subscription-result"?: received += 1
            case "channel-message"?:
                received += 1
                let number = Int(try #require(value["data"]?["n"]?.integerValue))
                #expect(number >= expected)
                missedSeen += number - expected
                expected = number + 1
            case "welcome"?, "pong"?: break
            default: Issue.record("\(value)")
            }
        }

        mutating func letGo(_ count: Int64) throws {
            #expect(count >= Int64(acknowledged) && count <= Int64(sent))
            kept.removeFirst(Int(count) - acknowledged)
            acknowledged = Int(count)
        }

        mutating func step() throws {
            switch Int.random(in: 0..<100, using: &generator) {
            case 0..<25: say()
            case 25..<45:
                guard session != nil, received > 0 || expected > 0 else { break }
                let text = Value.string(String(repeating: "x", count: chance(20) ? 400 : 1))
                give(.command(.publish(["n": Value(published), "x": text], channel: "a")))
                published += 1
            case 45..<60:
                for _ in 0..<3 where !up.isEmpty && isUp {
                    give(.received(ConnectionID(link), up.removeFirst()))
                }
            case 60..<75: for _ in 0..<3 where !down.isEmpty { try hear(down.removeFirst()) }
            case 75..<80:
                if isAgreed { up.append(.text(#"{"type":"flow-ack","received":\#(received)}"#)) }
            case 80..<84: lose(isNoticed: chance(50))
            case 84..<90: if !isUp { open() }
            case 90..<92: work()
            case 92..<95:
                if let gone = unnoticed.popLast() { give(.closed(ConnectionID(gone))) }
            default:
                if let id = rooms.popLast() { give(.room(id)) }
                server.moveClock(
                    to: server.now.instant.advanced(
                        by: .milliseconds(Int64.random(in: 0..<400, using: &generator))))
                give(.timerFired)
            }
        }
    }

    @Test("Nothing is lost, doubled or out of order, and what was let go is told", arguments: 0..<60)
    func run(_ seed: UInt64) throws {
        var run = Run(
            server: TestServerSession(.maps) {
                $0.hasHook = true
                $0.flow = .all
                $0.flow.compression = nil
                $0.flow.resumption?.messages = 6
                if seed % 3 == 0 { $0.flow.batching?.linger = .milliseconds(20) }
                if seed % 2 == 0 { $0.flow.chunking = nil }
                if seed % 4 == 1 { $0.largeValue = 15 }
            }, generator: Generator(seed: seed))
        for _ in 0..<3_000 { try run.step() }
        // The network heals: everything comes to rest.
        for _ in 0..<50 {
            if !run.isUp { run.open() }
            while !run.up.isEmpty { run.give(.received(ConnectionID(run.link), run.up.removeFirst())) }
            while !run.works.isEmpty { run.work() }
            while let id = run.rooms.popLast() { run.give(.room(id)) }
            while !run.down.isEmpty { try run.hear(run.down.removeFirst()) }
            run.server.moveClock(to: run.server.now.instant.advanced(by: .milliseconds(1_500)))
            run.give(.timerFired)
        }
        #expect(run.handled == run.next)
        #expect(run.kept.isEmpty)
        #expect(run.missedTold == run.missedSeen + (run.published - run.expected))
        #expect(run.comebacks > 10)
        #expect(run.server.session.counters.flow.breaches == 0)
    }
}
