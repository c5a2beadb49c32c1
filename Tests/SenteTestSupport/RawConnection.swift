// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteSocket

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// One connection of a `RawServer`; reading and writing end after 20 s at the latest.
package final class RawConnection {
    private let descriptor: Int32

    static func makeSocket() -> Int32 {
        #if canImport(Glibc)
        socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        socket(AF_INET, SOCK_STREAM, 0)
        #endif
    }

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    /// Connects to a port of this machine; nil when nobody listens there.
    package convenience init?(port: Int) {
        let descriptor = Self.makeSocket()
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        self.init(descriptor)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if !isConnected {
            close()
            return nil
        }
    }

    /// Carries bytes both ways until both sides have ended.
    package func relay(to other: RawConnection) {
        var open: [(from: RawConnection, to: RawConnection)] = [(self, other), (other, self)]
        while !open.isEmpty {
            var requests = open.map { pollfd(fd: $0.from.descriptor, events: Int16(POLLIN), revents: 0) }
            guard poll(&requests, nfds_t(requests.count), 60_000) > 0 else { return }
            for (place, request) in requests.enumerated().reversed() where request.revents != 0 {
                var chunk = [UInt8](repeating: 0, count: 65_536)
                let count = recv(request.fd, &chunk, chunk.count, 0)
                if count > 0 {
                    open[place].to.write(Array(chunk[..<count]))
                } else {
                    open[place].to.endWriting()
                    open.remove(at: place)
                }
            }
        }
    }

    /// Passes bytes on to a server and back; what comes back in steps of a size, up to a limit, with the bits of one byte
    /// turned.
    package func relay(to port: Int, step: Int, limit: Int, flip: Int? = nil) {
        guard let server = RawConnection(port: port) else { return }
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

    package func close() {
        #if canImport(Darwin)
        _ = Darwin.close(descriptor)
        #elseif canImport(Glibc)
        _ = Glibc.close(descriptor)
        #elseif canImport(Musl)
        _ = Musl.close(descriptor)
        #endif
    }

    /// Lets `close` send RST.
    package func reset() {
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    /// Ends our half of TCP.
    package func endWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Waits a little, without reading; false once the client has reset TCP.
    package var isOpen: Bool {
        var request = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&request, 1, 20) == 0
    }

    // MARK: Writing

    package func write(_ text: String) {
        write(Array(text.utf8))
    }

    package func write(_ bytes: [UInt8]) {
        #if canImport(Darwin)
        let flags: Int32 = 0
        #else
        let flags = Int32(MSG_NOSIGNAL)
        #endif
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, flags) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// An unmasked frame, as servers send them.
    package func frame(_ opcode: UInt8, _ payload: [UInt8]) {
        write(SenteTestSupport.frame(opcode, payload))
    }

    package func text(_ text: String) {
        frame(1, Array(text.utf8))
    }

    /// Reads the request and accepts it.
    package func upgrade(key wrongKey: String? = nil) {
        upgrade(head: readHead(), key: wrongKey)
    }

    /// Accepts a request that was read.
    package func upgrade(head: String, key wrongKey: String? = nil, extensions: String? = nil) {
        write(Self.acceptance(of: head, key: wrongKey, extensions: extensions))
    }

    /// Reads the request; the 101 that accepts it.
    package func readHandshake() -> [UInt8] {
        Self.acceptance(of: readHead())
    }

    private static func acceptance(
        of head: String, key wrongKey: String? = nil, extensions: String? = nil
    ) -> [UInt8] {
        let key =
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key:") }?
            .split(separator: ":", maxSplits: 1).last.map { $0.drop { $0 == " " } } ?? ""
        let answer = wrongKey ?? HandshakeKey(String(key))?.answer ?? ""
        return Array(
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: \(answer)\r\n"
                + (extensions.map { "Sec-WebSocket-Extensions: \($0)\r\n" } ?? "") + "\r\n").utf8)
    }

    package func greet() {
        text(#"{"type":"welcome","conn-id":"raw","server-time":1}"#)
    }

    // MARK: Reading

    /// What is there, at most so many bytes; empty at the end.
    package func read(_ count: Int = 65_536) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
            filled = max(0, recv(descriptor, bytes.baseAddress, bytes.count, 0))
        }
    }

    /// Reads until the peer ends.
    package func drain() {
        while !read().isEmpty {}
    }

    /// Up to the blank line.
    @discardableResult
    package func readHead() -> String {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8), let byte = take(1)?.first { head.append(byte) }
        return String(decoding: head, as: UTF8.self)
    }

    /// Reads frames until a close frame, or TCP, ends them; the close frame's code.
    package func readToEnd() -> UInt16? {
        while let head = take(2) {
            var count = Int(head[1] & 0x7F)
            if count >= 126 {
                guard let length = take(count == 126 ? 2 : 8) else { break }
                count = length.reduce(0) { $0 << 8 | Int($1) }
            }
            guard let key = take(4), let masked = take(count) else { break }
            guard head[0] & 0x0F == 8 else { continue }
            let payload = masked.enumerated().map { $1 ^ key[$0 & 3] }
            return payload.count < 2 ? nil : UInt16(payload[0]) << 8 | UInt16(payload[1])
        }
        return nil
    }

    /// So many bytes; nil when the end comes before.
    package func take(_ count: Int) -> [UInt8]? {
        var taken: [UInt8] = []
        while taken.count < count {
            let bytes = read(count - taken.count)
            guard !bytes.isEmpty else { return nil }
            taken += bytes
        }
        return taken
    }
}

/// An unmasked frame, as servers send them.
package func frame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let count = payload.count
    let head: [UInt8] =
        count < 126
        ? [UInt8(count)]
        : count < 65_536
            ? [126, UInt8(count >> 8), UInt8(count & 255)]
            : [127] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
    return [0x80 | opcode] + head + payload
}
