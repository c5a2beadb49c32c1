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
/// 3. let the members that asked for it hand over and write;
/// 4. run what was posted, and do in rounds what all that brings about;
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

    // Shared between threads, under the lock.
    private let lock = Lock()
    private var inbox: [@Sendable () -> Void] = []
    private var sleeping = false
    private var stopping = false
    private var stopped = false
    private var thread: SystemThread?

    /// What only the loop's thread touches; a turn must not pay for run-time checks of exclusive access.
    private struct State {
        var descriptors = DescriptorTable()
        var timers = TimerHeap()
        /// Those whose turn is to end.
        private var finishing: [any LoopMember] = []
        /// Those whose turn is ending: the other of two arrays that take turns, so that neither is made anew.
        private var ending: [any LoopMember] = []
        /// Work was posted from the loop itself and should run in the same turn.
        private var postedHere = false
        /// How many bytes of messages members were given to write in this turn.
        var bytes = 0

        var isFinishing: Bool { !finishing.isEmpty }

        mutating func finish(_ member: any LoopMember) { finishing.append(member) }

        mutating func notePost() { postedHere = true }

        /// Whether work was posted from the loop since this was last asked.
        mutating func takePost() -> Bool {
            defer { postedHere = false }
            return postedHere
        }

        /// Begins the end of a turn; how many members are to be told.
        mutating func beginEnding() -> Int {
            swap(&finishing, &ending)
            return ending.count
        }

        func ending(_ index: Int) -> any LoopMember { ending[index] }

        mutating func endEnding() { ending.removeAll(keepingCapacity: true) }

        mutating func removeAll() {
            timers.removeAll()
            finishing = []
            ending = []
        }
    }

    // The loop's own.
    private var own: State {
        _read { yield place.pointee }
        _modify { yield &place.pointee }
    }
    private let poller: any Poller
    private let place: UnsafeMutablePointer<State>
    private let area: UnsafeMutableRawBufferPointer
    /// The pool of every link here.
    ///
    /// Other threads have one of their own, under its lock.
    let masks: UnsafeMutablePointer<MaskKeys>
    let pathObservers = PathObservers()
    private let workbench = Workbench()
    private let foreignLock = Lock()
    private var foreignMasks = MaskKeys(.system)

    /// How often one turn lets members hand over again before it looks at the sockets.
    private static let rounds = 4
    /// After so many bytes of messages it looks at them whatever is left: to compress a part of a large message takes long, and an
    /// answer that has come would wait for four.
    private static let bytesOfTurn = 32 << 10

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
        place = .allocate(capacity: 1)
        place.initialize(to: State())
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
        place.deinitialize(count: 1)
        place.deallocate()
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
            own.notePost()
        }
        return true
    }

    package func offload(_ work: @escaping @Sendable () -> Void) { workbench.add(work) }

    package func makeTimer(_ fire: @escaping @Sendable () -> Void) -> any HostTimer {
        LoopTimer(self, fire)
    }

    // MARK: Ending

    /// Stops the loop: closes every descriptor, drops timers and posted work, and waits for the thread to end.
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
        let generation = own.descriptors.prepare(descriptor)
        try poller.add(descriptor, generation: generation, interest: interest)
        own.descriptors.insert(descriptor, member, interest)
    }

    func watch(_ descriptor: Int32, for interest: Interest) {
        guard let generation = own.descriptors.watch(descriptor, for: interest) else { return }
        poller.update(descriptor, generation: generation, interest: interest)
    }

    /// Hands a descriptor's readiness to another member.
    func pass(_ descriptor: Int32, to member: any LoopMember, _ interest: Interest) {
        own.descriptors.give(descriptor, to: member)
        watch(descriptor, for: interest)
    }

    package func close(_ descriptor: Int32) {
        own.descriptors.remove(descriptor)
        poller.remove(descriptor)
        Descriptor.close(descriptor)
    }

    /// Calls the member's `turnEnds()` when this turn ends.
    ///
    /// The member sees to it that it asks once.
    package func finishTurn(_ member: any LoopMember) {
        own.finish(member)
    }

    /// A member was given so many bytes of messages to write.
    package func noteBytes(_ count: Int) {
        own.bytes &+= count
    }

    fileprivate func arm(_ entry: TimerHeap.Entry, at deadline: Instant?) {
        own.timers.arm(entry, at: deadline)
    }

    // MARK: For tests, on the loop

    /// How many descriptors the loop holds.
    package var descriptorCount: Int { own.descriptors.count }
    /// How many deadlines are armed.
    package var timerCount: Int { own.timers.count }

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
        let began = own.timers.earliest == nil ? Instant.distantPast : instant
        let armed = own.timers.armed
        lock.lock()
        sleeping = inbox.isEmpty && !stopping && !own.isFinishing
        let milliseconds: Int32 = sleeping ? waitingTime(from: began) : 0
        lock.unlock()
        let hasSeenAll = poller.wait(milliseconds: milliseconds, into: &ready)
        lock.lock()
        sleeping = false
        swap(&inbox, &posted)
        let goesOn = !stopping
        lock.unlock()
        guard goesOn else { return false }

        own.bytes = 0
        for event in ready {
            own.descriptors.member(of: event)?.ready(event.descriptor, event.readiness)
        }
        ready.removeAll(keepingCapacity: true)
        runRounds(&posted)
        if hasSeenAll, fireTimers(dueBy: began, amongFirst: armed) { runRounds(&posted) }
        return true
    }

    /// Fires what was armed before this turn and is due; whether anything was.
    private func fireTimers(dueBy instant: Instant, amongFirst armed: UInt64) -> Bool {
        var hasFired = false
        while let entry = own.timers.popDue(at: instant, amongFirst: armed) {
            entry.fire()
            hasFired = true
        }
        return hasFired
    }

    /// Lets members hand over and write, then runs posted work, for it may find something late; what that brings about is
    /// done too, within bounds, before the loop looks at its sockets again: an answer leaves in the turn its question came.
    private func runRounds(_ posted: inout [@Sendable () -> Void]) {
        for round in 0..<Self.rounds where round == 0 || own.bytes < Self.bytesOfTurn {
            for index in 0..<own.beginEnding() { own.ending(index).turnEnds() }
            own.endEnding()
            // What other threads have posted meanwhile waits for a round, and not for all of them: each may take long.
            if posted.isEmpty, own.takePost() || own.isFinishing {
                lock.lock()
                swap(&inbox, &posted)
                lock.unlock()
            }
            if posted.isEmpty, !own.isFinishing { return }
            for work in posted { work() }
            posted.removeAll(keepingCapacity: posted.count <= 4096)
        }
    }

    private func waitingTime(from now: Instant) -> Int32 {
        guard let earliest = own.timers.earliest else { return -1 }
        let left = now.duration(to: earliest).wholeNanoseconds
        guard left > 0 else { return 0 }
        // Rounded up, or the loop would turn idly through the last millisecond. While the machine sleeps this wait
        // stands still: a deadline may then come late by what was left of it.
        return Int32(clamping: (left - 1) / 1_000_000 + 1)
    }

    private func endMembers() {
        for (descriptor, member) in own.descriptors.all {
            member.loopStopped()
            close(descriptor)
        }
        own.removeAll()
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
    private struct Held: @unchecked Sendable {
        let entry: TimerHeap.Entry
    }

    init(_ loop: EventLoop, _ fire: @escaping @Sendable () -> Void) {
        self.loop = loop
        entry = Held(entry: TimerHeap.Entry(fire))
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
