// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Waits with `poll(2)`, which every system has; a pipe wakes it.
///
/// Good for some dozens of descriptors.
package final class PollPoller: Poller {
    /// The pipe's reading end stands first.
    private var watched: [pollfd] = []
    private var generations: [UInt32] = []
    private var places: [Int32: Int] = [:]
    private let wakeReader: Int32
    private let wakeWriter: Int32

    package init() throws(LinkFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Platform.failure(errno, "Making a pipe") }
        wakeReader = ends[0]
        wakeWriter = ends[1]
        for end in ends { Descriptor.makeNonBlocking(end) }
        append(wakeReader, generation: 0, interest: .read)
    }

    package func close() {
        Descriptor.close(wakeReader)
        Descriptor.close(wakeWriter)
    }

    package func add(_ descriptor: Int32, generation: UInt32, interest: Interest) throws(LinkFailure) {
        append(descriptor, generation: generation, interest: interest)
    }

    private func append(_ descriptor: Int32, generation: UInt32, interest: Interest) {
        places[descriptor] = watched.count
        watched.append(pollfd(fd: descriptor, events: bits(interest), revents: 0))
        generations.append(generation)
    }

    package func update(_ descriptor: Int32, generation: UInt32, interest: Interest) {
        guard let place = places[descriptor] else { return }
        watched[place].events = bits(interest)
    }

    package func remove(_ descriptor: Int32) {
        guard let place = places.removeValue(forKey: descriptor) else { return }
        let last = watched.count - 1
        if place != last {
            watched[place] = watched[last]
            generations[place] = generations[last]
            places[watched[place].fd] = place
        }
        watched.removeLast()
        generations.removeLast()
    }

    package func wait(milliseconds: Int32, into ready: inout [ReadyDescriptor]) -> Bool {
        let count = watched.withUnsafeMutableBufferPointer {
            poll($0.baseAddress, nfds_t($0.count), milliseconds)
        }
        guard count > 0 else { return count == 0 }
        for place in watched.indices where watched[place].revents != 0 {
            let bits = Int32(watched[place].revents)
            if place == 0 {
                drainPipe()
                continue
            }
            var readiness: Readiness = []
            if bits & Int32(POLLIN) != 0 { readiness.insert(.read) }
            if bits & Int32(POLLOUT) != 0 { readiness.insert(.write) }
            if bits & Int32(POLLERR | POLLHUP | POLLNVAL) != 0 { readiness.insert(.failed) }
            ready.append(
                ReadyDescriptor(
                    descriptor: watched[place].fd, generation: generations[place], readiness: readiness))
        }
        return true
    }

    package func wake() {
        var byte: UInt8 = 1
        _ = write(wakeWriter, &byte, 1)  // a full pipe wakes as well
    }

    private func drainPipe() {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
            while read(wakeReader, buffer.baseAddress, buffer.count) == buffer.count {}
        }
    }

    private func bits(_ interest: Interest) -> Int16 {
        var bits: Int32 = 0
        if interest.contains(.read) { bits |= Int32(POLLIN) }
        if interest.contains(.write) { bits |= Int32(POLLOUT) }
        return Int16(bits)
    }
}
