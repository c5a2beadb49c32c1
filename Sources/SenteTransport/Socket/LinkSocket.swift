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
    /// -1 once closed.
    private(set) var descriptor: Int32
    /// What the link has said and nobody was told yet.
    var events: [LinkEvent] = []
    private var wrote: [SendID] = []
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

    init(_ descriptor: Int32, _ link: Link) {
        self.descriptor = descriptor
        self.link = link
    }

    // MARK: Reading, on the loop

    /// Reads what is there; whether any bytes came.
    mutating func read(on loop: EventLoop) -> Bool {
        let now = loop.instant
        var progressed = false
        for _ in 0..<Self.reads where descriptor >= 0 && !endSeen {
            let wants = link.look()
            guard !wants.isOver else { return progressed }
            let (outcome, room) =
                wants.missingBytes >= Self.inPlace
                ? readInPlace(loop, now) : readScratch(loop, now, atMost: isLarge ? Self.peek : .max)
            switch outcome {
            case .bytes(let count):
                progressed = true
                // The socket gave less than it could have: it is empty, and asking again would only be told so.
                if count < room { return true }
            case .wouldBlock: return progressed
            case .end:
                endSeen = true
                link.receivedEnd(at: now, into: &events)
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
            link.receive(bytes, at: now, masks: &loop.masks.pointee, into: &events)
        }
        return (outcome, scratch.count)
    }

    private mutating func readInPlace(_ loop: EventLoop, _ now: Instant) -> (Transfer, room: Int) {
        let source = descriptor
        var outcome = Transfer.wouldBlock
        var room = 0
        link.fill(at: now, masks: &loop.masks.pointee, into: &events) { region in
            room = region.count
            outcome = Descriptor.receive(source, into: region)
            if case .bytes(let count) = outcome { return count }
            return 0
        }
        isLarge = true
        return (outcome, room)
    }

    private mutating func fail(_ code: Int32) {
        link.failed(Platform.failure(code, "The connection", kind: .lost), into: &events)
    }

    // MARK: Writing

    /// Whether a write could come to something now.
    var mayWrite: Bool { !writeBlocked && !writing && descriptor >= 0 }

    /// Whether another thread must call the loop for what it could not do itself.
    mutating func needsLoop() -> Bool {
        let wants = link.look()
        return !flushPosted && (wants.hasOutput || closesAfterWriting || wants.deadline == .distantPast)
    }

    /// Offers the kernel all output.
    ///
    /// A failure is left to the loop, which comes to the same write.
    mutating func write(onLoop: Bool) {
        guard mayWrite else { return }
        let target = descriptor
        var blocked = false
        var problem: Int32?
        var offered = 0
        repeat {
            link.withOutput(wrote: &wrote) { bytes in
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
        } while offered > Self.peek && !blocked && problem == nil && link.look().hasOutput
        writeBlocked = blocked
        if onLoop, let problem { fail(problem) }
    }

    /// Copies all output, for a write without the lock.
    ///
    /// Call `endWrite` unless the descriptor is -1.
    mutating func beginWrite(
        copyTo buffer: UnsafeMutableRawBufferPointer
    ) -> (descriptor: Int32, bytes: UnsafeRawBufferPointer) {
        var count = 0
        link.withOutput(wrote: &wrote) { bytes in
            count = min(bytes.count, buffer.count)
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            return 0
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
        link.withOutput(wrote: &wrote) { _ in count }
    }

    // MARK: The turn's end

    /// Whether there is something that nobody was told yet.
    var hasNews: Bool { !events.isEmpty || !wrote.isEmpty }

    mutating func takeNews() -> ([LinkEvent], [SendID]) {
        var news: ([LinkEvent], [SendID]) = ([], [])
        swap(&news.0, &events)
        swap(&news.1, &wrote)
        return news
    }

    /// Keeps the memory of an array that was handed over, if it is small enough for an idle link to own.
    mutating func giveBack(_ events: inout [LinkEvent]) {
        if self.events.isEmpty, events.isEmpty, events.capacity <= 8 { swap(&events, &self.events) }
    }

    /// What is to be done for a socket at the end of a turn.
    struct Rest {
        var isOver: Bool
        var deadline: Instant?
        /// Something came up that nobody was told yet.
        var hasNews: Bool
        /// Nil when the socket is closed.
        var interest: Interest?
    }

    /// Writes, and ends TCP as far as the link allows.
    mutating func endTurn(on loop: EventLoop) -> Rest {
        flushPosted = false
        write(onLoop: true)
        let wants = link.look()
        if closesAfterWriting {
            close(on: loop)
        } else if wants.isOver {
            if !leavesOpen { close(on: loop) }
        } else if !writingEnded, !leavesOpen, wants.mayShutDownWriting {
            writingEnded = true
            TCPSocket.endWriting(descriptor)
        }
        return Rest(
            isOver: wants.isOver, deadline: wants.isOver ? nil : wants.deadline, hasNews: hasNews,
            interest: descriptor >= 0 ? interest(isOver: wants.isOver) : nil)
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
