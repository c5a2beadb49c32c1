// SPDX-License-Identifier: Apache-2.0

import CSenteSystem
import SenteBase
import SenteSocket

/// Makes TCP sockets, all of them non-blocking, closed on exec, without delay and without SIGPIPE.
enum TCPSocket {
    /// How many bytes the system holds that it has not sent yet: what is urgent waits behind them.
    private static let unsentBytes: Int32 = 16_384

    static func open(family: Int32) throws(LinkFailure) -> Int32 {
        #if canImport(Darwin)
        let descriptor = socket(family, Platform.streamSocket, 0)
        #else
        let descriptor = socket(family, Platform.streamSocket | flags, 0)
        #endif
        guard descriptor >= 0 else {
            // A kernel without IPv6 can still reach the other addresses of a name.
            let kind: LinkFailure.Kind = errno == EAFNOSUPPORT ? .unreachable : .unavailable
            throw Platform.failure(errno, "Making a socket", kind: kind)
        }
        #if canImport(Darwin)
        Descriptor.makeNonBlocking(descriptor)
        #endif
        prepare(descriptor)
        return descriptor
    }

    /// Begins to connect.
    ///
    /// Even a connection that stands at once is reported as writable, so there is one way for both.
    static func connect(_ descriptor: Int32, to address: Dialer.Address) throws(LinkFailure) {
        let code = address.withSocketAddress { pointer, length in
            systemConnect(descriptor, pointer, length) == 0 ? 0 : errno
        }
        // An interrupted connect goes on by itself.
        guard code == 0 || code == EINPROGRESS || code == EINTR else {
            throw Platform.failure(code, "Connecting to \(address)", kind: .unreachable)
        }
    }

    /// The error a connect under way ended with; 0 when it succeeded.
    static func pendingError(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return errno }
        return code
    }

    /// Whether the socket has a peer: a connect under way may be reported ready before it has one.
    static func isConnected(_ descriptor: Int32) -> Bool {
        peer(of: descriptor) != nil
    }

    /// How much of what was sent had to be sent again, from 0 to 1; nil where the system does not say.
    static func loss(of descriptor: Int32) -> Double? {
        #if os(Linux)
        // struct tcp_info of linux/tcp.h, whose fields stay where they are; libc's ends before the count of segments.
        let (repeatsOffset, segmentsOffset) = (100, 136)
        return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { info in
            var length = socklen_t(info.count)
            guard getsockopt(descriptor, Platform.tcp, TCP_INFO, info.baseAddress, &length) == 0,
                Int(length) >= segmentsOffset + 4
            else { return nil }
            let repeats = info.load(fromByteOffset: repeatsOffset, as: UInt32.self)
            let segments = info.load(fromByteOffset: segmentsOffset, as: UInt32.self)
            return segments == 0 ? nil : min(1, Double(repeats) / Double(segments))
        }
        #else
        return nil
        #endif
    }

    static func peer(of descriptor: Int32) -> Dialer.Address? {
        address { getpeername(descriptor, $0, $1) }
    }

    static func local(of descriptor: Int32) -> Dialer.Address? {
        address { getsockname(descriptor, $0, $1) }
    }

    static func listen(on address: Dialer.Address, backlog: Int32) throws(LinkFailure) -> Int32 {
        let descriptor = try open(family: address.family)
        set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        let bound = address.withSocketAddress { bind(descriptor, $0, $1) == 0 }
        guard bound, systemListen(descriptor, backlog) == 0 else {
            let failure = Platform.failure(errno, "Listening on \(address)")
            Descriptor.close(descriptor)
            throw failure
        }
        return descriptor
    }

    /// What `accept` came to.
    enum Accepting {
        case connection(Int32)
        case wouldBlock
        /// A connection that ended before it was taken, or the like: ask again.
        case again
        case failed(Int32)
    }

    static func accept(_ descriptor: Int32) -> Accepting {
        #if canImport(Darwin)
        let connection = systemAccept(descriptor)
        #else
        let connection = accept4(descriptor, nil, nil, flags)
        #endif
        guard connection >= 0 else {
            switch errno {
            case EAGAIN, EWOULDBLOCK: return .wouldBlock
            case EMFILE, ENFILE, ENOBUFS, ENOMEM, EBADF, EINVAL: return .failed(errno)
            default: return .again  // accept(2): errors of the new connection, to be passed over
            }
        }
        #if canImport(Darwin)
        Descriptor.makeNonBlocking(connection)
        #endif
        prepare(connection)
        return .connection(connection)
    }

    /// Lets `close` send RST instead of FIN.
    static func resetOnClose(_ descriptor: Int32) {
        var value = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    static func endWriting(_ descriptor: Int32) {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    #if !canImport(Darwin)
    #if canImport(Glibc)
    private static let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    #else
    private static let flags = SOCK_NONBLOCK | SOCK_CLOEXEC
    #endif
    #endif

    private static func prepare(_ descriptor: Int32) {
        set(descriptor, Platform.tcp, TCP_NODELAY, 1)
        set(descriptor, Platform.tcp, TCP_NOTSENT_LOWAT, unsentBytes)
        #if canImport(Darwin)
        set(descriptor, SOL_SOCKET, SO_NOSIGPIPE, 1)
        #endif
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func address(
        _ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Dialer.Address? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                ask($0, &length) == 0 ? Dialer.Address($0, length: length) : nil
            }
        }
    }
}
