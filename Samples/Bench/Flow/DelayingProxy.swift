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

/// Stands between clients and a server on loopback, and gives on each byte so much later, either way.
///
/// A thread for each way of a connection; an end is given on as late as bytes are.
final class DelayingProxy: @unchecked Sendable {
    let port: Int
    private let listener: Int32

    init(to server: Int, by delay: Duration) throws {
        // Whoever writes to an end that has gone is told so by the call.
        signal(SIGPIPE, SIG_IGN)
        let listener = Self.socket()
        self.listener = listener
        var (address, length) = Self.address(0)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw LinkFailure(.unavailable, "The proxy could not listen.") }
        port = Int(UInt16(bigEndian: address.sin_port))
        let nanoseconds = UInt64(delay.wholeNanoseconds)
        Self.onThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                // What a client says to open a connection takes its time, too.
                Self.onThread { Self.join(client, Self.connect(server), nanoseconds) }
            }
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func join(_ client: Int32, _ server: Int32, _ delay: UInt64) {
        let left = DispatchGroup()
        for (from, to) in [(client, server), (server, client)] {
            left.enter()
            onThread {
                give(from, to, delay)
                left.leave()
            }
        }
        left.notify(queue: .global()) {
            close(client)
            close(server)
        }
    }

    /// Reads, and lets another thread write what was read when its time has come.
    private static func give(_ from: Int32, _ to: Int32, _ delay: UInt64) {
        let line = DispatchQueue(label: "bench.proxy")
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            let due = DispatchTime(uptimeNanoseconds: DispatchTime.now().uptimeNanoseconds + delay)
            guard count > 0 else {
                let written = DispatchGroup()
                written.enter()
                line.asyncAfter(deadline: due) {
                    shutdown(to, Int32(SHUT_RDWR))
                    written.leave()
                }
                return written.wait()
            }
            let bytes = Array(buffer[..<count])
            line.asyncAfter(deadline: due) { _ = send(to, bytes, bytes.count, 0) }
        }
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.start()
    }

    private static func connect(_ port: Int) -> Int32 {
        let descriptor = socket()
        var (address, length) = address(port)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                #if canImport(Glibc)
                _ = Glibc.connect(descriptor, $0, length)
                #elseif canImport(Darwin)
                _ = Darwin.connect(descriptor, $0, length)
                #elseif canImport(Musl)
                _ = Musl.connect(descriptor, $0, length)
                #endif
            }
        }
        length = 0
        return descriptor
    }

    private static func socket() -> Int32 {
        #if canImport(Glibc)
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #elseif canImport(Darwin)
        let descriptor = Darwin.socket(AF_INET, SOCK_STREAM, 0)
        #elseif canImport(Musl)
        let descriptor = Musl.socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }

    private static func address(_ port: Int) -> (sockaddr_in, socklen_t) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return (address, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
}
