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
}

/// Holds what lives on a loop: set and used there only.
final class Box<Value>: @unchecked Sendable {
    var value: Value

    init(_ value: Value) {
        self.value = value
    }
}

/// Collects from any thread; `wait` waits for a state of the collection.
final class Collector<Element: Sendable>: @unchecked Sendable {
    // Not a `Mutex`, whose locking the thread sanitizer does not see.
    private let lock = NSLock()
    private var collected: [Element] = []
    private var waiters: [(condition: @Sendable ([Element]) -> Bool, CheckedContinuation<[Element], Never>)] =
        []

    var elements: [Element] { lock.withLock { collected } }

    func append(_ element: Element) {
        append(contentsOf: [element])
    }

    func append(contentsOf elements: [Element]) {
        let (all, done) = lock.withLock {
            collected += elements
            let all = collected
            let done = waiters.filter { $0.condition(all) }
            waiters.removeAll { $0.condition(all) }
            return (all, done)
        }
        for waiter in done { waiter.1.resume(returning: all) }
    }

    /// Waits until the collection satisfies `condition` and returns it.
    func wait(until condition: @escaping @Sendable ([Element]) -> Bool) async -> [Element] {
        await withCheckedContinuation { continuation in
            let now: [Element]? = lock.withLock {
                if condition(collected) { return collected }
                waiters.append((condition, continuation))
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }
}
