// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: large data")
struct SessionLargeDataTests {
    private static let large: Value = ["text": .string(String(repeating: "x", count: 1_000))]

    private static func reference(_ name: String, size: Int = 1_000) -> LargeDataReference {
        LargeDataReference(
            storage: "s", reference: name, size: size, sha256: [UInt8](repeating: 1, count: 32), metadata: [:]
        )
    }

    private static func configure(_ configuration: inout SessionConfiguration) {
        configuration.largeData = LargeDataSettings(
            referenceFrom: 500, maximumBytes: 4_000, isAutomatic: true)
    }

    private static func opened(
        _ change: (inout SessionConfiguration) -> Void = { _ in }
    ) -> TestSession {
        .opened(.senteLiteMaps) {
            configure(&$0)
            change(&$0)
        }
    }

    private static func publish(_ channel: String, _ data: Value) -> Outbound {
        .publish(channel: channel, data: data, excludeSender: false)
    }

    private static func lost(_ text: String = "It is away.") -> StorageOutcome {
        .failed(SenteError(code: .storageFailed, message: text))
    }

    // MARK: Out

    @Test("without a storage nothing differs")
    func off() {
        var session = TestSession.opened()
        session.submit(Self.publish("a", Self.large))
        #expect(session.sent == [Self.publish("a", Self.large)])
    }

    @Test("publishes, requests and events go as references once their data is stored; the small go at once")
    func kinds() {
        for (index, make) in [
            { Self.publish("a", $0) }, { .request(channel: "a", data: $0, limit: 1_000) },
            { .event(Event(id: "a/b", data: $0)) },
        ].enumerated() as EnumeratedSequence<[(Value) -> Outbound]> {
            var session = Self.opened()
            let small: Value = ["n": 1]
            session.submit(make(small), awaits: index == 2 ? .written : .reply)
            #expect(session.sent == [make(small)])
            let call = session.submit(make(Self.large), awaits: index == 2 ? .written : .reply)
            #expect(session.sent.isEmpty)
            #expect(session.storageWork(1) == .store(Self.large))
            session.storageDone(1, .stored(Self.reference("r")))
            #expect(session.sent == [make(Self.reference("r").value)])
            #expect(session.isPending(call))
            #expect(session.metrics.largeData.stored == 1)
        }
    }

    @Test("a channel keeps its order, whatever is stored first; other channels and the more urgent pass")
    func order() {
        var session = Self.opened()
        session.submit(Self.publish("a", Self.large))
        session.submit(Self.publish("a", ["n": 1]))
        session.submit(Self.publish("a", Self.large))
        session.submit(Self.publish("a", ["n": 2]))
        #expect(session.sent.isEmpty)
        session.submit(Self.publish("b", ["n": 3]))
        #expect(session.sent == [Self.publish("b", ["n": 3])])
        session.submit(Self.publish("a", ["n": 4]), SendOptions(priority: .urgent))
        #expect(session.sent == [Self.publish("a", ["n": 4])])
        session.storageDone(2, .stored(Self.reference("second")))
        #expect(session.sent.isEmpty)
        session.storageDone(1, .stored(Self.reference("first")))
        #expect(
            session.sent == [
                Self.publish("a", Self.reference("first").value), Self.publish("a", ["n": 1]),
                Self.publish("a", Self.reference("second").value), Self.publish("a", ["n": 2]),
            ])
    }

    @Test(
        "in whatever order things are stored, cancelled and lost, each channel keeps the order of its calls",
        arguments: 1...40)
    func randomOrder(seed: UInt64) {
        var random = Generator(seed: seed)
        var session = Self.opened { $0.largeData?.maximumBytes = 1 << 20 }
        var open: Set<UInt64> = []
        var sent: [String: [Int64]] = [:]
        var calls: [CallID: (channel: String, number: Int64)] = [:]
        var begun: UInt64 = 0
        func note(_ session: TestSession) {
            for case .publish(let channel, let data, _) in session.sent {
                let number =
                    LargeDataReference(data).map { Int64($0.reference) ?? -1 } ?? data["n"]?.integerValue
                sent[channel, default: []].append(number ?? -1)
            }
            while session.storageWork(begun + 1) != nil {
                begun += 1
                open.insert(begun)
            }
            open.formIntersection(session.storageWork.keys.map(\.number))
        }
        for number in 0..<Int64(60) {
            let channel = ["a", "b", "c"][Int.random(in: 0..<3, using: &random)]
            let text = Int.random(in: 0..<3, using: &random) == 0 ? String(repeating: "x", count: 600) : ""
            let call = session.submit(
                Self.publish(channel, ["n": Value(number), "text": .string(text)]), limit: nil)
            calls[call] = (channel, number)
            note(session)
            switch Int.random(in: 0..<5, using: &random) {
            case 0...1:
                guard let id = open.sorted().randomElement(using: &random) else { break }
                guard case .store(let data)? = session.storageWork(id) else { break }
                session.storageDone(id, .stored(Self.reference("\(data["n"]?.integerValue ?? -1)")))
            case 2:
                guard let id = open.sorted().randomElement(using: &random) else { break }
                session.storageDone(id, Self.lost())
            case 3: if let call = calls.keys.sorted().randomElement(using: &random) { session.cancel(call) }
            default: break
            }
            note(session)
        }
        while let id = open.min() {
            guard case .store(let data)? = session.storageWork(id) else { break }
            session.storageDone(id, .stored(Self.reference("\(data["n"]?.integerValue ?? -1)")))
            note(session)
        }
        for numbers in sent.values { #expect(numbers == numbers.sorted()) }
        // What did not go has an error that says so; nothing is left behind.
        let gone = Set(sent.values.joined())
        for (call, known) in calls {
            #expect(gone.contains(known.number) != (session.error(of: call)?.outcome == .notSent))
        }
        #expect(gone.count > 10)
    }

    @Test("what waited in the outbox before goes before, though the data was stored meanwhile")
    func offline() {
        var session = TestSession.connecting(Self.configure)
        session.submit(Self.publish("a", ["n": 1]))
        session.submit(Self.publish("a", Self.large))
        session.submit(Self.publish("a", ["n": 2]))
        session.storageDone(1, .stored(Self.reference("r")))
        session.greet()
        #expect(
            session.sent == [
                Self.publish("a", ["n": 1]), Self.publish("a", Self.reference("r").value),
                Self.publish("a", ["n": 2]),
            ])
    }

    @Test("when storing fails the call fails as not sent, and those behind it go")
    func storingFails() {
        var session = Self.opened()
        let call = session.submit(Self.publish("a", Self.large))
        session.submit(Self.publish("a", ["n": 1]))
        session.storageDone(1, Self.lost())
        #expect(session.error(of: call)?.code == .storageFailed)
        #expect(session.error(of: call)?.outcome == .notSent)
        #expect(session.sent == [Self.publish("a", ["n": 1])])
        #expect(session.metrics.largeData.failures == 1)
    }

    @Test("the call's time limit holds while its data is stored, and so does the storage's own")
    func limits() {
        var session = Self.opened()
        let call = session.submit(Self.publish("a", Self.large), limit: .seconds(3))
        session.submit(Self.publish("a", ["n": 1]), limit: nil)
        session.advance(by: .seconds(3))
        #expect(session.error(of: call)?.code == .timedOut)
        #expect(session.error(of: call)?.outcome == .notSent)
        #expect(session.storageWork.isEmpty)
        #expect(session.sent == [Self.publish("a", ["n": 1])])
        session.storageDone(1, .stored(Self.reference("late")))
        #expect(session.sent.isEmpty)

        var other = Self.opened { $0.heartbeat = nil }
        let waiting = other.submit(Self.publish("a", Self.large), limit: nil)
        other.advance(by: .seconds(59))
        #expect(other.isPending(waiting))
        other.advance(by: .seconds(1))
        #expect(other.error(of: waiting)?.code == .timedOut)
        #expect(other.error(of: waiting)?.message.contains("storage") == true)
        #expect(other.storageWork.isEmpty)
    }

    @Test("a cancelled call's storing is called off, also of one that only waits behind another")
    func cancelled() {
        var session = Self.opened()
        let large = session.submit(Self.publish("a", Self.large))
        let small = session.submit(Self.publish("a", ["n": 1]))
        session.cancel(small)
        #expect(session.error(of: small)?.outcome == .notSent)
        session.cancel(large)
        #expect(session.error(of: large)?.code == .cancelled)
        #expect(session.error(of: large)?.outcome == .notSent)
        #expect(session.storageWork.isEmpty)
        #expect(session.deadline.map { $0 < session.now.instant.advanced(by: .seconds(60)) } != false)
    }

    @Test("disconnect() ends what is being stored, as not sent")
    func disconnected() {
        var session = Self.opened()
        let calls = [
            session.submit(Self.publish("a", Self.large)), session.submit(Self.publish("a", ["n": 1])),
        ]
        session.disconnect()
        for call in calls {
            #expect(session.error(of: call)?.code == .disconnected)
            #expect(session.error(of: call)?.outcome == .notSent)
        }
        #expect(session.storageWork.isEmpty)
    }

    @Test("over a lost connection storing goes on, and the reference goes over the next one")
    func reconnects() {
        var session = Self.opened()
        session.submit(Self.publish("a", Self.large), limit: nil)
        session.cut()
        session.storageDone(1, .stored(Self.reference("r")))
        #expect(session.sent.isEmpty)
        session.advanceToAttempt()
        session.greet()
        #expect(session.sent == [Self.publish("a", Self.reference("r").value)])
    }

    @Test("four are stored at once, within the bound of bytes, and what finds no room is refused")
    func bounds() {
        var session = Self.opened()
        for _ in 0..<3 { session.submit(Self.publish("a", Self.large)) }
        #expect(session.storageWork.count == 3)
        let refused = session.submit(Self.publish("b", Self.large))
        #expect(session.error(of: refused)?.code == .outboxFull)
        #expect(session.error(of: refused)?.outcome == .notSent)

        var roomy = Self.opened { $0.largeData?.maximumBytes = 1 << 20 }
        for _ in 0..<16 { roomy.submit(Self.publish("a", Self.large)) }
        #expect(roomy.storageWork.count == 4)
        let late = roomy.submit(Self.publish("b", Self.large))
        #expect(roomy.error(of: late)?.code == .outboxFull)
        roomy.storageDone(1, .stored(Self.reference("r")))
        #expect(roomy.storageWork(5) != nil)
    }

    @Test("one that is stored and waits for an earlier one leaves the others their room in the outbox")
    func storedEarlier() {
        var session = Self.opened { $0.outbox.maximumBytes = 1_000 }
        session.submit(Self.publish("a", Self.large))
        session.submit(Self.publish("a", Self.large))
        session.storageDone(2, .stored(Self.reference("second")))
        let call = session.submit(Self.publish("a", ["n": 1]))
        #expect(session.isPending(call))
        session.storageDone(1, .stored(Self.reference("first")))
        #expect(session.sent.count == 3)
    }

    @Test("what waits behind one that is stored has the outbox's bounds")
    func followers() {
        var session = Self.opened { $0.outbox.maximumMessages = 2 }
        session.submit(Self.publish("a", Self.large))
        let calls = (0..<3).map { n in session.submit(Self.publish("a", ["n": Value(n)])) }
        #expect(calls.map { session.error(of: $0)?.code } == [nil, nil, .outboxFull])
    }

    @Test("a durable message goes as it is")
    func durable() {
        var session = Self.opened()
        session.publishDurable("a", id: "d", bytes: 1_000)
        #expect(session.storageWork.isEmpty)
        #expect(session.sent.count == 1)
    }

    @Test("a message that is larger than what may be stored is refused by its size")
    func tooLarge() throws {
        let settings = LargeDataSettings(referenceFrom: 500, maximumBytes: 900)
        let error = #expect(throws: SenteError.self) {
            try settings.standIn(for: Self.publish("a", Self.large), SendOptions())
        }
        #expect(error?.code == .messageTooLarge)
        #expect(error?.message.contains("largeData.maximumBytes") == true)
        #expect(try settings.standIn(for: Self.publish("a", ["n": 1]), SendOptions()) == nil)
        let standIn = try LargeDataSettings(referenceFrom: 500)
            .standIn(for: Self.publish("a", Self.large), SendOptions())
        #expect(standIn.map { $0.weight < 600 } == true)
    }

    // MARK: In

    private static func delivery(_ channel: String, _ data: Value) -> Inbound {
        .delivery(ChannelMessage(channel: channel, data: data))
    }

    private static func data(_ elements: [InboxElement]) -> [Value] {
        elements.map { element in
            switch element {
            case .message(let message): message.data
            case .event(let event, _): event.data
            case .request(let request): request.data
            }
        }
    }

    /// A session with a subscription that is confirmed.
    private static func subscribed(
        _ change: (inout SessionConfiguration) -> Void = { _ in }
    ) -> (TestSession, InboxID) {
        var session = opened(change)
        let (_, inbox) = session.subscribe("a")
        session.confirm("a")
        return (session, inbox)
    }

    @Test("what a reference names is handed over in its place, in the order of the channel")
    func fetched() {
        var (session, inbox) = Self.subscribed()
        session.receive(Self.delivery("a", Self.reference("r").value))
        session.receive(Self.delivery("a", ["n": 1]))
        #expect(session.storageWork(1) == .fetch(Self.reference("r")))
        #expect(session.take(inbox).isEmpty)
        session.storageDone(1, .fetched(Self.large))
        #expect(Self.data(session.consume(inbox)) == [Self.large, ["n": 1]])
        #expect(session.metrics.largeData.fetched == 1)
    }

    @Test("other channels, replies and events of other names pass")
    func othersPass() {
        var (session, _) = Self.subscribed()
        let (_, other) = session.subscribe("b")
        session.confirm("b")
        let events = session.listen()
        session.receive(Self.delivery("a", Self.reference("r").value))
        session.receive(Self.delivery("b", ["n": 1]))
        session.receive(.event(Event(id: "x", data: ["n": 2])))
        #expect(Self.data(session.consume(other)) == [["n": 1]])
        #expect(session.events(events).map(\.data) == [["n": 2]])
    }

    @Test("events and requests that come as references are fetched too")
    func eventsAndRequests() {
        var session = Self.opened()
        let events = session.listen()
        let service = session.newInbox()
        session.handle(.command(.respond(channel: "s", service, limit: 4)))
        session.receive(.event(Event(id: "e", data: Self.reference("1").value)))
        session.receive(.request(IncomingRequest(id: "q", channel: "s", data: Self.reference("2").value)))
        session.storageDone(2, .fetched(["n": 2]))
        #expect(Self.data(session.consume(service)) == [["n": 2]])
        session.storageDone(1, .fetched(["n": 1]))
        #expect(session.events(events).map(\.data) == [["n": 1]])
    }

    @Test("by hand, references are handed over at once")
    func manual() {
        var (session, inbox) = Self.subscribed { $0.largeData?.isAutomatic = false }
        session.receive(Self.delivery("a", Self.reference("r").value))
        #expect(Self.data(session.consume(inbox)) == [Self.reference("r").value])
        #expect(session.storageWork.isEmpty)
    }

    @Test("what cannot be fetched in time is handed over as the reference, told, and holds up nothing else")
    func unfetched() {
        var (session, inbox) = Self.subscribed { $0.heartbeat = nil }
        session.receive(Self.delivery("a", Self.reference("1").value))
        session.receive(Self.delivery("a", Self.reference("2").value))
        session.receive(Self.delivery("a", ["n": 3]))
        session.storageDone(1, .failed(SenteError(code: .checksumMismatch, message: "It is another.")))
        #expect(Self.data(session.consume(inbox)) == [Self.reference("1").value])
        session.advance(by: .seconds(60))
        #expect(Self.data(session.consume(inbox)) == [Self.reference("2").value, ["n": 3]])
        #expect(session.storageWork.isEmpty)
        #expect(session.metrics.largeData.failures == 2)
    }

    @Test(
        "a hostile reference is handed over as it came, and told",
        arguments: [
            ["flow-large": ["storage": "s", "reference": "../x", "size": .double(0x1p63), "sha256": "00"]],
            ["flow-large": 1], reference("huge", size: 4_001).value, reference("max", size: .max).value,
        ] as [Value])
    func hostile(data: Value) {
        var (session, inbox) = Self.subscribed()
        session.receive(Self.delivery("a", data))
        #expect(session.storageWork.isEmpty)
        #expect(Self.data(session.consume(inbox)) == [data])
        #expect(session.metrics.largeData.failures == 1)
        #expect(session.state == .open)
    }

    @Test("no more is fetched at once than the bounds say, and the inbox bounds what waits behind")
    func fetchBounds() {
        var (session, inbox) = Self.subscribed { $0.inbox.maximumMessages = 6 }
        for _ in 0..<5 { session.receive(Self.delivery("a", Self.reference("r", size: 1_500).value)) }
        #expect(session.storageWork.count == 2)
        session.receive(Self.delivery("a", ["n": 1]))
        #expect(session.take(inbox).isEmpty)
        session.receive(Self.delivery("a", ["n": 2]))
        #expect(session.storageWork.isEmpty)
        #expect(session.consume(inbox).count == 6)
        #expect(
            session.signals.contains {
                if case .largeData(.failed(let error)) = $0 { error.code == .quotaExceeded } else { false }
            })
    }

    @Test(
        "no more is fetched than the inbox of who consumes has room for, and a handle that nobody reads holds nobody up"
    )
    func consumerIsSlow() {
        var (session, inbox) = Self.subscribed { $0.inbox.maximumBytes = 2_500 }
        let (_, unread) = session.subscribe("a", history: .none)
        for name in ["1", "2"] { session.receive(Self.delivery("a", Self.reference(name).value)) }
        #expect(session.storageWork.count == 2)
        session.storageDone(1, .fetched(Self.large))
        session.storageDone(2, .fetched(Self.large))
        session.receive(Self.delivery("a", Self.reference("3").value))
        #expect(session.awaitsConsumption)
        #expect(session.storageWork.isEmpty)
        #expect(session.take(inbox).count == 2)
        #expect(session.storageWork.isEmpty)
        session.handle(.consumed(inbox, 1))
        #expect(session.storageWork(3) == .fetch(Self.reference("3")))
        #expect(!session.awaitsConsumption)
        _ = unread
    }

    @Test("a handle that is closed makes room")
    func closed() {
        var (session, inbox) = Self.subscribed { $0.inbox.maximumBytes = 1_500 }
        for name in ["1", "2"] { session.receive(Self.delivery("a", Self.reference(name).value)) }
        #expect(session.storageWork.count == 1)
        session.storageDone(1, .fetched(Self.large))
        #expect(session.storageWork.isEmpty)
        session.handle(.command(.closeInbox(inbox)))
        #expect(session.storageWork.count == 1)
    }

    @Test("what is fetched by hand needs no connection, has the storage's time limit, and can be called off")
    func byHand() {
        func begin(_ session: inout TestSession, size: Int = 10) -> CallID {
            let call = session.newCall()
            session.handle(.command(.fetch(call, Self.reference("r", size: size))))
            return call
        }
        var session = TestSession(Self.configure)
        let first = begin(&session)
        session.storageDone(1, .fetched(["n": 1]))
        #expect(session.value(of: first) == ["n": 1])
        let second = begin(&session)
        session.storageDone(2, Self.lost())
        #expect(session.error(of: second)?.code == .storageFailed)
        let third = begin(&session)
        session.cancel(third)
        #expect(session.error(of: third)?.code == .cancelled)
        #expect(session.storageWork.isEmpty)
        let fourth = begin(&session)
        session.advance(by: .seconds(60))
        #expect(session.error(of: fourth)?.code == .timedOut)
        let fifth = begin(&session, size: 4_001)
        #expect(session.error(of: fifth)?.code == .messageTooLarge)
        #expect(session.storageWork.isEmpty)
        #expect(session.deadline == nil)
        var without = TestSession()
        let sixth = begin(&without)
        #expect(without.error(of: sixth)?.code == .invalidArgument)
    }

    @Test("what came before the connection was lost is handed over; after disconnect() nothing is")
    func ends() {
        var (session, inbox) = Self.subscribed()
        session.receive(Self.delivery("a", Self.reference("1").value))
        session.cut()
        session.storageDone(1, .fetched(["n": 1]))
        #expect(Self.data(session.consume(inbox)) == [["n": 1]])
        session.advanceToAttempt()
        session.greet()
        session.confirm("a")
        session.receive(Self.delivery("a", Self.reference("2").value))
        session.disconnect()
        #expect(session.storageWork.isEmpty)
        session.storageDone(2, .fetched(["n": 2]))
        #expect(session.take(inbox).isEmpty)
    }
}
