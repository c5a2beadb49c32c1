// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteSocket

/// A small universe: clients, one server, the pipes between them, and one `now`.
///
///     app ─▶ WorldClient (ClientEngine) ─▶ Link ═══ Pipe: bytes, latency, loss … ═══ Link ◀─ WorldServer (ServerSession)
///
/// Nothing waits and nothing sleeps: `advance(by:)` jumps to the earlier of the next arrival and the next deadline. All
/// chance comes from one seed, so a run can be repeated. After every step of a client its rule book is checked;
/// what it finds is in `violations`.
final class TestWorld {
    let seed: UInt64
    /// What is spoken here.
    let wire: WireSetup
    var random: Generator
    private(set) var now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 1_750_000_000_000)
    var network = NetworkConditions()
    private(set) var clients: [WorldClient] = []
    private(set) var violations: [Violation] = []
    var coverage = Coverage()
    /// Every message an app ever sent, by its number.
    var messages: [TrackedMessage] = []
    /// Whether the log is kept; a violation shows the end of it.
    let isRecording: Bool
    /// What both ends of every pipe wrote, byte for byte, where a test wants to compare it.
    var bytesOnTheWay: [UInt8]?
    private(set) var logLines: [String] = []
    private var agenda = Agenda<Event>()
    var pipes: [Pipe] = []
    /// Nothing new goes wrong any more.
    var isHealing = false
    /// The server has delivered messages without their ids, so that a retained one cannot be known again.
    var deliversWithoutID = false
    var masks = MaskKeys(Entropy { $0.copyBytes(from: repeatElement(0x5A, count: $0.count)) })
    let handshakeKey = HandshakeKey(Entropy { $0.copyBytes(from: repeatElement(7, count: $0.count)) })
    private(set) lazy var server = WorldServer(self)
    private var connections: UInt64 = 0
    private var callNumber: UInt64 = 0
    private var inboxNumber: UInt64 = 0

    struct Violation: CustomStringConvertible {
        var rule: Int
        var seed: UInt64
        var time: Duration
        var text: String
        var log: [String]

        var description: String {
            "rule \(rule), seed \(seed), at \(time): \(text)"
                + (log.isEmpty ? "" : "\n  " + log.joined(separator: "\n  "))
        }
    }

    /// What is to come.
    enum Event {
        case arrival(Pipe, Pipe.End, [UInt8])
        case endOfStream(Pipe, Pipe.End)
        case flush(Pipe, Pipe.End)
        case dialed(Pipe)
        case reports(Pipe, [LinkReport])
        case act((TestWorld) -> Void)
    }

    init(seed: UInt64 = 1, _ wire: WireSetup = WireSetup(.senteLiteMaps), isRecording: Bool = true) {
        self.seed = seed
        self.wire = wire
        self.isRecording = isRecording
        random = Generator(seed: seed)
    }

    @discardableResult
    func addClient(
        sizes: SizeLimits = SizeLimits(), _ change: (inout SessionConfiguration) -> Void = { _ in }
    ) -> WorldClient {
        var configuration = SessionConfiguration()
        if !wire.answersPings { configuration.heartbeat?.limit = nil }
        change(&configuration)
        let client = WorldClient(clients.count, configuration, sizes: sizes, seed: random.next(), in: self)
        clients.append(client)
        return client
    }

    /// A client that is open, a second after its `connect()`.
    func addOpenClient(_ change: (inout SessionConfiguration) -> Void = { _ in }) -> WorldClient {
        let client = addClient(change)
        client.connect()
        advance(by: .seconds(1))
        return client
    }

    // MARK: Time

    /// How long the world exists.
    var elapsed: Duration { Instant(nanoseconds: 0).duration(to: now.instant) }

    func advance(by duration: Duration) {
        let end = now.instant.advanced(by: duration)
        while let next = nextInstant, next <= end {
            move(to: next)
            step()
        }
        move(to: end)
    }

    /// Runs until `condition` holds; false when it did not within `limit`.
    @discardableResult
    func run(within limit: Duration = .seconds(120), until condition: () -> Bool) -> Bool {
        let end = now.instant.advanced(by: limit)
        while !condition() {
            guard let next = nextInstant, next <= end else { return false }
            move(to: next)
            step()
        }
        return true
    }

    func at(_ instant: Instant, _ event: Event) {
        agenda.add(event, at: max(instant, now.instant))
    }

    func after(_ delay: Duration, _ act: @escaping (TestWorld) -> Void) {
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
        if let event = agenda.pop(by: now.instant) { perform(event) } else { fireTimers() }
        pipes.removeAll(where: \.isGone)
    }

    private func fireTimers() {
        for client in clients {
            if let deadline = client.wakesAt, deadline <= now.instant { client.handle(.timerFired) }
        }
        for pipe in pipes {
            if let deadline = pipe.deadline, deadline <= now.instant { pipe.timerFired() }
        }
        if let deadline = server.deadline, deadline <= now.instant { server.handle(.timerFired) }
    }

    private func perform(_ event: Event) {
        switch event {
        case .arrival(let pipe, let end, let bytes): pipe.arrived(bytes, at: end)
        case .endOfStream(let pipe, let end): pipe.ended(at: end)
        case .flush(let pipe, let end): pipe.flushAfterStall(end)
        case .dialed(let pipe): pipe.dialed()
        case .reports(let pipe, let reports): pipe.owner.handle(reports, of: pipe.id)
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

    // MARK: The log

    func log(_ line: @autoclosure () -> String) {
        guard isRecording else { return }
        let milliseconds = elapsed.wholeMilliseconds
        var line = line()
        for module in ["SenteCore.", "SenteBase.", "Swift."] { line = line.replacing(module, with: "") }
        logLines.append("\(milliseconds / 1_000).\(String(milliseconds % 1_000 + 1_000).dropFirst()) \(line)")
    }

    func violate(_ rule: Int, _ text: String) {
        guard violations.count < 20 else { return }
        violations.append(
            Violation(rule: rule, seed: seed, time: elapsed, text: text, log: Array(logLines.suffix(40))))
    }
}
