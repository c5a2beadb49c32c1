// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// A connected socket and the `Link` upon it: what a `LinkStream` keeps under its lock.
///
/// A value, and every step a mutating call, so that the link is worked on in place.
struct LinkSocket {
    /// What is read after a large message: the header of the next, which is likely to be large too.
    private static let peek = 4 << 10
    /// Reads in one turn, so that one busy peer does not hold up the others.
    private static let reads = 16

    /// Who may write.
    private enum Writing: Equatable {
        /// Anybody.
        case free
        /// Nobody: the kernel took less than it was offered, and the loop waits until it takes more.
        case blocked
        /// Whoever began. Another thread does so without the lock: until it is done nobody else writes, and nobody closes
        /// the descriptor.
        case underWay(thenCloses: Bool)
        /// Nobody any more: the loop closes the descriptor when its turn ends.
        case closing
    }

    var link: Link
    /// What TLS is to be made of when the link wants it.
    private let role: TLSRole?
    private var stage = ByteStage.plain
    /// -1 once closed.
    private(set) var descriptor: Int32
    private var writing = Writing.free
    /// What the link has said and nobody was told yet.
    var reports: [LinkReport] = []
    /// Bytes came that nobody was told of yet.
    private var progressed = false
    /// What the loop's timer for the link's deadline is set to.
    var armed: Instant?
    /// Another thread has called the loop, whose turn has not ended yet.
    private var loopCalled = false
    var paused = false
    /// Leaves TCP as it is when the link is over, as some servers do; `abandon` closes it then.
    var leavesOpen = false
    /// The last message was received in its place.
    private var isLarge = false

    init(_ descriptor: Int32, _ link: Link, _ role: TLSRole?) {
        self.descriptor = descriptor
        self.link = link
        self.role = role
    }

    /// What the TLS handshake came to; nil before its end, and without TLS.
    var agreement: TLSAgreement? {
        stage.filter.flatMap { $0.isSecured ? $0.agreement : nil }
    }

    // MARK: Reading, on the loop

    /// Reads what is there, unless that is paused.
    mutating func ready(_ readiness: Readiness, on loop: EventLoop) {
        let hasFailed = readiness.contains(.failed)
        if hasFailed || (readiness.contains(.read) && !paused) { read(on: loop) }
        // A faulty socket is reported for ever.
        if hasFailed, link.needs.isOver { close(on: loop) }
        if readiness.contains(.write), writing == .blocked { writing = .free }
    }

    private mutating func read(on loop: EventLoop) {
        let now = loop.instant
        for _ in 0..<Self.reads where descriptor >= 0 {
            let needs = link.needs
            // What comes behind a proxy's answer is for TLS, which is put there when the turn ends.
            guard needs.isReading, stage.filter != nil || !needs.isSecuring else { return }
            let (count, room) = stage.read(
                descriptor, atMost: isLarge ? Self.peek : .max, on: loop, at: now, to: &link, into: &reports)
            if count > 0 {
                progressed = true
                isLarge = needs.missingBytes >= ByteStage.inPlace
            }
            // The socket gave less than it could have: it is empty, and asking again would only be told so.
            if count < room { return }
        }
    }

    /// Puts TLS before the link when the link wants it.
    private mutating func secureIfNeeded(at now: Instant) {
        guard stage.filter == nil, link.needs.isSecuring else { return }
        guard let filter = role?.makeFilter() else {
            return link.failed(LinkFailure(.unavailable, "There is no memory for TLS."), into: &reports)
        }
        stage = .secured(filter)
        stage.shakeHands(for: &link, at: now, into: &reports)
    }

    // MARK: Writing

    /// What is being written.
    struct Write {
        let descriptor: Int32
        let bytes: ArraySlice<UInt8>
        fileprivate let stage: ByteStage

        func send() -> Transfer { stage.send(bytes, to: descriptor) }
    }

    /// Begins to write all output; nil when that cannot come to anything now.
    ///
    /// `send` the write, with or without the lock, and call `endWrite`.
    mutating func beginWrite() -> Write? {
        guard writing == .free, descriptor >= 0 else { return nil }
        let bytes = stage.output(of: &link, into: &reports)
        guard !bytes.isEmpty else { return nil }
        writing = .underWay(thenCloses: false)
        return Write(descriptor: descriptor, bytes: bytes, stage: stage)
    }

    /// Counts what was written.
    mutating func endWrite(_ outcome: Transfer) {
        writing = writing == .underWay(thenCloses: true) ? .closing : .free
        stage.wrote(outcome.count, of: &link, into: &reports)
    }

    /// Offers the kernel all output, on the loop.
    ///
    /// Whatever keeps another thread's write from its end is left to this, which comes to the same: a socket that failed may
    /// hold what the peer said before, and the loop reads first.
    private mutating func flush(at now: Instant) {
        while let write = beginWrite() {
            let outcome = write.send()
            endWrite(outcome)
            if case .failed = outcome { return link.hear(outcome, at: now, into: &reports) }
            if outcome.count < write.bytes.count { writing = .blocked }
        }
    }

    /// Whether another thread must call the loop, for what it could not do itself; it has called it then.
    mutating func callsLoop() -> Bool {
        guard !loopCalled, needsLoop() else { return false }
        loopCalled = true
        return true
    }

    private mutating func needsLoop() -> Bool {
        guard descriptor >= 0 else { return false }
        switch writing {
        case .blocked, .underWay: return false
        case .closing: return true
        case .free:
            let needs = link.needs
            let hasOutput = needs.hasOutput || stage.filter?.hasOutput == true
            return hasOutput || hasReports || needs.deadline != armed
        }
    }

    // MARK: The turn's end

    /// Whether there is something that nobody was told yet.
    private var hasReports: Bool { progressed || !reports.isEmpty }

    mutating func takeReports() -> [LinkReport] {
        guard hasReports else { return [] }
        var taken: [LinkReport] = []
        swap(&taken, &reports)
        if progressed { taken.insert(.progress, at: 0) }
        progressed = false
        return taken
    }

    /// Keeps the memory of an array that was handed over, if it is small enough for an idle link to own.
    mutating func giveBack(_ reports: inout [LinkReport]) {
        if self.reports.isEmpty, (1...8).contains(reports.capacity) { swap(&reports, &self.reports) }
    }

    /// What is to be done for a socket at the end of a turn.
    struct Rest {
        var isOver: Bool
        var deadline: Instant?
        /// The timer is set to another time than `deadline`.
        var rearms: Bool
        /// Something came up that nobody was told yet.
        var hasReports: Bool
        /// -1 once closed.
        var descriptor: Int32
        var interest: Interest
    }

    /// Writes, and ends TCP as far as the link allows.
    mutating func endTurn(on loop: EventLoop) -> Rest {
        let now = loop.instant
        loopCalled = false
        secureIfNeeded(at: now)
        if link.needs.mayShutDownWriting { stage.filter?.end() }
        flush(at: now)
        let needs = link.needs
        if writing == .closing || (needs.isOver && !leavesOpen) {
            close(on: loop)
        } else if !leavesOpen, needs.mayShutDownWriting, stage.filter?.hasOutput != true {
            TCPSocket.endWriting(descriptor)
        }
        let deadline = needs.isOver ? nil : needs.deadline
        defer { armed = deadline }
        return Rest(
            isOver: needs.isOver, deadline: deadline, rearms: deadline != armed, hasReports: hasReports,
            descriptor: descriptor, interest: interest(of: needs))
    }

    private func interest(of needs: Link.Needs) -> Interest {
        // After its end a socket stays readable for ever, which would turn the loop without end.
        var interest: Interest = !paused && needs.isReading ? .read : []
        if writing == .blocked { interest.insert(.write) }
        return interest
    }

    /// Closes the socket; with `reset` the peer gets an RST.
    mutating func close(on loop: EventLoop, reset: Bool = false) {
        guard descriptor >= 0 else { return }
        if reset { TCPSocket.resetOnClose(descriptor) }
        if case .underWay = writing {
            writing = .underWay(thenCloses: true)
            return
        }
        if !reset, let filter = stage.filter {
            filter.end()
            // What the kernel does not take now is lost with the connection.
            _ = stage.send(filter.output, to: descriptor)
        }
        loop.close(descriptor)
        descriptor = -1
    }

    /// Lets go of the descriptor, which the loop closes; false while a thread is writing to it.
    mutating func loopStopped() -> Bool {
        if case .underWay = writing { return false }
        descriptor = -1
        return true
    }
}
