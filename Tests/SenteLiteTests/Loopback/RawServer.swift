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

/// A TCP server of blocking calls on a thread of its own, for what no honest server does.
///
/// Each connection is served in turn, or on a thread of its own, with its number from 0 on.
final class RawServer: Sendable {
    let port: Int
    private let listener: Int32

    init(
        isConcurrent: Bool = false, _ serve: @escaping @Sendable (RawConnection, Int) -> Void
    ) throws {
        #if canImport(Darwin)
        listener = socket(AF_INET, SOCK_STREAM, 0)
        #elseif canImport(Musl)
        listener = socket(AF_INET, SOCK_STREAM, 0)
        #else
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isListening else { throw LinkFailure(.unavailable, "No port is free.") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread {
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
            RawConnection(descriptor).close()
        }
    }

    /// Ends the thread once the connection it serves is over.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
    }
}

/// One connection of a `RawServer`; reading and writing end after 20 s at the latest.
final class RawConnection {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    fileprivate init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    /// Connects to a port of this machine; nil when nobody listens there.
    convenience init?(port: Int) {
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
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
    func relay(to other: RawConnection) {
        other.write(buffer)
        buffer = []
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

    func close() {
        #if canImport(Darwin)
        _ = Darwin.close(descriptor)
        #elseif canImport(Glibc)
        _ = Glibc.close(descriptor)
        #elseif canImport(Musl)
        _ = Musl.close(descriptor)
        #endif
    }

    /// Ends our half of TCP.
    func endWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Waits a little, without reading; false once the client has reset TCP.
    var isOpen: Bool {
        var request = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&request, 1, 20) == 0
    }

    // MARK: Writing

    func write(_ text: String) {
        write(Array(text.utf8))
    }

    func write(_ bytes: [UInt8]) {
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
    func frame(_ opcode: UInt8, _ payload: [UInt8]) {
        let count = payload.count
        let head: [UInt8] =
            count < 126
            ? [UInt8(count)]
            : count < 65_536
                ? [126, UInt8(count >> 8), UInt8(count & 255)]
                : [127] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
        write([0x80 | opcode] + head + payload)
    }

    func text(_ text: String) {
        frame(1, Array(text.utf8))
    }

    /// Reads the request and accepts it.
    func upgrade(key wrongKey: String? = nil) {
        upgrade(head: readHead(), key: wrongKey)
    }

    /// Accepts a request that was read.
    func upgrade(head: String, key wrongKey: String? = nil, extensions: String? = nil) {
        let key =
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key:") }?
            .split(separator: ":", maxSplits: 1).last.map { $0.drop { $0 == " " } } ?? ""
        let answer = wrongKey ?? HandshakeKey(String(key))?.answer ?? ""
        write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: \(answer)\r\n"
                + (extensions.map { "Sec-WebSocket-Extensions: \($0)\r\n" } ?? "") + "\r\n")
    }

    func greet() {
        text(#"{"type":"welcome","conn-id":"raw","server-time":1}"#)
    }

    // MARK: Reading

    /// Up to the blank line.
    @discardableResult
    func readHead() -> String {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8), let byte = take(1)?.first { head.append(byte) }
        return String(decoding: head, as: UTF8.self)
    }

    /// Reads frames until a close frame, or TCP, ends them; the close frame's code.
    func readToEnd() -> UInt16? {
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

    func take(_ count: Int) -> [UInt8]? {
        while buffer.count < count {
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let received = recv(descriptor, &chunk, chunk.count, 0)
            guard received > 0 else { return nil }
            buffer += chunk[..<received]
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }
}
