// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteSocket

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A TCP server of blocking calls, on a thread of its own: it does to a connection what no honest server does.
final class RawServer: @unchecked Sendable {
    let port: UInt16
    private let listener: Int32

    /// Listens, and serves each connection in turn with `serve`, which is handed the request and closes nothing itself.
    init(_ serve: @escaping @Sendable (RawConnection) -> Void) throws {
        #if canImport(Glibc)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        listener = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else { throw LinkFailure(.unavailable, "No port.") }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { Self.run(descriptor, serve) }
    }

    deinit {
        // Wakes the thread out of `accept`.
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private static func run(_ listener: Int32, _ serve: (RawConnection) -> Void) {
        while true {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { break }
            let connection = RawConnection(descriptor)
            serve(connection)
            connection.close()
        }
        close(listener)
    }
}

/// One connection of a `RawServer`, blocking.
final class RawConnection {
    private var descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// A blocking connection to a port of this machine.
    static func connected(to port: UInt16) throws -> RawConnection {
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        let done = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        let connection = RawConnection(descriptor)
        guard done else {
            connection.close()
            throw LinkFailure(.unreachable, "Nothing listens on port \(port).")
        }
        return connection
    }

    /// Passes bytes on to a server and back; what comes back in steps of a size, up to a limit, with the bits of one byte
    /// turned.
    func relay(to port: UInt16, step: Int, limit: Int, flip: Int? = nil) {
        guard let server = try? RawConnection.connected(to: port) else { return }
        let (up, down) = (descriptor, server.descriptor)
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let (from, to) = (RawConnection(up), RawConnection(down))
            while case let bytes = from.read(), !bytes.isEmpty { to.write(bytes) }
            shutdown(down, Int32(SHUT_RDWR))
            done.signal()
        }
        var passed = 0
        while passed < limit {
            var bytes = server.read(min(step, 65_536, limit - passed))
            guard !bytes.isEmpty else { break }
            if let flip, (passed..<passed + bytes.count).contains(flip) { bytes[flip - passed] ^= 0xFF }
            write(bytes)
            passed += bytes.count
        }
        shutdown(up, Int32(SHUT_RDWR))
        done.wait()
        server.close()
    }

    /// Reads up to the blank line and returns the 101 that answers it.
    func readHandshake() -> [UInt8] {
        let text = readHead()
        let key =
            text.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key:") }?
            .split(separator: ":", maxSplits: 1)[1].trimmingPrefix(" ") ?? ""
        let answer = HandshakeKey(String(key))?.answer ?? ""
        return Array(
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: \(answer)\r\n\r\n").utf8)
    }

    func readHead() -> String {
        var text = ""
        while !text.hasSuffix("\r\n\r\n") {
            guard let byte = read(1).first else { break }
            text.unicodeScalars.append(Unicode.Scalar(byte))
        }
        return text
    }

    /// Reads what is there, at most `count` bytes; empty at the end.
    func read(_ count: Int = 65536) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
        }
    }

    /// Reads until the peer ends.
    func drain() {
        while !read().isEmpty {}
    }

    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            #if canImport(Darwin)
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
            #else
            let count = rest.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            #endif
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Lets `close` send RST.
    func reset() {
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    func close() {
        guard descriptor >= 0 else { return }
        #if canImport(Darwin)
        Darwin.close(descriptor)
        #elseif canImport(Glibc)
        Glibc.close(descriptor)
        #elseif canImport(Musl)
        Musl.close(descriptor)
        #endif
        descriptor = -1
    }
}

/// An unmasked frame, as servers send them; at most 65,535 bytes.
func frame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let count = payload.count
    let head: [UInt8] = count < 126 ? [UInt8(count)] : [126, UInt8(count >> 8), UInt8(count & 255)]
    return [0x80 | opcode] + head + payload
}
