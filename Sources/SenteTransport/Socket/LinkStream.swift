// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// Whoever made a stream and is told what came of it. Called on the loop.
protocol LinkStreamOwner: AnyObject {
    /// What one turn brought: which messages were written, whether bytes came, and what they meant.
    func stream(_ stream: LinkStream, wrote: [SendID], progressed: Bool, events: [LinkEvent])
}

/// A connected socket with the `Link` upon it: reads, hands over once a turn, writes once a turn, and closes.
///
/// It lives on the loop. Only `sendFromAnywhere` comes from other threads; for its sake the link and the descriptor are
/// under a lock, which is never held while someone else's code runs.
final class LinkStream: LoopMember, @unchecked Sendable {
    /// How much of a message must be missing to be received in its place, instead of by way of the loop's scratch memory.
    private static let inPlace = 8 << 10
    /// Reads in one turn, so that one busy peer does not hold up the others.
    private static let reads = 16

    let loop: EventLoop
    private let lock = Lock()

    // Under the lock.
    private var link: Link
    private var descriptor: Int32
    private var events: [LinkEvent] = []
    private var wrote: [SendID] = []
    /// Another thread has posted a flush that has not run.
    private var flushPosted = false
    /// The kernel took less than it was offered; the loop waits until it takes more.
    private var writeBlocked = false

    // The loop's own.
    private var owner: (any LinkStreamOwner)?
    private var progressed = false
    private var paused = false
    /// Leaves TCP as it is when the link is over, as some servers do; `abandon` closes it then.
    var leavesOpen = false
    private var endSeen = false
    private var writingEnded = false
    private var finishAsked = false
    private var timer: (any HostTimer)?
    private var armed: Instant?

    /// Takes over a descriptor that the loop has adopted; the caller passes its readiness to this stream.
    init(_ descriptor: Int32, _ link: Link, on loop: EventLoop, owner: any LinkStreamOwner) {
        self.loop = loop
        self.descriptor = descriptor
        self.link = link
        self.owner = owner
    }

    // MARK: From any thread

    /// Queues a message; with `direct` writes all that is queued at once if the socket takes it, else leaves that to the loop.
    func sendFromAnywhere(_ message: Message, direct: Bool) -> Link.Verdict {
        if loop.isCurrent { return send(message, id: nil) }
        lock.lock()
        defer { lock.unlock() }
        let verdict = loop.withForeignMasks { link.send(message, masks: &$0) }
        guard verdict == .queued, !writeBlocked else { return verdict }
        if direct { writeOutput() }
        if link.hasOutput, !flushPosted {
            flushPosted = true
            loop.post { self.askToFinish() }
        }
        return verdict
    }

    // MARK: On the loop

    func send(_ message: Message, id: SendID?) -> Link.Verdict {
        let verdict = lock.withLock { link.send(message, id: id, masks: &loop.masks) }
        if verdict == .queued { askToFinish() }
        return verdict
    }

    func send(_ messages: [(SendID, Message)]) {
        lock.withLock {
            for (id, message) in messages { _ = link.send(message, id: id, masks: &loop.masks) }
        }
        askToFinish()
    }

    /// Lets `body` change the link, and does afterwards what that asks for.
    func change<Result>(_ body: (inout Link, inout MaskKeys, inout [LinkEvent]) -> Result) -> Result {
        let result = lock.withLock { body(&link, &loop.masks, &events) }
        askToFinish()
        return result
    }

    var unwrittenBytes: Int { lock.withLock { link.unwrittenBytes } }

    func setPaused(_ paused: Bool) {
        self.paused = paused
        updateInterest()
    }

    /// Closes the socket and tells the owner nothing any more. With `reset` the peer gets an RST.
    func abandon(reset: Bool = false) {
        owner = nil
        lock.withLock {
            if reset, descriptor >= 0 { TCPSocket.resetOnClose(descriptor) }
            closeDescriptor()
        }
        timer = nil
    }

    func askToFinish() {
        guard !finishAsked else { return }
        finishAsked = true
        loop.finishTurn(self)
    }

    // MARK: LoopMember

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        if readiness.contains(.failed) || (readiness.contains(.read) && !paused) {
            lock.withLock {
                readAll()
                // A faulty socket is reported for ever.
                if readiness.contains(.failed), link.isOver { closeDescriptor() }
            }
        }
        if readiness.contains(.write) { lock.withLock { writeBlocked = false } }
        askToFinish()
    }

    func turnEnds() {
        finishAsked = false
        handOver()
        lock.lock()
        flushPosted = false
        if !writeBlocked { writeOutput() }
        let isOver = link.isOver
        if isOver {
            if !leavesOpen { closeDescriptor() }
        } else if !writingEnded, !leavesOpen, link.mayShutDownWriting {
            writingEnded = true
            TCPSocket.endWriting(descriptor)
        }
        let deadline = link.deadline
        let more = !events.isEmpty || !wrote.isEmpty
        lock.unlock()
        arm(isOver ? nil : deadline)
        updateInterest()
        if more {
            askToFinish()
        } else if isOver {
            owner = nil
        }
    }

    func loopStopped() {
        owner = nil
        timer = nil
        lock.withLock { descriptor = -1 }
    }

    // MARK: - Reading, under the lock

    private func readAll() {
        let now = loop.instant
        for _ in 0..<Self.reads where descriptor >= 0 && !link.isOver && !endSeen {
            let (outcome, room) = link.missingBytes >= Self.inPlace ? readInPlace(now) : readScratch(now)
            switch outcome {
            case .bytes(let count):
                progressed = true
                // The socket gave less than it could have: it is empty, and asking again would only be told so.
                if count < room { return }
            case .wouldBlock: return
            case .end:
                endSeen = true
                link.receivedEnd(at: now, into: &events)
            case .failed(let code): fail(code)
            }
        }
    }

    private func readScratch(_ now: Instant) -> (Transfer, room: Int) {
        let scratch = loop.scratch
        let outcome = Descriptor.receive(descriptor, into: scratch)
        if case .bytes(let count) = outcome {
            let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
            link.receive(bytes, at: now, masks: &loop.masks, into: &events)
        }
        return (outcome, scratch.count)
    }

    private func readInPlace(_ now: Instant) -> (Transfer, room: Int) {
        var outcome = Transfer.wouldBlock
        var room = 0
        link.fill(at: now, masks: &loop.masks, into: &events) { region in
            room = region.count
            outcome = Descriptor.receive(descriptor, into: region)
            if case .bytes(let count) = outcome { return count }
            return 0
        }
        return (outcome, room)
    }

    private func fail(_ code: Int32) {
        link.failed(Platform.failure(code, "The connection", kind: .lost), into: &events)
    }

    // MARK: - Writing, under the lock

    private func writeOutput() {
        guard link.hasOutput, descriptor >= 0 else { return }
        var problem: Int32?
        link.withOutput(wrote: &wrote) { bytes in
            switch Descriptor.send(descriptor, bytes) {
            case .bytes(let count):
                writeBlocked = count < bytes.count
                return count
            case .failed(let code): problem = code
            case .wouldBlock, .end: writeBlocked = true
            }
            return 0
        }
        // Another thread leaves the failure to the loop, which comes to the same write.
        if let problem, loop.isCurrent { fail(problem) }
    }

    private func closeDescriptor() {
        guard descriptor >= 0 else { return }
        loop.close(descriptor)
        descriptor = -1
    }

    // MARK: - The turn's end

    private func handOver() {
        lock.lock()
        let (events, wrote) = (self.events, self.wrote)
        if !events.isEmpty { self.events = [] }
        if !wrote.isEmpty { self.wrote = [] }
        lock.unlock()
        let progressed = self.progressed
        self.progressed = false
        guard !events.isEmpty || !wrote.isEmpty || progressed else { return }
        owner?.stream(self, wrote: wrote, progressed: progressed, events: events)
    }

    private func arm(_ deadline: Instant?) {
        guard armed != deadline else { return }
        armed = deadline
        guard let deadline else {
            timer = nil
            return
        }
        if timer == nil { timer = loop.makeTimer { [unowned self] in timerFired() } }
        timer?.arm(at: deadline)
    }

    private func timerFired() {
        armed = nil
        change { link, _, events in link.timerFired(at: self.loop.instant, into: &events) }
    }

    private func updateInterest() {
        lock.lock()
        let watched = descriptor
        var interest: Interest = []
        // After its end a socket stays readable for ever, which would turn the loop without end.
        if !paused, !endSeen, !link.isOver { interest.insert(.read) }
        if writeBlocked, link.hasOutput { interest.insert(.write) }
        lock.unlock()
        if watched >= 0 { loop.watch(watched, for: interest) }
    }
}
