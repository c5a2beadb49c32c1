// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteSocket

#if canImport(ObjectiveC)
import ObjectiveC
#endif

/// One thread that waits for sockets, deadlines and posted work, and runs what belongs to them.
///
/// A turn, in this order:
/// 1. read the clock, then wait for the sockets and look at all of them;
/// 2. tell the members whose descriptors are ready, which read;
/// 3. run what was posted;
/// 4. let the members that asked for it hand over and write, and do in rounds what that brings about;
/// 5. fire what was due by the clock of 1, and let members write again.
///
/// So everything a wake-up brought is handed over once, and everything sent meanwhile leaves in one write. And nothing
/// is declared late while what would have been in time has not been read: the process may stand still at any point
/// (SIGSTOP, a laptop's lid), and what came before the instant of 1 is seen by the look after it. Whatever is called on the
/// loop must not block: it would hold up every connection there.
///
/// A loop lives until `shutDown()`; its thread keeps it.
package final class EventLoop: Host, @unchecked Sendable {
    /// How a loop waits.
    package enum Polling: Hashable, Sendable, CaseIterable {
        #if os(Linux) || os(Android)
        case epoll
        #endif
        case poll

        /// The best the system has.
        package static var standard: Polling { allCases.first ?? .poll }
    }

    private struct Slot {
        var member: (any LoopMember)?
        var generation: UInt32 = 0
        var interest: Interest = []
    }

    // Shared between threads, under the lock.
    private let lock = Lock()
    private var inbox: [@Sendable () -> Void] = []
    private var sleeping = false
    private var stopping = false
    private var stopped = false
    private var thread: SystemThread?

    /// What only the loop's thread touches; a turn must not pay for run-time checks of exclusive access.
    private struct State {
        var slots: [Slot] = []
        var timers = TimerHeap()
        var finishing: [any LoopMember] = []
        /// Those whose turn is ending: the other of two arrays that take turns, so that neither is made anew.
        var ending: [any LoopMember] = []
        /// Work was posted from the loop itself and should run in the same turn.
        var postedHere = false
        var openDescriptors = 0
    }

    // The loop's own.
    private let poller: any Poller
    private let own: UnsafeMutablePointer<State>
    private let area: UnsafeMutableRawBufferPointer
    /// The pool of every link here.
    ///
    /// Other threads have one of their own, under its lock.
    let masks: UnsafeMutablePointer<MaskKeys>
    let pathObservers = PathObservers()
    private let foreignLock = Lock()
    private var foreignMasks = MaskKeys(.system)

    /// How often one turn lets members hand over again before it looks at the sockets.
    private static let rounds = 4

    /// Starts a loop and its thread.
    package convenience init(polling: Polling = .standard) throws(LinkFailure) {
        switch polling {
        #if os(Linux) || os(Android)
        case .epoll: try self.init(poller: EpollPoller())
        #endif
        case .poll: try self.init(poller: PollPoller())
        }
    }

    /// Waits by `poller`, which becomes the loop's.
    package init(poller: sending any Poller) throws(LinkFailure) {
        self.poller = poller
        area = .allocate(byteCount: 256 << 10, alignment: 64)
        own = .allocate(capacity: 1)
        own.initialize(to: State())
        masks = .allocate(capacity: 1)
        masks.initialize(to: MaskKeys(.system))
        // The thread starts by taking the lock, so that it sees `thread`.
        lock.lock()
        defer { lock.unlock() }
        thread = try SystemThread(name: "sente-loop") { self.run() }
    }

    deinit {
        // Here, not when the loop stops: a thread that posts may be about to wake the poller.
        poller.close()
        area.deallocate()
        own.deinitialize(count: 1)
        own.deallocate()
        masks.deinitialize(count: 1)
        masks.deallocate()
    }

    // MARK: Host

    package var now: Moment {
        Moment(
            instant: Instant(nanoseconds: Platform.monotonicNanoseconds()),
            wallMilliseconds: Platform.wallMilliseconds())
    }

    package var entropy: Entropy { .system }

    package var isCurrent: Bool { thread?.isCurrent ?? false }

    package func post(_ work: @escaping @Sendable () -> Void) {
        _ = tryPost(work)
    }

    /// Posts, or says that the loop has been shut down.
    func tryPost(_ work: @escaping @Sendable () -> Void) -> Bool {
        lock.lock()
        guard !stopped else {
            lock.unlock()
            return false
        }
        inbox.append(work)
        let wake = sleeping
        sleeping = false
        lock.unlock()
        if wake {
            poller.wake()
        } else if isCurrent {
            own.pointee.postedHere = true
        }
        return true
    }

    package func makeTimer(_ fire: @escaping @Sendable () -> Void) -> any HostTimer {
        LoopTimer(self, fire)
    }

    // MARK: Ending

    /// Stops the loop: closes every descriptor, drops own.pointee.timers and posted work, and waits for the thread to end.
    ///
    /// Links report nothing more. Called on the loop it cannot wait, and returns at once.
    package func shutDown() {
        lock.lock()
        let first = !stopping
        stopping = true
        let wake = sleeping
        sleeping = false
        lock.unlock()
        if wake { poller.wake() }
        guard first, let thread else { return }
        if thread.isCurrent { thread.detach() } else { thread.join() }
    }

    // MARK: For members, on the loop

    /// Where to receive what has no better place; valid within one call.
    var scratch: UnsafeMutableRawBufferPointer { area }

    /// Nanoseconds of the clock; cheaper than `now`.
    var instant: Instant { Instant(nanoseconds: Platform.monotonicNanoseconds()) }

    /// Mask keys for a thread that is not the loop's.
    func withForeignMasks<Result>(_ body: (inout MaskKeys) -> Result) -> Result {
        foreignLock.withLock { body(&foreignMasks) }
    }

    /// Watches a descriptor, which belongs to the loop from now on; `close` gives it back.
    ///
    /// On failure it stays the caller's.
    package func adopt(_ descriptor: Int32, _ interest: Interest, _ member: any LoopMember)
        throws(LinkFailure)
    {
        let index = Int(descriptor)
        if index >= own.pointee.slots.count {
            own.pointee.slots.append(
                contentsOf: repeatElement(
                    Slot(), count: max(index + 1 - own.pointee.slots.count, own.pointee.slots.count)))
        }
        own.pointee.slots[index].generation &+= 1
        try poller.add(descriptor, generation: own.pointee.slots[index].generation, interest: interest)
        own.pointee.slots[index].member = member
        own.pointee.slots[index].interest = interest
        own.pointee.openDescriptors += 1
    }

    func watch(_ descriptor: Int32, for interest: Interest) {
        let index = Int(descriptor)
        guard own.pointee.slots[index].member != nil, own.pointee.slots[index].interest != interest else {
            return
        }
        own.pointee.slots[index].interest = interest
        poller.update(descriptor, generation: own.pointee.slots[index].generation, interest: interest)
    }

    /// Hands a descriptor's readiness to another member.
    func pass(_ descriptor: Int32, to member: any LoopMember, _ interest: Interest) {
        own.pointee.slots[Int(descriptor)].member = member
        watch(descriptor, for: interest)
    }

    package func close(_ descriptor: Int32) {
        own.pointee.slots[Int(descriptor)].member = nil
        own.pointee.slots[Int(descriptor)].generation &+= 1
        own.pointee.openDescriptors -= 1
        poller.remove(descriptor)
        Descriptor.close(descriptor)
    }

    /// Calls the member's `turnEnds()` when this turn ends.
    ///
    /// The member sees to it that it asks once.
    package func finishTurn(_ member: any LoopMember) {
        own.pointee.finishing.append(member)
    }

    fileprivate func arm(_ entry: TimerHeap.Entry, at deadline: Instant?) {
        own.pointee.timers.arm(entry, at: deadline)
    }

    // MARK: For tests, on the loop

    /// How many descriptors the loop holds.
    package var descriptorCount: Int { own.pointee.openDescriptors }
    /// How many deadlines are armed.
    package var timerCount: Int { own.pointee.timers.count }

    // MARK: The turn

    private func run() {
        lock.withLock {}
        var ready: [ReadyDescriptor] = []
        var posted: [@Sendable () -> Void] = []
        var goesOn = true
        while goesOn {
            #if canImport(ObjectiveC)
            autoreleasepool { goesOn = turn(&ready, &posted) }
            #else
            goesOn = turn(&ready, &posted)
            #endif
        }
        endMembers()
    }

    /// One turn; whether there is to be another.
    private func turn(_ ready: inout [ReadyDescriptor], _ posted: inout [@Sendable () -> Void]) -> Bool {
        let began = own.pointee.timers.earliest == nil ? Instant.distantPast : instant
        let armed = own.pointee.timers.armed
        lock.lock()
        sleeping = inbox.isEmpty && !stopping && own.pointee.finishing.isEmpty
        let milliseconds: Int32 = sleeping ? waitingTime(from: began) : 0
        lock.unlock()
        let hasSeenAll = poller.wait(milliseconds: milliseconds, into: &ready)
        lock.lock()
        sleeping = false
        swap(&inbox, &posted)
        let goesOn = !stopping
        lock.unlock()
        guard goesOn else { return false }

        for event in ready {
            let slot = own.pointee.slots[Int(event.descriptor)]
            // A member called before this one may have closed the descriptor, and another may have its number now.
            guard slot.generation == event.generation else { continue }
            slot.member?.ready(event.descriptor, event.readiness)
        }
        ready.removeAll(keepingCapacity: true)
        runRounds(&posted)
        if hasSeenAll, fireTimers(dueBy: began, amongFirst: armed) { runRounds(&posted) }
        return true
    }

    /// Fires what was armed before this turn and is due; whether anything was.
    private func fireTimers(dueBy instant: Instant, amongFirst armed: UInt64) -> Bool {
        var hasFired = false
        while let entry = own.pointee.timers.popDue(at: instant, amongFirst: armed) {
            entry.fire()
            hasFired = true
        }
        return hasFired
    }

    /// Runs posted work, then lets members hand over and write; what that brings about is done too, within bounds, before
    /// the loop looks at its sockets again: an answer leaves in the turn its question came.
    private func runRounds(_ posted: inout [@Sendable () -> Void]) {
        for _ in 0..<Self.rounds {
            if posted.isEmpty, own.pointee.postedHere {
                own.pointee.postedHere = false
                lock.lock()
                swap(&inbox, &posted)
                lock.unlock()
            }
            if posted.isEmpty, own.pointee.finishing.isEmpty { return }
            for work in posted { work() }
            posted.removeAll(keepingCapacity: posted.count <= 4096)
            swap(&own.pointee.finishing, &own.pointee.ending)
            for index in own.pointee.ending.indices { own.pointee.ending[index].turnEnds() }
            own.pointee.ending.removeAll(keepingCapacity: true)
        }
    }

    private func waitingTime(from now: Instant) -> Int32 {
        guard let earliest = own.pointee.timers.earliest else { return -1 }
        let left = now.duration(to: earliest).wholeNanoseconds
        guard left > 0 else { return 0 }
        // Rounded up, or the loop would turn idly through the last millisecond. While the machine sleeps this wait
        // stands still: a deadline may then come late by what was left of it.
        return Int32(clamping: (left - 1) / 1_000_000 + 1)
    }

    private func endMembers() {
        let members = own.pointee.slots.indices.compactMap { index in
            own.pointee.slots[index].member.map { (index, $0) }
        }
        for (index, member) in members {
            member.loopStopped()
            close(Int32(index))
        }
        own.pointee.timers.removeAll()
        own.pointee.finishing = []
        own.pointee.ending = []
        lock.lock()
        stopped = true
        let dropped = inbox
        inbox = []
        lock.unlock()
        _ = dropped  // released here, outside the lock
    }
}

/// A loop's timer.
///
/// The handle may be released anywhere; its entry leaves the heap on the loop.
private final class LoopTimer: HostTimer, @unchecked Sendable {
    private let loop: EventLoop
    private let entry: Held

    /// The entry, which crosses to the loop when the handle dies elsewhere.
    private final class Held: @unchecked Sendable {
        let entry: TimerHeap.Entry
        init(_ entry: TimerHeap.Entry) { self.entry = entry }
    }

    init(_ loop: EventLoop, _ fire: @escaping @Sendable () -> Void) {
        self.loop = loop
        entry = Held(TimerHeap.Entry(fire))
    }

    deinit {
        let (loop, held) = (loop, entry)
        if loop.isCurrent {
            loop.arm(held.entry, at: nil)
        } else {
            loop.post { loop.arm(held.entry, at: nil) }
        }
    }

    func arm(at instant: Instant?) {
        assert(loop.isCurrent, "a timer is armed on its loop")
        loop.arm(entry.entry, at: instant)
    }
}
