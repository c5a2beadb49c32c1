// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// A small universe of NATS: a cluster, clients, the connections between them, and one `now`.
///
///     app ─▶ NATSApp (ClientEngine) ═══ NATSPipe: bytes, cut anywhere ═══ NATSCluster: nodes, routes, a stream
///
/// All chance comes from one seed, so a run can be repeated. After every step of a client its rules are checked; what they
/// find is in `violations`.
final class NATSWorld {
    /// A message of an app, and what became of it.
    struct Said {
        enum Kind { case publish, request, store }

        let kind: Kind
        let client: Int
        let call: CallID
        let channel: String
        let saidAt: Instant
        let livesUntil: Instant?
        /// How often the client wrote it, when last, on which link, and under which id.
        var written = 0
        var writtenAt: Instant?
        var link: LinkID?
        var id: String?
        /// How often a node took it, and how often one refused it.
        var taken = 0
        var refused = 0
        var result: Result<Answer, SenteError>?
    }

    let seed: UInt64
    let isRecording: Bool
    var random: Generator
    private(set) var now = Moment(
        instant: Instant(nanoseconds: 0), wallMilliseconds: 1_750_000_000_000)
    var cluster: NATSCluster
    private(set) var apps: [NATSApp] = []
    private(set) var violations: [TestWorld.Violation] = []
    private(set) var logLines: [String] = []
    var coverage = Coverage()
    var messages: [Said] = []
    var archive = NATSArchive()
    /// The last acknowledged sequence, by client, channel and stream.
    var acknowledged: [String: UInt64] = [:]
    /// How long bytes travel, in milliseconds.
    var latency = 1...10
    var refusesDials = false
    var isHealing = false
    private var pipes: [Int: NATSPipe] = [:]
    private var agenda = Agenda<(NATSWorld) -> Void>()
    private var lastClient = 0
    private var lastCall: UInt64 = 0
    private var lastInbox: UInt64 = 0

    init(seed: UInt64, isRecording: Bool = false) {
        self.seed = seed
        self.isRecording = isRecording
        random = Generator(seed: seed)
        var settings = NATSCluster.Settings()
        settings.isNewer = Bool.random(using: &random)
        cluster = NATSCluster(settings, seed: seed ^ 1)
    }

    func addApp(_ nats: NATSSettings = NATSSettings(), _ change: (inout SessionConfiguration) -> Void) {
        var configuration = SessionConfiguration()
        configuration.dialect = .nats
        configuration.endpoints = ["ws://n0:80/"]
        configuration.learnsEndpoints = true
        change(&configuration)
        apps.append(NATSApp(apps.count, configuration, nats, in: self))
    }

    // MARK: Time

    var elapsed: Duration { Instant(nanoseconds: 0).duration(to: now.instant) }

    func advance(by duration: Duration) {
        let end = now.instant.advanced(by: duration)
        while let next = next, next <= end, violations.isEmpty {
            move(to: max(next, now.instant))
            step()
        }
        move(to: end)
    }

    private var next: Instant? {
        var times = [agenda.next, cluster.deadline]
        for app in apps { times.append(app.deadline) }
        return times.compactMap(\.self).min()
    }

    private func step() {
        if let act = agenda.pop(by: now.instant) { return act(self) }
        if let deadline = cluster.deadline, deadline <= now.instant {
            return carry(cluster.advance(to: now))
        }
        for app in apps { app.wakeIfDue() }
    }

    private func move(to instant: Instant) {
        guard instant > now.instant else { return }
        now.wallMilliseconds += instant.nanoseconds / 1_000_000 - now.instant.nanoseconds / 1_000_000
        now.instant = instant
    }

    func at(_ instant: Instant, _ act: @escaping (NATSWorld) -> Void) {
        agenda.add(act, at: max(instant, now.instant))
    }

    func after(_ range: ClosedRange<Int>, _ act: @escaping (NATSWorld) -> Void) {
        at(now.instant.advanced(by: milliseconds(range)), act)
    }

    // MARK: Links

    func dial(_ app: NATSApp, _ link: LinkID, _ target: LinkTarget) {
        let url = target.endpoint ?? app.configuration.endpoints[0]
        let node = url.dropFirst("ws://n".count).first?.wholeNumberValue ?? 0
        lastClient += 1
        let pipe = NATSPipe(app, link, node: node, client: lastClient, in: self)
        app.opens(pipe)
        at(soon()) { [self] _ in
            guard !pipe.isOverForClient else { return }
            guard cluster.takesClients(node), !refusesDials else {
                pipe.fail()
                return
            }
            pipes[pipe.client] = pipe
            pipe.opened()
            carry(cluster.open(pipe.client, at: node, now))
        }
    }

    func received(_ bytes: [UInt8], from pipe: NATSPipe) {
        carry(cluster.received(bytes, from: pipe.client, now))
    }

    /// The node notices that a connection is gone.
    func ended(_ pipe: NATSPipe) {
        pipes[pipe.client] = nil
        carry(cluster.ended(pipe.client, now))
    }

    /// Does what the cluster wants done.
    func carry(_ outputs: [NATSCluster.Output]) {
        archive.follow(cluster.stream)
        for output in outputs {
            switch output {
            case .say(let client, let word): pipes[client]?.say(word)
            case .end(let client, let code): pipes.removeValue(forKey: client)?.ended(code)
            case .problem(let client, let text):
                violate(10, "\(pipes[client]?.app.description ?? "client ?"): \(text)")
            case .took(let client, let message, let isRefused): took(client, message, isRefused)
            }
        }
    }

    /// Something befalls the cluster.
    func change(_ body: (inout NATSCluster) -> Void) {
        cluster.begin(now)
        body(&cluster)
        carry(cluster.take())
    }

    private func took(_ client: Int, _ message: NATSPublication, _ isRefused: Bool) {
        guard !message.subject.hasPrefix("_INBOX."), !message.subject.hasPrefix("$JS."),
            let number = message.number
        else { return }
        messages[number].taken += 1
        if isRefused { messages[number].refused += 1 }
        let said = messages[number]
        if said.kind != .store, said.taken > 1 { violate(5, "message \(number) came to nodes twice.") }
        if case .failure(let error)? = said.result, error.outcome == .notSent {
            violate(4, "message \(number) came, and is called not sent.")
        }
    }

    // MARK: Numbers and chance

    func newCall() -> CallID {
        lastCall += 1
        return CallID(lastCall)
    }

    func newInbox() -> InboxID {
        lastInbox += 1
        return InboxID(lastInbox)
    }

    func chance(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &random) < probability
    }

    func milliseconds(_ range: ClosedRange<Int>) -> Duration {
        .milliseconds(Int.random(in: range, using: &random))
    }

    func soon() -> Instant { now.instant.advanced(by: milliseconds(latency)) }

    func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    // MARK: The log

    func log(_ line: @autoclosure () -> String) {
        guard isRecording else { return }
        var line = line()
        for module in ["SenteCore.", "SenteBase.", "Swift."] { line = line.replacing(module, with: "") }
        logLines.append("\(elapsed.wholeMilliseconds) \(line)")
    }

    func violate(_ rule: Int, _ text: String) {
        guard violations.count < 20 else { return }
        violations.append(
            TestWorld.Violation(
                rule: rule, seed: seed, time: elapsed, text: text, log: Array(logLines.suffix(60))))
    }
}
