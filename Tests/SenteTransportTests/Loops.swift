// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteTransport
import Testing

/// Every test that opens sockets or measures a loop is a part of this suite.
@Suite("SenteTransport")
enum TransportTests {}

/// Runs `body` with a loop of its own, and stops it afterwards.
func withLoop<Result>(
    _ polling: EventLoop.Polling, _ body: (EventLoop) async throws -> Result
) async throws -> Result {
    let loop = try EventLoop(polling: polling)
    defer { loop.shutDown() }
    return try await body(loop)
}

extension EventLoop {
    /// Runs `body` on the loop and returns what it made.
    func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            post { continuation.resume(returning: body()) }
        }
    }

    /// A request to a port of this machine, with generous time.
    func request(_ port: UInt16, host: String = "127.0.0.1", opening: Duration = .seconds(20)) -> LinkRequest
    {
        LinkRequest(
            url: "ws://\(host):\(port)/", messageLimits: MessageLimits(both: 8 << 20),
            openDeadline: now.instant.advanced(by: opening))
    }
}
