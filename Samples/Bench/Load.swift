// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport

/// What one run does, and to whom.
struct Load: Sendable {
    enum Mode: String {
        /// One message, its echo, the next.
        case pingpong
        /// `window` messages under way, a new one for each echo.
        case pipeline
        /// The server sends, we receive.
        case flood
        /// Connections that are opened and kept.
        case idle
    }

    /// How messages reach the code that counts them.
    enum HandOver: String {
        case callback
        case async
        /// Async, with the consumer's task on the loop.
        case loop
    }

    var host: String
    var port: Int
    var mode: Mode
    var size: Int
    var count: Int
    var window: Int
    var handOver: HandOver
    /// How many messages of a flood are ordered at once, with the next order under way; nil orders all of them.
    var order: Int?
    /// How the connection is secured; nil for a plain one.
    var tls: TLSConfiguration?

    init(
        host: String, port: Int, mode: Mode, size: Int, count: Int, window: Int, handOver: HandOver,
        order: Int? = nil, tls: TLSConfiguration? = nil
    ) {
        self.host = host
        self.port = port
        self.mode = mode
        self.size = size
        self.count = count
        self.window = window
        self.handOver = handOver
        self.order = order
        self.tls = tls
    }

    /// Reads `HOST PORT MODE SIZE COUNT WINDOW [hand-over]`; nil when they are none.
    init?(_ arguments: [String]) {
        guard (6...7).contains(arguments.count), let port = Int(arguments[1]),
            let mode = Mode(rawValue: arguments[2]), let size = Int(arguments[3]), size >= 0,
            let count = Int(arguments[4]), count > 0, let window = Int(arguments[5]), window > 0,
            let handOver = HandOver(rawValue: arguments.count == 7 ? arguments[6] : "callback")
        else { return nil }
        self.init(
            host: arguments[0], port: port, mode: mode, size: size, count: count, window: window,
            handOver: handOver)
    }

    /// Messages before the measured ones.
    var warmUp: Int { mode == .flood || mode == .idle ? 0 : max(1, count / 10) }

    /// How often the message is to have been sent by the time so many have come back.
    func sends(after received: Int) -> Int {
        switch mode {
        case .flood: order.map { min(2 + received / $0, (count + $0 - 1) / $0) } ?? 1
        case .pingpong: min(1 + received, warmUp + count)
        case .pipeline, .idle: min(window + received, warmUp + count)
        }
    }

    var url: String {
        "\(tls == nil ? "ws" : "wss")://\(host):\(port)\(mode == .flood ? "/flood" : "/")"
    }

    /// Opens one of its connections.
    func open(
        on loop: EventLoop, onMessages: WebSocketConnection.OnMessages? = nil
    ) async throws -> WebSocketConnection {
        try await WebSocketConnection.open(
            url, messageLimit: 64 << 20, tls: tls ?? TLSConfiguration(), on: loop, onMessages: onMessages)
    }
}
