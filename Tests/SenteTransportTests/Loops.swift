// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport
import Synchronization
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

/// Collects from any thread; `next(where:)` waits for a state of the collection.
final class Collector<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var waiters: [(@Sendable ([Element]) -> Bool, CheckedContinuation<[Element], Never>)] = []
    }

    private let state = Mutex(State())

    var elements: [Element] { state.withLock { $0.elements } }

    func append(_ element: Element) {
        append(contentsOf: [element])
    }

    func append(contentsOf elements: [Element]) {
        let resumed = state.withLock { state in
            state.elements += elements
            let all = state.elements
            let done = state.waiters.filter { $0.0(all) }
            state.waiters.removeAll { $0.0(all) }
            return (done.map(\.1), all)
        }
        for waiter in resumed.0 { waiter.resume(returning: resumed.1) }
    }

    /// Waits until the collection satisfies `condition` and returns it.
    func wait(until condition: @escaping @Sendable ([Element]) -> Bool) async -> [Element] {
        await withCheckedContinuation { continuation in
            let now: [Element]? = state.withLock { state in
                if condition(state.elements) { return state.elements }
                state.waiters.append((condition, continuation))
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }
}
