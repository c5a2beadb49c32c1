// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// Whoever made a stream and is told what came of it.
///
/// Called on the loop.
protocol LinkStreamOwner: AnyObject {
    /// What one turn brought, perhaps nothing but bytes.
    func stream(_ stream: LinkStream, reported reports: inout [LinkReport])
}

/// A link on a connected socket, as a member of a loop: reads, hands over once a turn, writes once a turn, and closes.
///
/// Only `sendFromAnywhere` comes from other threads; for its sake the socket is under a lock, which is never held
/// while someone else's code runs.
final class LinkStream: LoopMember, @unchecked Sendable {
    /// What is copied for a write without the lock.
    private static let smallWrite = 4 << 10
    /// What TLS adds to it at most, with an answer to a new key among it.
    private static let overhead = 256

    let loop: EventLoop
    private let lock = Lock()
    /// Under the lock, and therefore without the run-time checks of exclusive access that a stored value has.
    private let place: UnsafeMutablePointer<LinkSocket>

    // The loop's own.
    private var owner: (any LinkStreamOwner)?
    private var progressed = false
    private var finishAsked = false
    private var timer: (any HostTimer)?

    /// Takes over a descriptor that the loop has adopted; the caller passes its readiness to this stream.
    init(
        _ descriptor: Int32, _ link: Link, _ role: TLSRole? = nil, on loop: EventLoop,
        owner: any LinkStreamOwner
    ) {
        self.loop = loop
        self.owner = owner
        place = .allocate(capacity: 1)
        place.initialize(to: LinkSocket(descriptor, link, role))
    }

    deinit {
        place.deinitialize(count: 1)
        place.deallocate()
    }

    // MARK: From any thread

    /// Queues a message; with `direct` writes all that is queued at once if the socket takes it, else leaves that to the loop.
    func sendFromAnywhere(_ message: Message, direct: Bool) -> Link.WriteResult {
        if loop.isCurrent { return send(message, id: nil) }
        return queueFromAnywhere(direct: direct) { link, masks, now in
            link.send(message, at: now, masks: &masks)
        }
    }

    /// Queues messages up to the first that is not taken, and writes them at once if the socket takes them.
    func sendFromAnywhere(_ messages: [Message]) -> Link.WriteResult {
        func queue(_ link: inout Link, _ masks: inout MaskKeys, _ now: Instant) -> Link.WriteResult {
            for message in messages {
                let result = link.send(message, at: now, masks: &masks)
                guard result == .queued else { return result }
            }
            return .queued
        }
        if loop.isCurrent { return change { link, masks, _ in queue(&link, &masks, loop.instant) } }
        return queueFromAnywhere(direct: true, queue)
    }

    private func queueFromAnywhere(
        direct: Bool, _ queue: (inout Link, inout MaskKeys, Instant) -> Link.WriteResult
    ) -> Link.WriteResult {
        lock.lock()
        defer { lock.unlock() }
        let result = loop.withForeignMasks { queue(&place.pointee.link, &$0, loop.instant) }
        guard place.pointee.mayWrite else { return result }
        if direct, place.pointee.link.needs.hasOutput { writeWithoutLock() }
        if place.pointee.needsLoop() {
            place.pointee.flushPosted = true
            loop.post { self.askToFinish() }
        }
        return result
    }

    /// Writes with the lock given back meanwhile: the answer may be there before the call returns, and would find the loop
    /// waiting for the lock.
    private func writeWithoutLock() {
        guard place.pointee.link.unwrittenBytes <= Self.smallWrite else {
            place.pointee.write(onLoop: false)
            return
        }
        withUnsafeTemporaryAllocation(byteCount: Self.smallWrite + Self.overhead, alignment: 16) { buffer in
            let (descriptor, bytes) = place.pointee.beginWrite(copyTo: buffer)
            guard descriptor >= 0 else { return }
            lock.unlock()
            let outcome = Descriptor.send(descriptor, bytes)
            lock.lock()
            place.pointee.endWrite(outcome)
        }
    }

    // MARK: On the loop

    func send(_ message: Message, id: SendID?) -> Link.WriteResult {
        lock.lock()
        let result = place.pointee.link.send(message, id: id, at: loop.instant, masks: &loop.masks.pointee)
        lock.unlock()
        if result == .queued { askToFinish() }
        return result
    }

    func send(_ messages: [Transmission]) {
        let now = loop.instant
        lock.lock()
        for one in messages {
            _ = place.pointee.link.send(one.message, id: one.id, at: now, masks: &loop.masks.pointee)
        }
        lock.unlock()
        askToFinish()
    }

    /// Lets `body` change the link, and does afterwards what that asks for.
    func change<Result>(_ body: (inout Link, inout MaskKeys, inout [LinkReport]) -> Result) -> Result {
        lock.lock()
        let result = body(&place.pointee.link, &loop.masks.pointee, &place.pointee.reports)
        lock.unlock()
        askToFinish()
        return result
    }

    /// The request that waits for an answer, on a server's link.
    var request: HTTPRequest? { lock.withLock { place.pointee.link.request } }

    var unwrittenBytes: Int { lock.withLock { place.pointee.link.unwrittenBytes } }

    var agreement: TLSAgreement? { lock.withLock { place.pointee.agreement } }

    func setPaused(_ paused: Bool) {
        lock.withLock { place.pointee.paused = paused }
        askToFinish()
    }

    /// Leaves TCP as it is when the link is over; see `LinkSocket`.
    func leaveOpen() {
        lock.withLock { place.pointee.leavesOpen = true }
    }

    /// Closes the socket and tells the owner nothing any more.
    ///
    /// With `reset` the peer gets an RST.
    func abandon(reset: Bool = false) {
        owner = nil
        timer = nil
        lock.withLock { place.pointee.close(on: loop, reset: reset) }
    }

    func askToFinish() {
        guard !finishAsked else { return }
        finishAsked = true
        loop.finishTurn(self)
    }

    // MARK: LoopMember

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        lock.lock()
        if readiness.contains(.failed) || (readiness.contains(.read) && !place.pointee.paused) {
            if place.pointee.read(on: loop) { progressed = true }
            // A faulty socket is reported for ever.
            if readiness.contains(.failed), place.pointee.link.needs.isOver { place.pointee.close(on: loop) }
        }
        if readiness.contains(.write) { place.pointee.writeBlocked = false }
        lock.unlock()
        askToFinish()
    }

    func turnEnds() {
        finishAsked = false
        lock.lock()
        if progressed || place.pointee.hasReports {
            var reports = place.pointee.takeReports()
            lock.unlock()
            if progressed { reports.insert(.progress, at: 0) }
            progressed = false
            owner?.stream(self, reported: &reports)
            reports.removeAll(keepingCapacity: true)
            lock.lock()
            place.pointee.giveBack(&reports)
        }
        let rest = place.pointee.endTurn(on: loop)
        let descriptor = place.pointee.descriptor
        lock.unlock()
        if rest.rearms { arm(rest.deadline) }
        if let interest = rest.interest { loop.watch(descriptor, for: interest) }
        if rest.hasReports {
            askToFinish()
        } else if rest.isOver {
            owner = nil
        }
    }

    func loopStopped() {
        owner = nil
        timer = nil
        // The loop closes the descriptor next: no thread may be writing to it.
        while !lock.withLock({ place.pointee.loopStopped() }) { SystemThread.yield() }
    }

    // MARK: Deadlines

    private func arm(_ deadline: Instant?) {
        guard let deadline else {
            timer = nil
            return
        }
        // No timer is kept while nothing is waited for: most links of a server are idle.
        if timer == nil { timer = loop.makeTimer { [unowned self] in timerFired() } }
        timer?.arm(at: deadline)
    }

    private func timerFired() {
        let now = loop.instant
        lock.withLock { place.pointee.armed = nil }
        change { link, _, reports in link.timerFired(at: now, into: &reports) }
    }
}
