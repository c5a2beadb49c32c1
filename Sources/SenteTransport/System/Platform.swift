// SPDX-License-Identifier: Apache-2.0

// The one place where the C libraries' differences in types are ironed out.
import CSenteSystem
package import SenteBase

/// Constants whose Swift type differs between C libraries, and the calls around them.
enum Platform {
    #if canImport(Glibc)
    static let streamSocket = Int32(SOCK_STREAM.rawValue)
    static let rawSocket = Int32(SOCK_RAW.rawValue)
    #else
    static let streamSocket = SOCK_STREAM
    static let rawSocket = SOCK_RAW
    #endif

    static let tcp = Int32(IPPROTO_TCP)
    static let ipv6 = Int32(IPPROTO_IPV6)

    #if canImport(Darwin)
    // SO_NOSIGPIPE does there what the flag does elsewhere.
    static let sendFlags: Int32 = 0
    #else
    static let sendFlags = Int32(MSG_NOSIGNAL)
    #endif

    /// A call's `errno` as a failure that says what was tried.
    static func failure(
        _ code: Int32, _ action: String, kind: LinkFailure.Kind = .unavailable
    ) -> LinkFailure {
        let text = String(cString: strerror(code))
        let advice =
            code == EMFILE || code == ENFILE
            ? " Raise the limit of open files (ulimit -n) or close connections." : ""
        return LinkFailure(kind, "\(action) failed: \(text).\(advice)")
    }

    /// What a call fails with for want of descriptors or memory, which others may give back.
    ///
    /// ENFILE first: its text has that of EMFILE in it.
    static let shortages = [ENFILE, EMFILE, ENOMEM]

    /// Throws when no descriptor is left.
    ///
    /// For what else would say that something is not there, or keep for the life of the process that it could not be opened.
    static func needDescriptor(for action: String) throws(LinkFailure) {
        let descriptor = open("/", O_RDONLY | O_CLOEXEC)
        guard descriptor < 0 else { return Descriptor.close(descriptor) }
        let code = errno
        if shortages.contains(code) { throw failure(code, action) }
    }

    /// Nanoseconds of the monotonic clock that counts sleep.
    static func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        #if canImport(Darwin)
        clock_gettime(CLOCK_MONOTONIC, &time)
        #else
        if clock_gettime(CLOCK_BOOTTIME, &time) != 0 { clock_gettime(CLOCK_MONOTONIC, &time) }
        #endif
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    static func wallMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Fills `buffer` with the system's randomness.
    static func fillRandom(_ buffer: UnsafeMutableRawBufferPointer) {
        guard var next = buffer.baseAddress else { return }
        #if canImport(Darwin)
        arc4random_buf(next, buffer.count)
        #else
        var left = buffer.count
        while left > 0 {
            let count = getrandom(next, left, 0)
            if count > 0 {
                next += count
                left -= count
            } else if errno != EINTR {
                // Only a kernel older than 3.17 comes here; the standard library knows another way.
                var generator = SystemRandomNumberGenerator()
                for offset in 0..<left {
                    next.storeBytes(of: generator.next(), toByteOffset: offset, as: UInt8.self)
                }
                return
            }
        }
        #endif
    }
}

extension Entropy {
    /// The system's randomness.
    package static let system = Entropy { Platform.fillRandom($0) }
}
