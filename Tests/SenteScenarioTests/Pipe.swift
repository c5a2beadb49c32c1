// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteSocket

/// One connection: a client's link, a server's link, and the bytes between them.
///
/// Bytes keep their order and are cut anywhere. What a client's link says goes to its client as reports, in order,
/// as late as the network has it and even after the client has given the link up: an engine must not care.
final class Pipe {
    enum End: Int {
        case client, server
        var other: End { self == .client ? .server : .client }
    }

    /// What happens to bytes on their way to one end.
    private struct Direction {
        var lastArrival = Instant.distantPast
        /// Bytes until the connection breaks.
        var budget: Int?
        var stalledUntil: Instant?
        var isFlushPlanned = false
        var isEnded = false
    }

    unowned(unsafe) let world: TestWorld
    let id: LinkID
    let owner: WorldClient
    let connection: ConnectionID
    private let deadlineOfOpening: Instant
    private var links: [Link?] = [nil, nil]
    private var directions = [Direction(), Direction()]
    private var lastReport = Instant.distantPast
    private var isAsked = false
    private(set) var isSilent = false
    private(set) var isCut = false
    private(set) var isAbandoned = false
    private var leavesTCPOpen = false
    private var isPaused = false
    private var held: [TestWorld.Event] = []
    private var unread: [UInt8] = []
    /// What the client has handed to its link and the server has not got, in order.
    private var onTheWay: [(outbound: Outbound?, message: Message)] = []
    private var onTheWayHead = 0

    init(_ id: LinkID, of owner: WorldClient, deadline: Instant, in world: TestWorld) {
        self.id = id
        self.owner = owner
        self.world = world
        deadlineOfOpening = deadline
        connection = world.newConnection()
    }

    private var now: Instant { world.now.instant }

    /// Nothing will ever happen here any more.
    private(set) var isGone = false

    private func isOver(_ end: End) -> Bool { links[end.rawValue]?.isOver ?? true }

    var isOpen: Bool { links[0]?.isOpen ?? false }

    /// When a link of it wants to be woken; kept beside the links, which are dear to look at.
    private(set) var deadline: Instant?

    private func refresh() {
        deadline = nil
        for link in links {
            if let due = link?.deadline { deadline = deadline.map { min($0, due) } ?? due }
        }
        isGone = isOver(.client) && isOver(.server) && (links[0] != nil || isAbandoned)
    }

    /// What the client's kernel has not taken.
    var unwrittenBytes: Int { links[0]?.unwrittenBytes ?? 0 }

    // MARK: Opening

    func dial() {
        let dialing = world.server.isUp ? world.network.dialing : .refused
        world.log("\(owner) \(id) dials: \(dialing)")
        let soon = now.advanced(by: world.milliseconds(world.network.latency))
        switch dialing {
        case .accepted: world.at(soon, .dialed(self))
        case .refused: fail(.unreachable, "Connection refused.", at: soon)
        case .unanswered: fail(.timedOut, "Nobody answered.", at: deadlineOfOpening)
        case .nameNotFound: fail(.nameNotFound, "No address for the name.", at: soon)
        case .untrusted: fail(.tls(.untrusted), "The certificate is not trusted.", at: soon)
        }
    }

    private func fail(_ kind: LinkFailure.Kind, _ text: String, at instant: Instant) {
        isAbandoned = true
        refresh()
        world.at(instant, .reports(self, [.closed(.failed(LinkFailure(kind, text)))]))
    }

    func dialed() {
        guard !isAbandoned else { return }
        guard world.server.isUp, let request = Self.request else {
            return fail(.unreachable, "Connection refused.", at: now)
        }
        if world.chance(world.network.loss) {
            let budget = Int.random(in: world.network.lossAfter, using: &world.random)
            directions[world.chance(0.5) ? 0 : 1].budget = budget
        }
        links[0] = Link(client: request, key: world.handshakeKey, deadline: deadlineOfOpening)
        links[1] = Link(server: LinkLimits(), at: now)
        flush(.client)
    }

    private static let request: UpgradeRequest? = {
        guard let url = try? WebSocketURL("ws://world.test:3000/") else { return nil }
        return try? UpgradeRequest(url)
    }()

    // MARK: What the owners do

    func send(_ batch: [Transmission]) {
        for transmission in batch {
            let message = transmission.message
            guard
                links[0]?.send(message, id: transmission.id, at: now, masks: &world.masks) == .queued
            else {
                continue
            }
            onTheWay.append((owner.outbounds[transmission.id], message))
        }
        flush(.client)
    }

    func send(_ message: Message) {
        _ = links[1]?.send(message, at: now, masks: &world.masks)
        flush(.server)
    }

    func close(_ end: End, _ code: CloseCode, reason: String, keepsTCP: Bool = false) {
        leavesTCPOpen = leavesTCPOpen || keepsTCP
        if end == .client { resume() }
        guard links[end.rawValue] != nil else {
            return fail(.lost, "The link was closed before it was open.", at: now)
        }
        change(end) { link, masks, reports in
            _ = link.close(code, reason: reason, at: self.now, masks: &masks, into: &reports)
        }
    }

    func abandon() {
        isAbandoned = true
        hangUp(.client)
    }

    func ping() {
        change(.client) { link, masks, _ in _ = link.ping(masks: &masks) }
    }

    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        let events = held
        held = []
        for event in events { world.at(now, event) }
    }

    func answer(_ admission: ServerSession.Admission) {
        switch admission {
        case .upgrade:
            change(.server) { link, masks, reports in
                _ = link.accept(at: self.now, masks: &masks, into: &reports)
            }
        case .answer(let refusal):
            change(.server) { link, _, _ in
                let headers = refusal.headers.map { HTTPHeader($0.name, $0.value) }
                _ = link.respond(status: refusal.status, headers: headers, body: refusal.body, at: self.now)
            }
        case .disconnect: hangUp(.server)
        }
    }

    // MARK: What befalls it

    /// From now on bytes vanish, in both directions, and so does every end.
    func silence() {
        world.log("\(id) of \(owner) falls silent")
        isSilent = true
    }

    /// The network is whole again, and tells the ends of a silent pipe that it is none.
    func endSilence() {
        guard isSilent else { return }
        isSilent = false
        // Ends that got lost in the silence are told again.
        for end in [End.client, .server] {
            directions[end.rawValue].isEnded = false
            sendEnd(to: end)
        }
    }

    /// The connection breaks: what is on its way arrives, nothing else does.
    func cut() {
        guard !isCut, links[0] != nil else { return }
        world.log("\(id) of \(owner) breaks")
        isCut = true
        for end in [End.client, .server] { sendEnd(to: end) }
    }

    /// The kernel of that end takes no bytes for a while.
    func stall(_ end: End, for duration: Duration) {
        directions[end.other.rawValue].stalledUntil = now.advanced(by: duration)
    }

    /// The connection breaks when that end has got so many bytes more.
    func cut(afterBytes count: Int, to end: End) { directions[end.rawValue].budget = count }

    /// It will not break by itself any more.
    func clearBudgets() {
        for end in [End.client, .server] { directions[end.rawValue].budget = nil }
    }

    /// Bytes that no link wrote.
    func inject(_ bytes: [UInt8], to end: End) { put(bytes, to: end) }

    // MARK: Bytes

    private func change(_ end: End, _ body: (inout Link, inout MaskKeys, inout [LinkReport]) -> Void) {
        var reports: [LinkReport] = []
        let index = end.rawValue
        guard var link = links[index] else { return }
        links[index] = nil
        body(&link, &world.masks, &reports)
        links[index] = link
        tellOwner(end, reports)
        flush(end)
    }

    func flushAfterStall(_ end: End) {
        directions[end.other.rawValue].isFlushPlanned = false
        flush(end)
    }

    private func flush(_ end: End) {
        let index = end.rawValue
        var reports: [LinkReport] = []
        while links[index]?.hasOutput == true {
            if let until = directions[end.other.rawValue].stalledUntil, until > now {
                if !directions[end.other.rawValue].isFlushPlanned {
                    directions[end.other.rawValue].isFlushPlanned = true
                    world.at(until, .flush(self, end))
                }
                break
            }
            var taken: [UInt8] = []
            let chunk = world.network.chunk.map { Int.random(in: $0, using: &world.random) } ?? .max
            links[index]?.withOutput(into: &reports) {
                taken = Array($0.prefix(max(1, chunk)))
                return taken.count
            }
            put(taken, to: end.other)
        }
        tellOwner(end, reports)
        shutDownIfDone(end)
    }

    private func put(_ bytes: [UInt8], to end: End) {
        guard !isSilent, !isCut, !directions[end.rawValue].isEnded else { return }
        world.bytesOnTheWay? += bytes
        var bytes = bytes
        var breaks = false
        if let budget = directions[end.rawValue].budget {
            breaks = bytes.count >= budget
            if breaks { bytes.removeLast(bytes.count - budget) }
            directions[end.rawValue].budget = budget - bytes.count
        }
        if !bytes.isEmpty { world.at(arrival(to: end), .arrival(self, end, bytes)) }
        if breaks { cut() }
    }

    private func arrival(to end: End) -> Instant {
        let drawn = now.advanced(by: world.milliseconds(world.network.latency))
        let arrival = max(drawn, directions[end.rawValue].lastArrival)
        directions[end.rawValue].lastArrival = arrival
        return arrival
    }

    private func sendEnd(to end: End) {
        guard !isSilent, !directions[end.rawValue].isEnded else { return }
        directions[end.rawValue].isEnded = true
        world.at(arrival(to: end), .endOfStream(self, end))
    }

    func arrived(_ bytes: [UInt8], at end: End) {
        if isSilent || (end == .client && isAbandoned) { return }
        var bytes = bytes
        if end == .client {
            if owner.isSuspended { return keep(bytes) }
            bytes = unread + bytes
            unread = []
            if isPaused { return held.append(.arrival(self, end, bytes)) }
        }
        var reports: [LinkReport] = []
        bytes.withUnsafeBytes {
            links[end.rawValue]?.receive($0, at: now, masks: &world.masks, into: &reports)
        }
        tellOwner(end, [.progress] + reports)
        flush(end)
    }

    /// What comes while the client sleeps is read at one go, as from a socket's buffer.
    private func keep(_ bytes: [UInt8]) {
        // With nothing in it, this is the wake-up itself, and the client slept on.
        if unread.isEmpty || bytes.isEmpty { world.at(owner.suspendedUntil, .arrival(self, .client, [])) }
        unread += bytes
    }

    func ended(at end: End) {
        if isSilent || (end == .client && isAbandoned) { return }
        if end == .client, isPaused { return held.append(.endOfStream(self, end)) }
        if end == .client, owner.isSuspended {
            return world.at(owner.suspendedUntil, .endOfStream(self, end))
        }
        var reports: [LinkReport] = []
        links[end.rawValue]?.receivedEnd(at: now, into: &reports)
        tellOwner(end, reports)
        flush(end)
    }

    func timerFired() {
        for end in [End.client, .server] {
            if let deadline = links[end.rawValue]?.deadline, deadline <= now {
                var reports: [LinkReport] = []
                links[end.rawValue]?.timerFired(at: now, into: &reports)
                tellOwner(end, reports)
                flush(end)
            }
        }
    }

    /// Ends TCP where a link is done with it.
    private func shutDownIfDone(_ end: End) {
        refresh()
        let index = end.rawValue
        if links[index]?.isOver ?? false || links[index]?.mayShutDownWriting ?? false {
            if end == .server, leavesTCPOpen { return }
            sendEnd(to: end.other)
        }
    }

    /// One end lets go of TCP at once.
    func hangUp(_ end: End) {
        var reports: [LinkReport] = []
        links[end.rawValue]?.failed(LinkFailure(.lost, "Given up."), into: &reports)
        refresh()
        sendEnd(to: end.other)
    }

    // MARK: Owners

    private func tellOwner(_ end: End, _ reports: [LinkReport]) {
        guard end == .client else {
            if !isAsked, let request = links[1]?.request {
                isAsked = true
                world.server.received(request, on: self)
            }
            for report in reports { world.server.received(report, on: self) }
            return
        }
        guard !reports.isEmpty else { return }
        lastReport = max(lastReport, now.advanced(by: world.milliseconds(world.network.reportDelay)))
        world.at(lastReport, .reports(self, reports))
    }

    /// What the server got is what the client wrote: nothing changed, nothing left out, nothing twice.
    func nextOnTheWay(is message: Message) -> Outbound? {
        guard onTheWayHead < onTheWay.count else { return nil }
        let (outbound, sent) = onTheWay[onTheWayHead]
        onTheWayHead += 1
        return sent == message ? outbound : nil
    }
}
