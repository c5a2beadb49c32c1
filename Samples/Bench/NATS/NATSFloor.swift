// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What stands around the client that is measured: bare sockets that write and read NATS by hand.
enum NATSFloor {
    static let subject = "bench"
    static let service = "service"
    /// How many messages of a flood are written at once.
    private static let burst = 1_000

    /// A message as large as is asked for: JSON that an app might send, or bytes that are none.
    static func payload(_ size: Int, isJSON: Bool) -> [UInt8] {
        guard isJSON else { return [UInt8](repeating: 0x61, count: size) }
        let (start, end) = (#"{"number":1,"text":""#, #""}"#)
        let text = String(repeating: "a", count: max(0, size - start.utf8.count - end.utf8.count))
        return Array((start + text + end).utf8)
    }

    /// Opens a connection that speaks NATS over TCP.
    private static func opened(_ port: Int) throws -> BareSocket {
        let socket = try BareSocket(port: port)
        try socket.write("CONNECT {\"verbose\":false}\r\nPING\r\n")
        try socket.read(upTo: "PONG\r\n")
        return socket
    }

    // MARK: Others, each a process of its own

    /// Publishes so many messages as fast as the node takes them.
    static func flood(_ port: Int, count: Int, payload: [UInt8]) throws {
        let socket = try opened(port)
        let one = Array("PUB \(subject) \(payload.count)\r\n".utf8) + payload + Array("\r\n".utf8)
        let many = [UInt8]([[UInt8]](repeating: one, count: burst).joined())
        for _ in 0..<count / burst { try socket.write(many) }
        for _ in 0..<count % burst { try socket.write(one) }
        try socket.write("PING\r\n")
        try socket.read(upTo: "PONG\r\n")
    }

    /// Answers each request with what it asks; lives until its standard input ends.
    static func serve(_ port: Int) throws {
        let socket = try opened(port)
        try socket.write("SUB \(service) 1\r\nPING\r\n")
        try socket.read(upTo: "PONG\r\n")
        Thread.detachNewThread {
            try? BenchServer.live(saying: [port])
            exit(0)
        }
        while true { try answer(try socket.read(), on: socket) }
    }

    /// One request is under way at a time, so that what is read is one whole: `MSG subject sid reply size`, and its data.
    private static func answer(_ came: ArraySlice<UInt8>, on socket: BareSocket) throws {
        guard let end = came.firstIndex(of: UInt8(ascii: "\n")) else { return }
        let words = came[..<end].split(separator: UInt8(ascii: " "))
        guard words.first?.elementsEqual("PING\r".utf8) != true else { return try socket.write("PONG\r\n") }
        guard words.count == 5 else { return }
        try socket.write(Array("PUB ".utf8) + words[3] + [UInt8(ascii: " ")] + words[4] + came[end...])
    }

    // MARK: Round trips, in microseconds

    /// A request and its answer on bare sockets: what the node and the service take, with the ways between them.
    static func requests(_ port: Int, count: Int, payload: [UInt8]) throws -> Double {
        let socket = try opened(port)
        try socket.write("SUB answers 1\r\nPING\r\n")
        try socket.read(upTo: "PONG\r\n")
        let asked = Array("PUB \(service) answers \(payload.count)\r\n".utf8) + payload + Array("\r\n".utf8)
        let heard = "MSG answers 1 \(payload.count)\r\n".utf8.count + payload.count + 2
        return try median(count) {
            try socket.write(asked)
            try socket.read(count: heard)
        }
    }

    /// A WebSocket message and its echo: one frame each way (RFC 6455 §5.2), masked with nothing.
    static func echoes(_ port: Int, count: Int, payload: [UInt8]) throws -> Double {
        let socket = try BareSocket(port: port)
        try socket.write(
            "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        try socket.read(upTo: "\r\n\r\n")
        guard payload.count < 126 else {
            throw BenchFailure(message: "A bare frame has at most 125 bytes here.")
        }
        let size = UInt8(truncatingIfNeeded: payload.count)
        let frame = [0x82, 0x80 | size, 0, 0, 0, 0] + payload
        return try median(count) {
            try socket.write(frame)
            try socket.read(count: 2 + payload.count)
        }
    }

    /// Half of them take at most so long.
    private static func median(_ count: Int, _ body: () throws -> Void) throws -> Double {
        var times: [Double] = []
        for round in 0..<count + count / 10 {
            let start = Measure.nanoseconds()
            try body()
            if round >= count / 10 { times.append(Double(Measure.nanoseconds() - start) / 1e3) }
        }
        return FlowBench.median(times)
    }
}
