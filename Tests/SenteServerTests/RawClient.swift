// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A blocking client with a codec of its own, in few lines: what it sees does not depend on ours.
///
/// Every wait ends after half a minute at the latest. Frames it sends stay below 64 KiB.
final class RawClient {
    struct Problem: Error { var message: String }

    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(port: Int) throws {
        // Writing to a connection the server has ended is a failed call, not a signal.
        signal(SIGPIPE, SIG_IGN)
        #if os(Linux)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Problem(message: "no connection: \(errno)") }
    }

    deinit { close(descriptor) }

    /// Opens a WebSocket and reads the greeting.
    static func webSocket(
        port: Int, _ target: String = "/any"
    ) throws -> (client: RawClient, greeting: String) {
        let client = try RawClient(port: port)
        let head = try client.upgrade(target)
        guard head.hasPrefix("HTTP/1.1 101") else { throw Problem(message: head) }
        return (client, try client.readText())
    }

    /// Sends the opening handshake; the head of the answer.
    func upgrade(_ target: String = "/any", _ headers: String = "") throws -> String {
        try sendRaw(
            "GET \(target) HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\(headers)"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        return try readHead()
    }

    /// Asks for a page; the whole answer.
    static func page(_ target: String, port: Int) throws -> String {
        let client = try RawClient(port: port)
        try client.sendRaw("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
        while try client.readMore() {}
        return String(decoding: client.buffer, as: UTF8.self)
    }

    private func sendRaw(_ text: String) throws { try sendBytes(Array(text.utf8)) }

    /// A masked text frame.
    func sendText(_ text: String) throws { try sendFrame(0x81, Array(text.utf8)) }

    func sendClose(_ code: UInt16) throws { try sendFrame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)]) }

    private func sendFrame(_ first: UInt8, _ payload: [UInt8]) throws {
        let key: [UInt8] = [1, 2, 3, 4]
        let masked = payload.enumerated().map { $1 ^ key[$0 & 3] }
        let length: [UInt8] =
            payload.count < 126
            ? [0x80 | UInt8(payload.count)]
            : [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        try sendBytes([first] + length + key + masked)
    }

    /// The next text message.
    func readText() throws -> String {
        let frame = try readFrame()
        guard frame.opcode == 1 else { throw Problem(message: "opcode \(frame.opcode) instead of text") }
        return String(decoding: frame.payload, as: UTF8.self)
    }

    /// The code of the close frame that comes next.
    func readClose() throws -> UInt16 {
        let frame = try readFrame()
        guard frame.opcode == 8, frame.payload.count >= 2 else {
            throw Problem(message: "opcode \(frame.opcode) instead of close")
        }
        return UInt16(frame.payload[0]) << 8 | UInt16(frame.payload[1])
    }

    /// Whether TCP ended with nothing before the end.
    func readEnd() throws -> Bool {
        guard buffer.isEmpty else { return false }
        return try !readMore()
    }

    /// Whether nothing is there to be read, not even TCP's end.
    var isQuiet: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return buffer.isEmpty && poll(&request, 1, 0) == 0
    }

    private func readFrame() throws -> (opcode: UInt8, payload: [UInt8]) {
        let head = try take(2)
        var length = Int(head[1] & 0x7F)
        if length >= 126 { length = try take(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) } }
        return (head[0] & 0x0F, try take(length))
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while buffer.count < count {
            guard try readMore() else { throw Problem(message: "TCP ended") }
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    private func readHead() throws -> String {
        while true {
            if let end = buffer.indices.dropFirst(3).first(where: {
                buffer[($0 - 3)...$0].elementsEqual("\r\n\r\n".utf8)
            }) {
                defer { buffer.removeFirst(end + 1) }
                return String(decoding: buffer[...end], as: UTF8.self)
            }
            guard try readMore() else { throw Problem(message: "TCP ended") }
        }
    }

    /// False at TCP's end.
    private func readMore() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor, &chunk, chunk.count)
        guard count >= 0 else {
            if errno == ECONNRESET { return false }
            throw Problem(message: "read: \(errno)")
        }
        buffer += chunk[..<count]
        return count > 0
    }

    func sendBytes(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[sent...])
                return write(descriptor, rest.baseAddress, rest.count)
            }
            guard count > 0 else { throw Problem(message: "write: \(errno)") }
            sent += count
        }
    }
}
