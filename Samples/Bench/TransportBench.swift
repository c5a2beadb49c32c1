// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport

/// The transport alone: one connection, or many idle ones.
enum TransportBench {
    static func run(_ load: Load) async throws -> BenchResult {
        let loop = try EventLoop.shared()
        switch (load.mode, load.handOver) {
        case (.idle, _): return try await idle(load, loop)
        case (_, .callback): return try await CallbackRun(load).run(on: loop)
        case (_, .async): return try await AsyncRun.run(load, on: loop)
        case (_, .loop): return try await loop.runTask { try await AsyncRun.run(load, on: loop) }
        }
    }

    private static func idle(_ load: Load, _ loop: EventLoop) async throws -> BenchResult {
        // The first connection pays for the loop's thread and for code that is read in only now.
        var connections = [try await load.open(on: loop)]
        let base = Measure.residentKiB()
        for _ in 0..<load.count { connections.append(try await load.open(on: loop)) }
        let resident = Measure.residentKiB()
        return withExtendedLifetime(connections) {
            BenchResult(
                client: "sente-transport", mode: "idle", size: 0, count: load.count,
                figures: [
                    ("rss_base_kib", Double(base)), ("rss_kib", Double(resident)),
                    ("kib_per_conn", Double(resident - base) / Double(load.count)),
                ])
        }
    }

    /// The message that is sent again and again; `flood` tells the server what to send instead.
    static func message(_ load: Load) -> Message {
        guard load.mode == .flood else { return .binary([UInt8](repeating: 0x61, count: load.size)) }
        return .text("\(load.size) \(load.order ?? load.count)")
    }
}

/// A run whose messages come to a callback on the loop.
///
/// Everything but `run` happens there.
private final class CallbackRun: @unchecked Sendable {
    private let load: Load
    private let message: Message
    private var watch = Stopwatch()
    private var sent = 0
    private var received = 0
    private var lastSent: UInt64 = 0
    private var done: CheckedContinuation<BenchResult, Never>?

    init(_ load: Load) {
        self.load = load
        message = TransportBench.message(load)
    }

    func run(on loop: EventLoop) async throws -> BenchResult {
        let connection = try await load.open(on: loop) { self.take($1, $0) }
        return await withCheckedContinuation { continuation in
            loop.post {
                self.done = continuation
                self.begin(connection)
            }
        }
    }

    private func begin(_ connection: WebSocketConnection) {
        if load.warmUp == 0 { watch.start(expecting: load.count) }
        sendMore(connection)
    }

    private func sendMore(_ connection: WebSocketConnection) {
        while sent < load.sends(after: received) {
            if load.mode == .pingpong { lastSent = Measure.nanoseconds() }
            sent += 1
            connection.send(message)
        }
    }

    private func take(_ messages: [Message], _ connection: WebSocketConnection) {
        for _ in 0..<messages.count {
            received += 1
            if received == load.warmUp {
                watch.start(expecting: load.mode == .pingpong ? load.count : 0)
            } else if load.mode == .pingpong, received > load.warmUp {
                watch.record(Measure.nanoseconds() - lastSent)
            }
            sendMore(connection)
        }
        if received == load.warmUp + load.count {
            done?.resume(returning: watch.result("sente-transport-callback", load))
            done = nil
        }
    }
}

/// A run whose messages a task receives with `await`.
private enum AsyncRun {
    static func run(_ load: Load, on loop: EventLoop) async throws -> BenchResult {
        let connection = try await load.open(on: loop)
        let message = TransportBench.message(load)
        let total = load.warmUp + load.count
        var watch = Stopwatch()
        var lastSent = Measure.nanoseconds()
        if load.warmUp == 0 { watch.start(expecting: 0) }
        var sent = load.sends(after: 0)
        for _ in 0..<sent { connection.send(message) }
        var received = 0
        while received < total, let batch = await connection.receiveAll() {
            let now = Measure.nanoseconds()
            for _ in 0..<batch.count {
                received += 1
                if load.mode == .pingpong, received > load.warmUp { watch.record(now - lastSent) }
                if received == load.warmUp {
                    watch.start(expecting: load.mode == .pingpong ? load.count : 0)
                }
            }
            let more = load.sends(after: received) - sent
            sent += more
            lastSent = Measure.nanoseconds()
            if more == 1 {
                connection.send(message)
            } else if more > 1 {
                connection.send([Message](repeating: message, count: more))
            }
        }
        return watch.result("sente-transport-\(load.handOver.rawValue)", load)
    }
}
