// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import SenteBase
import SenteCore
import SenteLite
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

    var url: String
    var mode: Mode
    var size: Int
    var count: Int
    var window: Int
    var handOver: HandOver
    /// How many messages of a flood are ordered at once, with the next order under way; nil orders all of them.
    var order: Int?
    /// How the server is reached; nothing is compressed, and no proxy asked, unless a command line says so.
    var configuration = SenteClient.Configuration()

    init(
        _ url: String, mode: Mode, size: Int, count: Int, window: Int, handOver: HandOver,
        order: Int? = nil
    ) {
        self.url = url
        self.mode = mode
        self.size = size
        self.count = count
        self.window = window
        self.handOver = handOver
        self.order = order
        configuration.compression = nil
        configuration.proxy = .none
        configuration.limits.incomingMessage = 64 << 20
    }

    /// Reads `HOST PORT MODE SIZE COUNT WINDOW [hand-over]`, or the same with options and a URL for host and port, whose
    /// server is talked to as a client would.
    static func read(_ arguments: [String]) throws(UsageError) -> Load {
        if let port = arguments.count > 1 ? Int(arguments[1]) : nil {
            let rest = arguments.dropFirst(2)
            let path = rest.first == Mode.flood.rawValue ? "/flood" : "/"
            return try Load("ws://\(arguments[0]):\(port)\(path)", rest)
        }
        var load = Load("", mode: .pingpong, size: 0, count: 1, window: 1, handOver: .callback)
        load.configuration.compression = CompressionPolicy()
        load.configuration.proxy = .environment
        let words = try OptionTable(options).apply(arguments, to: &load)
        var read = try Load(words.first ?? "", words.dropFirst())
        read.configuration = load.configuration
        return read
    }

    /// What may stand beside a URL.
    static var options: [Option<Load>] {
        Option.identity(\.configuration) + Option.way(\.configuration) + Option.compression(\.configuration)
    }

    private init(_ url: String, _ words: ArraySlice<String>) throws(UsageError) {
        let words = Array(words)
        guard (4...5).contains(words.count), let mode = Mode(rawValue: words[0]),
            let size = Int(words[1]), size >= 0, let count = Int(words[2]), count > 0,
            let window = Int(words[3]), window > 0,
            let handOver = HandOver(rawValue: words.count == 5 ? words[4] : "callback")
        else {
            throw UsageError(
                "Behind the server stand MODE SIZE COUNT WINDOW and perhaps callback, async or loop; `bench --help` tells them."
            )
        }
        self.init(url, mode: mode, size: size, count: count, window: window, handOver: handOver)
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

    /// Opens one of its connections.
    func open(
        on loop: EventLoop, onMessages: WebSocketConnection.OnMessages? = nil
    ) async throws -> WebSocketConnection {
        let token = try await configuration.tokenProvider?(.connecting)
        let target = LinkTarget(
            endpoint: nil, token: token, deadline: Instant.now.advanced(by: configuration.timeouts.connect))
        let request = LinkSetup(url: url, configuration: configuration).request(target)
        return try await WebSocketConnection.open(request, on: loop, onMessages: onMessages)
    }
}
