// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What a descriptor is watched for.
package struct Interest: OptionSet {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let read = Interest(rawValue: 1)
    package static let write = Interest(rawValue: 2)
}

/// What a descriptor is ready for.
///
/// A fault is reported as `failed`, whatever the interest.
package struct Readiness: OptionSet {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let read = Readiness(rawValue: 1)
    package static let write = Readiness(rawValue: 2)
    package static let failed = Readiness(rawValue: 4)
}

/// One descriptor that is ready.
///
/// `generation` tells a descriptor from an older one of the same number.
package struct ReadyDescriptor {
    var descriptor: Int32
    var generation: UInt32
    var readiness: Readiness
}

/// How a loop waits: level-triggered readiness of descriptors, and a wake-up from other threads.
///
/// Users: epoll, poll, and the tests of the loop.
package protocol Poller: AnyObject {
    func add(_ descriptor: Int32, generation: UInt32, interest: Interest) throws(LinkFailure)
    func update(_ descriptor: Int32, generation: UInt32, interest: Interest)
    func remove(_ descriptor: Int32)

    /// Waits at most so many milliseconds (-1: for ever) and appends what is ready. Returns early, with nothing,
    /// when woken.
    ///
    /// Returns whether it has seen all that was ready: false when it was interrupted, or could not name all of them.
    func wait(milliseconds: Int32, into ready: inout [ReadyDescriptor]) -> Bool

    /// Ends the wait under way, or the next one. Callable from any thread.
    func wake()

    /// Gives the poller's own descriptors back; nothing may be called afterwards.
    func close()
}
