// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A TCP server of blocking calls on a thread of its own, for what no honest server does; it ends with its last reference.
package final class RawServer: @unchecked Sendable {
    package let port: Int
    private let listener: Int32
    private let lock = NSLock()
    /// Under the lock: afterwards the descriptor may be another's.
    private var isClosed = false

    /// Serves each connection in turn, or on a thread of its own, with its number from 0 on, and closes it afterwards.
    package init(
        isConcurrent: Bool = false, _ serve: @escaping @Sendable (RawConnection, Int) -> Void
    ) throws {
        let descriptor = RawConnection.makeSocket()
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isListening else { throw LinkFailure(.unavailable, "No port is free.") }
        listener = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [weak self] in
            var number = 0
            while true {
                let accepted = accept(descriptor, nil, nil)
                guard accepted >= 0 else { break }
                let run = { @Sendable [number] in
                    let connection = RawConnection(accepted)
                    serve(connection, number)
                    connection.close()
                }
                if isConcurrent { Thread.detachNewThread(run) } else { run() }
                number += 1
            }
            Self.close(descriptor, self)
        }
    }

    /// Serves each connection in turn.
    package convenience init(_ serve: @escaping @Sendable (RawConnection) -> Void) throws {
        try self.init { connection, _ in serve(connection) }
    }

    deinit {
        stop()
    }

    private static func close(_ descriptor: Int32, _ server: RawServer?) {
        server?.lock.lock()
        server?.isClosed = true
        RawConnection(descriptor).close()
        server?.lock.unlock()
    }

    /// Ends the thread once the connection it serves is over.
    package func stop() {
        lock.lock()
        if !isClosed { shutdown(listener, Int32(SHUT_RDWR)) }
        lock.unlock()
    }
}
