// SPDX-License-Identifier: Apache-2.0

#if os(Linux) || os(Android)
import CSenteSystem
import SenteBase

/// Waits with epoll; an eventfd wakes it.
final class EpollPoller: Poller {
    private let epoll: Int32
    private let event: Int32
    private var events: UnsafeMutableBufferPointer<epoll_event>

    init() throws(LinkFailure) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw Platform.failure(errno, "Making an epoll descriptor") }
        event = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard event >= 0 else {
            let failure = Platform.failure(errno, "Making an eventfd")
            Descriptor.close(epoll)
            throw failure
        }
        events = .allocate(capacity: 256)
        events.initialize(repeating: epoll_event())
        do throws(LinkFailure) {
            // Each write is an edge of its own (epoll(7)), so that the counter need never be read.
            try add(event, description(event, 0, .read), EPOLLET.rawValue)
        } catch {
            close()
            throw error
        }
    }

    func close() {
        Descriptor.close(event)
        Descriptor.close(epoll)
        events.deallocate()
    }

    func add(_ descriptor: Int32, generation: UInt32, interest: Interest) throws(LinkFailure) {
        try add(descriptor, description(descriptor, generation, interest))
    }

    private func add(
        _ descriptor: Int32, _ description: epoll_event, _ flags: UInt32 = 0
    ) throws(LinkFailure) {
        var description = description
        description.events |= flags
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &description) == 0 else {
            throw Platform.failure(errno, "Watching a descriptor")
        }
    }

    func update(_ descriptor: Int32, generation: UInt32, interest: Interest) {
        var event = description(descriptor, generation, interest)
        _ = epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event)
    }

    func remove(_ descriptor: Int32) {
        var event = epoll_event()
        _ = epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
    }

    func wait(milliseconds: Int32, into ready: inout [ReadyDescriptor]) -> Bool {
        let count = epoll_wait(epoll, events.baseAddress, Int32(events.count), milliseconds)
        // SIGSTOP interrupts the wait also where no signal is handled (signal(7)).
        guard count > 0 else { return count == 0 }
        for index in 0..<Int(count) {
            let bits = events[index].events
            let data = events[index].data.u64
            let descriptor = Int32(truncatingIfNeeded: data)
            if descriptor == event { continue }
            var readiness: Readiness = []
            if bits & EPOLLIN.rawValue != 0 { readiness.insert(.read) }
            if bits & EPOLLOUT.rawValue != 0 { readiness.insert(.write) }
            if bits & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { readiness.insert(.failed) }
            let generation = UInt32(truncatingIfNeeded: data >> 32)
            ready.append(
                ReadyDescriptor(descriptor: descriptor, generation: generation, readiness: readiness))
        }
        guard Int(count) == events.count else { return true }
        grow()
        return false
    }

    /// Makes room for more events, so that one wait can name all descriptors that are ready.
    private func grow() {
        let count = 2 * events.count
        events.deallocate()
        events = .allocate(capacity: count)
        events.initialize(repeating: epoll_event())
    }

    func wake() {
        var one: UInt64 = 1
        _ = write(event, &one, 8)
    }

    private func description(_ descriptor: Int32, _ generation: UInt32, _ interest: Interest) -> epoll_event {
        var event = epoll_event()
        if interest.contains(.read) { event.events |= EPOLLIN.rawValue }
        if interest.contains(.write) { event.events |= EPOLLOUT.rawValue }
        event.data.u64 = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        return event
    }
}
#endif
