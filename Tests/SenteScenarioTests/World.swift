// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteSocket

/// A small universe: clients, one server, the pipes between them, and one `now`.
///
///     app ─▶ Client (ClientEngine) ─▶ Link ═══ Pipe: bytes, latency, loss … ═══ Link ◀─ Server (ServerSession)
///
/// Nothing waits and nothing sleeps: `run(for:)` jumps to the earlier of the next arrival and the next deadline. All
/// chance comes from one seed, so a run can be repeated. After every step of a client its rule book is checked;
/// what it finds is in `violations`.
final class World {
    let seed: UInt64
    /// What is spoken here.
    let tongue: Tongue
    var random: Generator
    private(set) var now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 1_750_000_000_000)
    var weather = Weather()
    private(set) var clients: [Client] = []
    private(set) var violations: [Violation] = []
    var tally = Tally()
    /// Every message an app ever sent, by its number.
    var letters: [Letter] = []
    /// Whether the story is written down; a violation shows the end of it.
    let isRecording: Bool
    private(set) var story: [String] = []
    private var agenda = Agenda()
    var pipes: [Pipe] = []
    /// Nothing new goes wrong any more.
    var isHealing = false
    /// The server has delivered messages without their ids, so that a retained one cannot be known again.
    var deliversWithoutID = false
    var masks = MaskKeys(Entropy { $0.copyBytes(from: repeatElement(0x5A, count: $0.count)) })
    let handshakeKey = HandshakeKey(Entropy { $0.copyBytes(from: repeatElement(7, count: $0.count)) })
    private(set) lazy var server = Server(self)
    private var connections: UInt64 = 0
    private var callNumber: UInt64 = 0
    private var inboxNumber: UInt64 = 0

    struct Violation: CustomStringConvertible {
        var rule: Int
        var seed: UInt64
        var time: Duration
        var text: String
        var story: [String]

        var description: String {
            "rule \(rule), seed \(seed), at \(time): \(text)"
                + (story.isEmpty ? "" : "\n  " + story.joined(separator: "\n  "))
        }
    }

    init(seed: UInt64 = 1, _ tongue: Tongue = Tongue(.senteLiteMaps), isRecording: Bool = true) {
        self.seed = seed
        self.tongue = tongue
        self.isRecording = isRecording
        random = Generator(seed: seed)
    }

    @discardableResult
    func addClient(
        sizes: SizeLimits = SizeLimits(), _ change: (inout SessionConfiguration) -> Void = { _ in }
    ) -> Client {
        var configuration = SessionConfiguration()
        if !tongue.answersPings { configuration.heartbeat?.limit = nil }
        change(&configuration)
        let client = Client(clients.count, configuration, sizes: sizes, seed: random.next(), in: self)
        clients.append(client)
        return client
    }

    /// A client that is open, a second after its `connect()`.
    func addOpenClient(_ change: (inout SessionConfiguration) -> Void = { _ in }) -> Client {
        let client = addClient(change)
        client.connect()
        run(for: .seconds(1))
        return client
    }

    // MARK: Time

    /// How long the world exists.
    var age: Duration { Instant(nanoseconds: 0).duration(to: now.instant) }

    func run(for duration: Duration) {
        let end = now.instant.advanced(by: duration)
        while let next = nextInstant, next <= end {
            move(to: next)
            step()
        }
        move(to: end)
    }

    /// Runs until `condition` holds; false when it did not within `limit`.
    @discardableResult
    func run(until limit: Duration = .seconds(120), _ condition: () -> Bool) -> Bool {
        let end = now.instant.advanced(by: limit)
        while !condition() {
            guard let next = nextInstant, next <= end else { return false }
            move(to: next)
            step()
        }
        return true
    }

    func at(_ instant: Instant, _ event: Agenda.Event) {
        agenda.add(event, at: max(instant, now.instant))
    }

    func after(_ delay: Duration, _ act: @escaping (World) -> Void) {
        at(now.instant.advanced(by: delay), .act(act))
    }

    private func move(to instant: Instant) {
        guard instant > now.instant else { return }
        now.wallMilliseconds +=
            instant.nanoseconds / 1_000_000 - now.instant.nanoseconds / 1_000_000
        now.instant = instant
    }

    private var nextInstant: Instant? {
        var next = agenda.next ?? .distantFuture
        if let deadline = server.deadline { next = min(next, deadline) }
        for client in clients {
            if let deadline = client.wakesAt { next = min(next, deadline) }
        }
        for pipe in pipes {
            if let deadline = pipe.deadline { next = min(next, deadline) }
        }
        return next == .distantFuture ? nil : max(next, now.instant)
    }

    /// Arrivals before timers, as an event loop hands over what it has read before it looks at the time: who slept hears
    /// first what came meanwhile.
    private func step() {
        if let event = agenda.pop(by: now.instant) { happen(event) } else { fireTimers() }
        pipes.removeAll(where: \.isGone)
    }

    private func fireTimers() {
        for client in clients {
            if let deadline = client.wakesAt, deadline <= now.instant { client.tell(.timerFired) }
        }
        for pipe in pipes {
            if let deadline = pipe.deadline, deadline <= now.instant { pipe.timerFired() }
        }
        if let deadline = server.deadline, deadline <= now.instant { server.handle(.timerFired) }
    }

    private func happen(_ event: Agenda.Event) {
        switch event {
        case .arrival(let pipe, let end, let bytes): pipe.arrived(bytes, at: end)
        case .endOfStream(let pipe, let end): pipe.ended(at: end)
        case .flush(let pipe, let end): pipe.flushAfterStall(end)
        case .dialed(let pipe): pipe.dialed()
        case .reports(let pipe, let reports): pipe.owner.hear(reports, of: pipe.id)
        case .act(let act): act(self)
        }
    }

    // MARK: Numbers and chance

    func newConnection() -> ConnectionID {
        connections += 1
        return ConnectionID(connections)
    }

    func newCall() -> CallID {
        callNumber += 1
        return CallID(callNumber)
    }

    func newInbox() -> InboxID {
        inboxNumber += 1
        return InboxID(inboxNumber)
    }

    func chance(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &random) < probability
    }

    func milliseconds(_ range: ClosedRange<Int>) -> Duration {
        .milliseconds(Int.random(in: range, using: &random))
    }

    func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    // MARK: The story

    func tell(_ line: @autoclosure () -> String) {
        guard isRecording else { return }
        let milliseconds = age.wholeMilliseconds
        var line = line()
        for module in ["SenteCore.", "SenteBase.", "Swift."] { line = line.replacing(module, with: "") }
        story.append("\(milliseconds / 1_000).\(String(milliseconds % 1_000 + 1_000).dropFirst()) \(line)")
    }

    func violate(_ rule: Int, _ text: String) {
        guard violations.count < 20 else { return }
        violations.append(
            Violation(rule: rule, seed: seed, time: age, text: text, story: Array(story.suffix(40))))
    }
}

/// What is to come, by time and, among equals, in the order it was added.
struct Agenda {
    enum Event {
        case arrival(Pipe, Pipe.End, [UInt8])
        case endOfStream(Pipe, Pipe.End)
        case flush(Pipe, Pipe.End)
        case dialed(Pipe)
        case reports(Pipe, [LinkReport])
        case act((World) -> Void)
    }

    private struct Row {
        var due: Instant
        var number: UInt64
        var event: Event

        static func < (a: Row, b: Row) -> Bool { a.due == b.due ? a.number < b.number : a.due < b.due }
    }

    private var heap: [Row] = []
    private var number: UInt64 = 0

    var next: Instant? { heap.first?.due }

    mutating func add(_ event: Event, at due: Instant) {
        number += 1
        heap.append(Row(due: due, number: number, event: event))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop(by now: Instant) -> Event? {
        guard let first = heap.first, first.due <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child] < heap[least] { least = child }
            }
            guard least != parent else { return first.event }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
