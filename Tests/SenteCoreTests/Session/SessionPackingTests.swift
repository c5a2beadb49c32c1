// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// A client and a server that take batches, compressed messages and parts, as JSON on the wire.
@Suite("Messages that leave otherwise than plain")
struct SessionPackingTests {
    /// What a server may have announced and agreed to.
    struct Features {
        var text: String

        static let batching = Features(text: #""batching":true"#)
        static let parts = Features(text: #""chunking":true,"max-chunk-size":1000"#)
        static let binaryParts = Features(text: #""chunking":true,"max-chunk-size":1000,"binary":true"#)
        static let compression = Features(text: #""compression":["gzip"],"binary":true"#)
        static let everything = Features(
            text:
                #""batching":true,"chunking":true,"max-chunk-size":1000,"binary":true,"compression":["gzip"],"#
                + #""resume":{"window-ms":20000,"messages":100,"bytes":100000}"#)
    }

    static func opened(
        _ features: Features, _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> TestSession {
        var session = TestSession.connectingInText(DialectDetector()) {
            $0.heartbeat = nil
            $0.compressor = { _, _ in .runs }
            configure(&$0)
        }
        session.greet(text: #"{"type":"welcome","conn-id":"c","capabilities":{\#(features.text)}}"#)
        session.receive(
            #"{"type":"flow-handshake-ack","features":{\#(features.text)},"session":"s","resumed":false,"received":0}"#
        )
        return session
    }

    private static func publish(_ channel: String, _ data: Value) -> Outbound {
        .publish(channel: channel, data: ["n": data], excludeSender: false)
    }

    private static func published(_ channel: String) -> String {
        #"{"type":"publish-result","channel-id":"\#(channel)","success":true,"message-id":"m","delivered-to":1}"#
    }

    private static func submissions(_ session: inout TestSession, _ outbounds: [Outbound]) -> [(
        CallID, Input
    )] {
        outbounds.map { outbound in
            let call = session.newCall()
            return (call, .command(.submit(call, Submission(outbound, limit: .seconds(10), awaits: .reply))))
        }
    }

    /// A text of so many bytes that no run makes smaller.
    private static func text(_ count: Int) -> Value {
        .string(String(decoding: (0..<count).map { UInt8(97 + $0 % 7) }, as: UTF8.self))
    }

    /// What the server makes of what was sent: each message with its type, those in parts as one.
    private static func read(_ messages: [Message]) throws -> [Value] {
        var reassembly = Reassembly(limits: .init(messageBytes: 10_000_000))
        let unfolding = Unfolding(format: .json, limit: 10_000_000) { _ in .runs }
        let now = Instant(nanoseconds: 0)
        return try messages.flatMap { message throws -> [Value] in
            var arrival: Reassembly.Arrival?
            if message.kind == .binary {
                switch try Envelope.read(binary: message.bytes) {
                case .compressed(let algorithm, let bytes)?:
                    arrival = .whole(Assembled(bytes: bytes, algorithm: algorithm))
                case .part(let part)?: arrival = try reassembly.add(part, isBinary: true, at: now)
                default: Issue.record("No envelope.")
                }
            } else {
                let value = try WireFormat.json.decode(message.bytes)
                let type = value["type"]?.stringValue ?? ""
                let word = FlowWord(rawValue: String(type.dropFirst(5)))
                guard type.hasPrefix("flow-"), let word,
                    let envelope = try Envelope.read(word: word, fields: value.mapValue ?? [:])
                else { return [value] }
                switch envelope {
                case .compressed(let algorithm, let bytes):
                    arrival = .whole(Assembled(bytes: bytes, algorithm: algorithm))
                case .start(let start): arrival = try reassembly.start(start, at: now)
                case .part(let part): arrival = try reassembly.add(part, isBinary: false, at: now)
                case .end(let number): arrival = try reassembly.end(number, at: now)
                case .abort(let number): reassembly.abort(number)
                }
            }
            guard case .whole(let assembled)? = arrival else { return [] }
            return [try WireFormat.json.decode(unfolding.message(of: assembled).bytes)]
        }
    }

    private static func channels(_ values: [Value]) -> [String] {
        values.map { $0["channel-id"]?.stringValue ?? $0["type"]?.stringValue ?? "" }
    }

    // MARK: Together

    @Test("What the app says in one turn goes in batches, in order, and each call has its answer")
    func burst() throws {
        var session = Self.opened(.batching)
        let names = (0..<12).map { "c\($0)" }
        let calls = Self.submissions(&session, names.map { Self.publish($0, 1) })
        session.turn(calls.map(\.1))
        let values = try Self.read(session.sentMessages)
        #expect(Self.channels(values) == ["flow-batch", "flow-batch"])
        #expect(values.flatMap { Self.channels($0["messages"]?.arrayValue ?? []) } == names)
        #expect(
            values[1]["messages"]?[0] == ["type": "publish", "channel-id": "c10", "data": ["n": 1]])
        for (name, call) in zip(names, calls) {
            session.receive(Self.published(name))
            #expect(session.answer(to: call.0) != nil)
        }
        let metrics = session.reading.metrics(at: session.now.instant).batching
        #expect(metrics == .init(batches: 2, messages: 12, reasons: ["count": 1, "idle": 1]))
    }

    @Test("A lone message goes plain, and at once")
    func lone() throws {
        var session = Self.opened(.batching)
        session.submit(Self.publish("a", 1))
        #expect(Self.channels(try Self.read(session.sentMessages)) == ["a"])
        let call = Self.submissions(&session, [Self.publish("b", 1)])
        session.turn(call.map(\.1))
        #expect(Self.channels(try Self.read(session.sentMessages)) == ["b"])
    }

    @Test("With a server that takes no batches, none goes")
    func notAgreed() throws {
        var session = Self.opened(.parts)
        session.turn(Self.submissions(&session, [Self.publish("a", 1), Self.publish("b", 1)]).map(\.1))
        #expect(Self.channels(try Self.read(session.sentMessages)) == ["a", "b"])
    }

    @Test("A message that the format cannot say is not sent, and those beside it are")
    func unencodable() throws {
        var session = Self.opened(.batching)
        let calls = Self.submissions(
            &session, [Self.publish("a", 1), Self.publish("b", .double(.nan)), Self.publish("c", 1)])
        session.turn(calls.map(\.1))
        #expect(Self.channels(try Self.read(session.sentMessages)) == ["a", "c"])
        #expect(session.error(of: calls[1].0)?.outcome == .notSent)
        #expect(session.isPending(calls[0].0) && session.isPending(calls[2].0))
    }

    @Test("A wish that is dropped in the same turn is told behind what was published before it")
    func order() throws {
        var session = Self.opened(.batching)
        session.subscribe("a")
        session.confirm(text: "a")
        let calls = Self.submissions(&session, [Self.publish("a", 1), Self.publish("b", 1)])
        let unsubscribe = Input.command(.unsubscribe(session.newCall(), channel: "a"))
        session.turn(calls.map(\.1) + [unsubscribe])
        let values = try Self.read(session.sentMessages)
        #expect(values.map { $0["type"]?.stringValue } == ["flow-batch", "unsubscribe"])
    }

    @Test("With a linger, a message waits for company, and a cancelled one does not leave")
    func linger() throws {
        var session = Self.opened(.batching) {
            $0.flow.batching = BatchPolicy(linger: .milliseconds(10), flushesOnIdle: false)
        }
        session.submit(Self.publish("a", 1))
        let cancelled = session.submit(Self.publish("b", 1))
        #expect(session.sentMessages.isEmpty)
        session.cancel(cancelled)
        #expect(session.error(of: cancelled)?.outcome == .notSent)
        session.advance(by: .milliseconds(4))
        session.submit(Self.publish("c", 1))
        #expect(session.sentMessages.isEmpty)
        session.advance(by: .milliseconds(6))
        let values = try Self.read(session.sentMessages)
        #expect(values.flatMap { Self.channels($0["messages"]?.arrayValue ?? []) } == ["a", "c"])
    }

    @Test("A call whose time is almost up waits for no company")
    func hurried() throws {
        var session = Self.opened(.batching) {
            $0.flow.batching = BatchPolicy(linger: .milliseconds(10), flushesOnIdle: false)
        }
        session.submit(Self.publish("a", 1), limit: .milliseconds(100))
        #expect(session.sentMessages.isEmpty)
        session.submit(Self.publish("b", 1), limit: .milliseconds(99))
        #expect(Self.channels(try Self.read(session.sentMessages)) == ["a", "b"])
    }

    @Test("What waits for company when the link is lost leaves over the next one")
    func lingerLost() throws {
        var session = Self.opened(.batching) {
            $0.flow.batching = BatchPolicy(linger: .milliseconds(10), flushesOnIdle: false)
        }
        let call = session.submit(Self.publish("a", 1))
        session.cut()
        #expect(session.isPending(call))
        session.advanceToAttempt()
        session.greet(text: #"{"type":"welcome","conn-id":"c"}"#)
        #expect(Self.channels(try Self.read(session.sentMessages)) == ["a"])
    }

    @Test("When the app disconnects, what waits for company goes first")
    func lingerDisconnect() throws {
        var session = Self.opened(.batching) {
            $0.flow.batching = BatchPolicy(linger: .milliseconds(10), flushesOnIdle: false)
        }
        session.submit(Self.publish("a", 1))
        session.disconnect()
        #expect(Self.channels(try Self.read(session.sentMessages)) == ["a"])
    }

    // MARK: Compressed

    @Test("What compresses goes compressed, and what does not goes plain")
    func compressed() throws {
        var session = Self.opened(.compression)
        session.submit(Self.publish("a", .string(String(repeating: "a", count: 2_000))))
        #expect(session.sentMessages.map(\.kind) == [.binary])
        #expect(session.sentMessages[0].bytes.count < 200)
        #expect(Self.channels(try Self.read(session.sentMessages)) == ["a"])
        session.submit(Self.publish("b", Self.text(2_000)))
        #expect(session.sentMessages.map(\.kind) == [.text])
        let metrics = session.reading.metrics(at: session.now.instant).compression
        #expect(metrics.messages == 1)
        #expect(metrics.bytesBefore > 2_000 && metrics.bytesAfter < 200)
        #expect(metrics.skippedIncompressible == 1)
    }

    @Test("What the app's predicate skips is not even tried")
    func skips() throws {
        var session = Self.opened(.compression) {
            $0.flow.compression?.skips = { name, _ in name == "a" }
        }
        for name in ["a", "b"] {
            session.submit(Self.publish(name, .string(String(repeating: "a", count: 2_000))))
            #expect(session.sentMessages.map(\.kind) == [name == "a" ? .text : .binary])
        }
    }

    @Test("A link that compresses by itself is offered no compression of messages, unless the app wants both")
    func deflated() {
        for isUsed in [false, true] {
            var session = TestSession.connectingInText(DialectDetector()) {
                $0.compressor = { _, _ in .runs }
                $0.flow.compression?.isUsedBesideDeflate = isUsed
            }
            session.report([.opened(LinkOpening(isDeflated: true))])
            session.receive(
                #"{"type":"welcome","conn-id":"c","capabilities":{"compression":["gzip"],"batching":true}}"#)
            #expect(session.sentText[0].contains("gzip") == isUsed)
        }
    }

    @Test("A fixed level is that of what compresses")
    func fixed() {
        var session = Self.opened(.compression) {
            $0.flow.compression?.level = .fixed(9)
            // Offered is what there is at the usual level.
            $0.compressor = { _, level in level == nil || level == 9 ? .runs : nil }
        }
        session.submit(Self.publish("a", .string(String(repeating: "a", count: 2_000))))
        #expect(session.sentMessages.map(\.kind) == [.binary])
    }

    @Test("An adaptive level follows the round trip, and the losses that the link tells of")
    func adaptive() throws {
        var session = Self.opened(.compression) {
            $0.flow.compression?.level = .adaptive
            // Offered is what there is at the usual level.
            $0.compressor = { _, level in level == 6 ? nil : .runs }
        }
        for (loss, kind) in [(nil, Message.Kind.binary), (0.1, .binary), (0.02, .text)] {
            let call = session.newCall()
            session.handle(.command(.ping(call)))
            let stamp = try #require(Self.read(session.sentMessages).last?["timestamp"]?.integerValue)
            session.advance(by: .seconds(1))
            session.receive(#"{"type":"pong","original-timestamp":\#(stamp),"timestamp":1}"#)
            #expect(session.effects.contains(.measureLoss(session.link)))
            if let loss { session.handle(.measured(session.link, loss: loss)) }
            session.handle(.measured(LinkID(99), loss: 1))
            session.submit(Self.publish("a", .string(String(repeating: "a", count: 2_000))))
            #expect(session.sentMessages.map(\.kind) == [kind])
        }
    }

    // MARK: In parts

    @Test("A large message goes in parts, in either spelling, and is answered", arguments: [false, true])
    func parts(isBinary: Bool) throws {
        var session = Self.opened(isBinary ? .binaryParts : .parts)
        let call = session.submit(Self.publish("a", Self.text(10_000)))
        #expect(session.sentMessages.count >= 11)
        #expect(
            session.sentMessages.allSatisfy { ($0.kind == .binary) == isBinary && $0.bytes.count < 1_500 })
        let values = try Self.read(session.sentMessages)
        #expect(values == [["type": "publish", "channel-id": "a", "data": ["n": Self.text(10_000)]]])
        session.receive(Self.published("a"))
        #expect(session.answer(to: call) != nil)
        #expect(session.reading.metrics(at: session.now.instant).chunking.messages == 1)
    }

    @Test("What compresses is compressed before it is cut")
    func compressedParts() throws {
        var session = Self.opened(.everything)
        let data = Value.string(String(repeating: String(repeating: "a", count: 50) + "b", count: 2_000))
        session.submit(Self.publish("a", data))
        #expect(session.sentMessages.reduce(0) { $0 + $1.bytes.count } < 12_000)
        #expect(try Self.read(session.sentMessages).map { $0["data"]?["n"] } == [data])
    }

    @Test("Others pass a message in parts, those of its channel wait behind it, and both arrive")
    func interleaving() throws {
        var session = Self.opened(.binaryParts) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        var sent: [Message] = []
        session.submit(Self.publish("a", Self.text(5_000)))
        sent += session.sentMessages
        session.submit(Self.publish("a", 2))
        session.submit(Self.publish("b", 3))
        session.submit(Self.publish("a", Self.text(3_000)))
        session.submit(Self.publish("b", 5))
        #expect(session.sentMessages.isEmpty)
        for _ in 0..<40 {
            session.flush()
            sent += session.sentMessages
        }
        let values = try Self.read(sent)
        #expect(values.map { $0["data"]?["n"] } == [3, 5, Self.text(5_000), 2, Self.text(3_000)])
    }

    @Test(
        "An urgent one passes a less urgent message in parts, on its channel too, and others pass what waits there"
    )
    func urgency() throws {
        var session = Self.opened(.binaryParts) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        session.submit(Self.publish("a", Self.text(5_000)))
        var sent = session.sentMessages
        for number in 2...3 { session.submit(Self.publish("a", .integer(Int64(number)))) }
        session.flush()
        sent += session.sentMessages
        session.submit(Self.publish("b", 4))
        session.submit(Self.publish("a", 5), SendOptions(priority: .urgent))
        for _ in 0..<40 {
            session.flush()
            sent += session.sentMessages
        }
        let values = try Self.read(sent)
        #expect(values.map { $0["data"]?["n"] } == [5, 4, Self.text(5_000), 2, 3])
    }

    @Test("What waited behind a message in parts leaves under the window, as anything does")
    func window() throws {
        var session = Self.opened(.binaryParts) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        session.submit(Self.publish("a", Self.text(1_500)))
        for number in 2...40 { session.submit(Self.publish("a", .integer(Int64(number)))) }
        for _ in 0..<40 {
            session.flush()
            #expect(session.sentMessages.reduce(0) { $0 + $1.bytes.count } < 2_100)
        }
        #expect(session.engine.outboxCount == 0)
    }

    @Test("Said in one turn, a message in parts is not overtaken on its channel either")
    func orderInOneTurn() throws {
        var session = Self.opened(.everything)
        let messages = [1, Self.text(1_500), 3, Self.text(1_600), 5].map { Self.publish("a", $0) }
        session.turn(Self.submissions(&session, messages).map(\.1))
        let values = try Self.read(session.sentMessages).flatMap { $0["messages"]?.arrayValue ?? [$0] }
        #expect(values.map { $0["data"]?["n"] } == [1, Self.text(1_500), 3, Self.text(1_600), 5])
    }

    @Test(
        "What was gathered when a message before it turned out to go in parts does not overtake it in company"
    )
    func orderOfGathered() throws {
        var session = Self.opened(.everything) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        session.submit(Self.publish("b", Self.text(950)))
        var sent = session.sentMessages
        // The third would make the batch of the first two too large, and waits for company.
        for size in [1_900, 1_800, 500] { session.submit(Self.publish("a", Self.text(size))) }
        session.submit(Self.publish("b", 5))
        #expect(session.sentMessages.isEmpty)
        for _ in 0..<20 {
            session.flush()
            sent += session.sentMessages
        }
        let values = try Self.read(sent).flatMap { $0["messages"]?.arrayValue ?? [$0] }
        #expect(
            values.map { $0["data"]?["n"] }
                == [Self.text(950), 5, Self.text(1_900), Self.text(1_800), Self.text(500)])
    }

    @Test("Two messages in parts move in turns, and a small one beside them moves too")
    func turns() throws {
        var session = Self.opened(.binaryParts) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        var sent: [Message] = []
        for name in ["a", "b"] {
            session.submit(Self.publish(name, Self.text(4_000)))
            sent += session.sentMessages
        }
        for _ in 0..<20 {
            session.flush()
            sent += session.sentMessages
        }
        let numbers = try sent.compactMap { message -> UInt64? in
            if case .part(let part)? = try Envelope.read(binary: message.bytes) { part.number } else { nil }
        }
        #expect(numbers.prefix(8) == [1, 1, 2, 1, 2, 1, 2, 1])
        #expect(Self.channels(try Self.read(sent)) == ["a", "b"])
    }

    @Test("Beside others that never end a part goes with every 64 KiB of them")
    func bulkTurns() throws {
        var session = Self.opened(.binaryParts) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        session.submit(Self.publish("a", Self.text(8_000)))
        for _ in 0..<150 { session.submit(Self.publish("b", Self.text(940))) }
        var sent: [Message] = []
        while session.engine.outboxCount > 1 {
            session.flush()
            sent += session.sentMessages
        }
        let others = sent.prefix { $0.kind == .binary }.count
        let parts = sent.indices.filter { sent[$0].kind == .binary }
        #expect(others == 0)
        #expect(parts.count == 2)
        let between = try #require(parts.last) - (try #require(parts.first)) - 1
        #expect((60...75).contains(between))
    }

    @Test("A call that gives up on a message in parts stops the rest, and its outcome is not sent")
    func abort() throws {
        var session = Self.opened(.binaryParts) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        let call = session.submit(Self.publish("a", Self.text(4_000)))
        #expect(session.sentMessages.count == 1)
        session.cancel(call)
        #expect(session.sentText == [#"{"type":"flow-chunk-abort","message-id":1}"#])
        #expect(session.error(of: call)?.outcome == .notSent)
        session.flush()
        #expect(session.sentMessages.isEmpty)
    }

    @Test(
        "A message of which not all parts left goes again over the next link, whole",
        arguments: [false, true])
    func lostParts(resumes: Bool) throws {
        var session = Self.opened(resumes ? .everything : .binaryParts) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        let call = session.submit(Self.publish("a", Self.text(4_000)))
        session.submit(Self.publish("a", 2))
        session.cut()
        #expect(session.isPending(call))
        session.advanceToAttempt()
        session.writesAtOnce = true
        let features = (resumes ? Features.everything : .binaryParts).text
        session.greet(text: #"{"type":"welcome","conn-id":"c","capabilities":{\#(features)}}"#)
        // A fresh session goes plain until the server's word.
        let plain = session.sentMessages.dropFirst()
        session.receive(
            #"{"type":"flow-handshake-ack","features":{\#(features)},"session":"s","resumed":\#(resumes),"#
                + #""received":0,"sent":0,"missed":0}"#)
        if resumes { #expect(session.status.recovery == .resumed(missed: 0)) }
        #expect(plain.isEmpty == resumes)
        let values = try Self.read(plain + session.sentMessages)
        #expect(values.map { $0["data"]?["n"] } == [Self.text(4_000), 2])
        session.receive(Self.published("a"))
        #expect(session.answer(to: call) != nil)
    }

    @Test("A message that is too large to go plain waits until the server has agreed to parts")
    func awaitsParts() throws {
        let features = #""chunking":true,"max-chunk-size":4000"#
        var session = TestSession.connectingInText()
        session.greet(text: #"{"type":"welcome","conn-id":"c","capabilities":{\#(features)}}"#)
        let call = session.submit(Self.publish("a", Self.text(1_200_000)))
        #expect(session.isPending(call))
        #expect(session.sentMessages.isEmpty)
        session.receive(#"{"type":"flow-handshake-ack","features":{\#(features)}}"#)
        #expect(session.sentMessages.count > 300)
        #expect(session.isPending(call))
    }

    @Test(
        "A server that announces parts and does not answer has a message that is too large for anything else refused"
    )
    func noAnswer() {
        var session = TestSession.connectingInText()
        session.greet(text: #"{"type":"welcome","conn-id":"c","capabilities":{\#(Features.parts.text)}}"#)
        let call = session.submit(Self.publish("a", Self.text(1_200_000)))
        session.advance(by: .seconds(5))
        #expect(session.error(of: call)?.code == .messageTooLarge)
    }

    @Test("A message in parts that the server has not goes again in parts, when the session goes on")
    func partsAgain() throws {
        var session = Self.opened(.everything)
        let call = session.submit(Self.publish("a", Self.text(4_000)))
        session.cut()
        session.advanceToAttempt()
        session.greet(
            text: #"{"type":"welcome","conn-id":"c","capabilities":{\#(Features.everything.text)}}"#)
        session.receive(
            #"{"type":"flow-handshake-ack","features":{\#(Features.everything.text)},"session":"s","#
                + #""resumed":true,"received":0,"sent":0,"missed":0}"#)
        #expect(try Self.read(session.sentMessages).map { $0["data"]?["n"] } == [Self.text(4_000)])
        session.receive(Self.published("a"))
        #expect(session.answer(to: call) != nil)
    }

    @Test("Every part that left is counted, those of a message that stopped too")
    func countsParts() {
        var session = Self.opened(.binaryParts) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        let call = session.submit(Self.publish("a", Self.text(4_000)))
        let sent = session.sentMessages.count
        #expect(sent > 0)
        session.cancel(call)
        #expect(session.metrics.chunking.chunksSent == sent)
        #expect(session.metrics.chunking.messages == 0)
        session.writesAtOnce = true
        session.flush()
        session.submit(Self.publish("b", Self.text(4_000)))
        #expect(session.metrics.chunking.chunksSent == sent + 5)
        #expect(session.metrics.chunking.messages == 1)
    }

    @Test("How long messages waited for company is told where some may wait, and nowhere else")
    func tellsWaits() {
        var session = Self.opened(.batching) {
            $0.flow.batching = BatchPolicy(linger: .milliseconds(10), flushesOnIdle: false)
        }
        session.submit(Self.publish("a", 1))
        session.advance(by: .milliseconds(4))
        session.submit(Self.publish("a", 2))
        session.advance(by: .milliseconds(6))
        #expect(session.metrics.batching.waits == [.milliseconds(10)])
        var other = Self.opened(.batching)
        other.submit(Self.publish("a", 1))
        #expect(other.metrics.batching.lingerAdded == nil)
    }

    @Test("A client that wants nothing but compression says so")
    func compressionAlone() {
        let session = Self.opened(.compression) {
            $0.flow = FlowPolicy(batching: nil, chunking: nil, resumption: nil)
        }
        #expect(session.status.features?.compression == [.gzip])
    }

    @Test("How long compressing took is told by the clock that was given, in vain too")
    func tellsTime() {
        let clock = StepClock()
        var session = Self.opened(.compression) { $0.stopwatch = { clock.next() } }
        session.submit(Self.publish("a", .string(String(repeating: "x", count: 2_000))))
        session.submit(Self.publish("a", Self.text(2_000)))
        session.submit(Self.publish("a", 1))
        let compression = session.metrics.compression
        #expect(compression.time == .milliseconds(2))
        #expect((compression.messages, compression.skippedIncompressible) == (1, 1))
    }

    /// Each reading is a millisecond later than the one before.
    private final class StepClock: @unchecked Sendable {
        private var readings: Int64 = 0

        func next() -> Instant {
            readings += 1
            return Instant(nanoseconds: readings * 1_000_000)
        }
    }

    @Test("A message larger than may go is refused, and the limit is that of parts")
    func tooLarge() throws {
        var session = Self.opened(.binaryParts) {
            $0.flow.chunking = ChunkPolicy(size: 1_000, maximumChunks: 2_000)
        }
        let fits = session.submit(Self.publish("a", Self.text(1_500_000)))
        #expect(session.isPending(fits))
        let large = session.submit(Self.publish("b", Self.text(2_000_001)))
        #expect(session.error(of: large)?.code == .messageTooLarge)
    }
}
