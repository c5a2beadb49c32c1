// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// A connected socket and the `Link` upon it: what a `LinkStream` keeps under its lock.
///
/// A value, and every step a mutating call, so that the link is worked on in place.
struct LinkSocket {
    /// How much of a message must be missing to be received in its place, instead of by way of the loop's scratch memory.
    private static let inPlace = 8 << 10
    /// What is read after a large message: the header of the next, which is likely to be large too.
    private static let peek = 4 << 10
    /// Reads in one turn, so that one busy peer does not hold up the others.
    private static let reads = 16

    var link: Link
    /// What the link's filter is to be made of when it wants one.
    private let role: TLSRole?
    private var filter: TLSFilter?
    /// -1 once closed.
    private(set) var descriptor: Int32
    /// What the link has said and nobody was told yet.
    var reports: [LinkReport] = []
    /// What the loop's timer for the link's deadline is set to.
    var armed: Instant?
    /// Another thread has posted a flush that has not run.
    var flushPosted = false
    /// The kernel took less than it was offered; the loop waits until it takes more.
    var writeBlocked = false
    /// Another thread is writing, without the lock; until it is done nobody else writes, and nobody closes the descriptor.
    private var writing = false
    private var closesAfterWriting = false
    var paused = false
    /// Leaves TCP as it is when the link is over, as some servers do; `abandon` closes it then.
    var leavesOpen = false
    private var endSeen = false
    private var writingEnded = false
    /// The last message was received in its place.
    private var isLarge = false

    init(_ descriptor: Int32, _ link: Link, _ role: TLSRole?) {
        self.descriptor = descriptor
        self.link = link
        self.role = role
    }

    // MARK: Reading, on the loop

    /// Reads what is there; whether any bytes came.
    mutating func read(on loop: EventLoop) -> Bool {
        let now = loop.instant
        var progressed = false
        for _ in 0..<Self.reads where descriptor >= 0 && !endSeen {
            let needs = link.needs
            // What comes behind a proxy's answer is for the filter, which is put there when the turn ends.
            guard !needs.isOver, filter != nil || !needs.isSecuring else { return progressed }
            let (outcome, room) =
                filter != nil
                ? readSecured(loop, now)
                : needs.missingBytes >= Self.inPlace
                    ? readInPlace(loop, now) : readScratch(loop, now, atMost: isLarge ? Self.peek : .max)
            switch outcome {
            case .bytes(let count):
                progressed = true
                // The socket gave less than it could have: it is empty, and asking again would only be told so.
                if count < room { return true }
            case .wouldBlock: return progressed
            case .end:
                endSeen = true
                link.receivedEnd(at: now, into: &reports)
            case .failed(let code): fail(code)
            }
        }
        return progressed
    }

    private mutating func readScratch(
        _ loop: EventLoop, _ now: Instant, atMost limit: Int
    ) -> (Transfer, room: Int) {
        let scratch = UnsafeMutableRawBufferPointer(rebasing: loop.scratch.prefix(limit))
        let outcome = Descriptor.receive(descriptor, into: scratch)
        if case .bytes(let count) = outcome {
            let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
            isLarge = false
            link.receive(bytes, at: now, masks: &loop.masks.pointee, into: &reports)
        }
        return (outcome, scratch.count)
    }

    private mutating func readInPlace(_ loop: EventLoop, _ now: Instant) -> (Transfer, room: Int) {
        let source = descriptor
        var outcome = Transfer.wouldBlock
        var room = 0
        link.fill(at: now, masks: &loop.masks.pointee, into: &reports) { region in
            room = region.count
            outcome = Descriptor.receive(source, into: region)
            if case .bytes(let count) = outcome { return count }
            return 0
        }
        isLarge = true
        return (outcome, room)
    }

    private mutating func fail(_ code: Int32) {
        let action = link.needs.isSecuring ? "The TLS handshake" : "The connection"
        link.failed(Platform.failure(code, action, kind: .lost), into: &reports)
    }

    // MARK: Reading through TLS

    /// Puts the filter before the link when the link wants it.
    private mutating func secureIfNeeded(at now: Instant) {
        guard filter == nil, link.needs.isSecuring else { return }
        filter = role?.makeFilter()
        if filter == nil {
            link.failed(LinkFailure(.unavailable, "There is no memory for TLS."), into: &reports)
        } else {
            shakeHands(at: now)
        }
    }

    private mutating func shakeHands(at now: Instant) {
        switch filter?.shakeHands() {
        case .bytes: link.secured()
        case .end: link.receivedEnd(at: now, into: &reports)
        case .failed(let failure): link.failed(failure, into: &reports)
        case .wantsMore, nil: break
        }
    }

    /// One half of the loop's scratch memory takes what comes, the other what was inside.
    private mutating func readSecured(_ loop: EventLoop, _ now: Instant) -> (Transfer, room: Int) {
        let half = loop.scratch.count / 2
        let outside = UnsafeMutableRawBufferPointer(rebasing: loop.scratch[..<half])
        let inside = UnsafeMutableRawBufferPointer(rebasing: loop.scratch[half...])
        let outcome = Descriptor.receive(descriptor, into: outside)
        guard case .bytes(let count) = outcome, let filter else { return (outcome, half) }
        filter.give(UnsafeRawBufferPointer(rebasing: outside[..<count]))
        if link.needs.isSecuring { shakeHands(at: now) }
        if filter.isSecured { pass(filter, by: inside, loop, now) }
        // Nobody looks at what a link that is over has left.
        filter.give(UnsafeRawBufferPointer(start: nil, count: 0))
        return (outcome, half)
    }

    /// Passes everything on that is inside what came.
    private mutating func pass(
        _ filter: TLSFilter, by scratch: UnsafeMutableRawBufferPointer, _ loop: EventLoop, _ now: Instant
    ) {
        var step = TLSFilter.Step.wantsMore
        repeat {
            let needs = link.needs
            guard !needs.isOver else { return }
            if needs.missingBytes >= Self.inPlace {
                link.fill(at: now, masks: &loop.masks.pointee, into: &reports) { region in
                    step = filter.read(into: region)
                    if case .bytes(let count) = step { return count }
                    return 0
                }
            } else {
                step = filter.read(into: scratch)
                guard case .bytes(let count) = step else { continue }
                let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
                link.receive(bytes, at: now, masks: &loop.masks.pointee, into: &reports)
            }
        } while step.isBytes
        switch step {
        case .bytes, .wantsMore: break
        case .end:
            endSeen = true
            link.receivedEnd(at: now, into: &reports)
        case .failed(let failure): link.failed(failure, into: &reports)
        }
    }

    /// What the TLS handshake came to; nil before its end, and without TLS.
    var agreement: TLSAgreement? { filter?.isSecured == true ? filter?.agreement : nil }

    // MARK: Writing

    /// Whether a write could come to something now.
    var mayWrite: Bool { !writeBlocked && !writing && descriptor >= 0 }

    /// Whether another thread must call the loop for what it could not do itself.
    mutating func needsLoop() -> Bool {
        let needs = link.needs
        let hasOutput = needs.hasOutput || filter?.hasOutput == true
        return !flushPosted && (hasOutput || closesAfterWriting || needs.deadline != armed)
    }

    /// Offers the kernel all output.
    ///
    /// A failure is left to the loop, which comes to the same write.
    mutating func write(onLoop: Bool) {
        guard mayWrite else { return }
        if let filter { return write(through: filter, onLoop: onLoop) }
        let target = descriptor
        var blocked = false
        var problem: Int32?
        var offered = 0
        repeat {
            link.withOutput(into: &reports) { bytes in
                offered = bytes.count
                switch Descriptor.send(target, bytes) {
                case .bytes(let count):
                    blocked = count < bytes.count
                    return count
                case .failed(let code): problem = code
                case .wouldBlock, .end: blocked = true
                }
                return 0
            }
            // The end of a congestion can bring the answer to a ping that was kept back.
        } while offered > Self.peek && !blocked && problem == nil && link.needs.hasOutput
        writeBlocked = blocked
        if onLoop, let problem { fail(problem) }
    }

    /// Encrypts and writes all output.
    ///
    /// What is encrypted counts as written only when the kernel has taken all of it.
    private mutating func write(through filter: TLSFilter, onLoop: Bool) {
        let target = descriptor
        while true {
            var problem: Int32?
            filter.withOutput { bytes in
                switch Descriptor.send(target, bytes) {
                case .bytes(let count): return count
                case .failed(let code): problem = code
                case .wouldBlock, .end: break
                }
                return 0
            }
            if let problem {
                if onLoop { fail(problem) }
                return
            }
            writeBlocked = filter.hasOutput
            guard !writeBlocked else { return }
            settle(filter)
            guard link.needs.hasOutput, encrypt(filter, onLoop: onLoop) else { return }
        }
    }

    /// Counts as written what was encrypted and has left.
    private mutating func settle(_ filter: TLSFilter) {
        guard filter.unsettled > 0, !filter.hasOutput else { return }
        let count = filter.unsettled
        filter.unsettled = 0
        link.withOutput(into: &reports) { _ in count }
    }

    /// Encrypts the front of the link's output, unless some is under way; whether there is anything to send then.
    private mutating func encrypt(_ filter: TLSFilter, onLoop: Bool) -> Bool {
        guard filter.isSecured, filter.unsettled == 0 else { return filter.hasOutput }
        var step = TLSFilter.Step.wantsMore
        link.withOutput(into: &reports) { bytes in
            step = filter.write(bytes)
            if case .bytes(let count) = step { filter.unsettled = count }
            return 0
        }
        if onLoop, case .failed(let failure) = step { link.failed(failure, into: &reports) }
        return filter.hasOutput
    }

    /// Copies all output, for a write without the lock.
    ///
    /// Call `endWrite` unless the descriptor is -1.
    mutating func beginWrite(
        copyTo buffer: UnsafeMutableRawBufferPointer
    ) -> (descriptor: Int32, bytes: UnsafeRawBufferPointer) {
        var count = 0
        func copy(_ bytes: UnsafeRawBufferPointer) -> Int {
            count = min(bytes.count, buffer.count)
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            return 0
        }
        if let filter {
            if encrypt(filter, onLoop: false) { filter.withOutput(copy) }
        } else {
            link.withOutput(into: &reports, copy)
        }
        guard count > 0 else { return (-1, UnsafeRawBufferPointer(start: nil, count: 0)) }
        writing = true
        return (descriptor, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }

    /// Counts what was written.
    ///
    /// A failure leaves all of it to the loop.
    mutating func endWrite(_ outcome: Transfer) {
        writing = false
        guard case .bytes(let count) = outcome, count > 0 else { return }
        // Meanwhile output was only added to, or all of it dropped because the link is over.
        if let filter {
            filter.withOutput { _ in count }
            settle(filter)
        } else {
            link.withOutput(into: &reports) { _ in count }
        }
    }

    // MARK: The turn's end

    /// Whether there is something that nobody was told yet.
    var hasReports: Bool { !reports.isEmpty }

    mutating func takeReports() -> [LinkReport] {
        var taken: [LinkReport] = []
        swap(&taken, &reports)
        return taken
    }

    /// Keeps the memory of an array that was handed over, if it is small enough for an idle link to own.
    mutating func giveBack(_ reports: inout [LinkReport]) {
        if self.reports.isEmpty, reports.isEmpty, reports.capacity <= 8 { swap(&reports, &self.reports) }
    }

    /// What is to be done for a socket at the end of a turn.
    struct Rest {
        var isOver: Bool
        var deadline: Instant?
        /// The timer is set to another time than `deadline`.
        var rearms: Bool
        /// Something came up that nobody was told yet.
        var hasReports: Bool
        /// Nil when the socket is closed.
        var interest: Interest?
    }

    /// Writes, and ends TCP as far as the link allows.
    mutating func endTurn(on loop: EventLoop) -> Rest {
        flushPosted = false
        secureIfNeeded(at: loop.instant)
        if link.needs.mayShutDownWriting { filter?.end() }
        write(onLoop: true)
        let needs = link.needs
        if closesAfterWriting {
            close(on: loop)
        } else if needs.isOver {
            if !leavesOpen { close(on: loop) }
        } else if !writingEnded, !leavesOpen, needs.mayShutDownWriting, filter?.hasOutput != true {
            writingEnded = true
            TCPSocket.endWriting(descriptor)
        }
        let deadline = needs.isOver ? nil : needs.deadline
        defer { armed = deadline }
        return Rest(
            isOver: needs.isOver, deadline: deadline, rearms: deadline != armed, hasReports: hasReports,
            interest: descriptor >= 0 ? interest(isOver: needs.isOver) : nil)
    }

    private func interest(isOver: Bool) -> Interest {
        // After its end a socket stays readable for ever, which would turn the loop without end.
        var interest: Interest = !paused && !endSeen && !isOver ? .read : []
        if writeBlocked { interest.insert(.write) }
        return interest
    }

    /// Closes the socket; with `reset` the peer gets an RST.
    mutating func close(on loop: EventLoop, reset: Bool = false) {
        guard descriptor >= 0 else { return }
        if reset { TCPSocket.resetOnClose(descriptor) }
        guard !writing else {
            closesAfterWriting = true
            return
        }
        if !reset, let filter {
            filter.end()
            // What the kernel does not take now is lost with the connection.
            let target = descriptor
            filter.withOutput { if case .bytes(let count) = Descriptor.send(target, $0) { count } else { 0 } }
        }
        loop.close(descriptor)
        descriptor = -1
    }

    /// Lets go of the descriptor, which the loop closes; false while a thread is writing to it.
    mutating func loopStopped() -> Bool {
        guard !writing else { return false }
        descriptor = -1
        return true
    }
}
