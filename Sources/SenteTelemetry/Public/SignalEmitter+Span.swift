// SPDX-License-Identifier: Apache-2.0

import SenteBase

extension SignalEmitter {
    /// Runs a closure, and raises a signal of how long it took and what it threw.
    ///
    /// The closure runs whether anybody wants the signal or not. Where a trace is current (``Telemetry/withTrace(_:_:)``) it is
    /// one step of it, and what is raised inside belongs to that step. When it throws, the signal has at least the level `.error`.
    public func span<Result>(
        _ id: StaticString, _ level: SignalLevel = .info, file: StaticString = #fileID, line: Int = #line,
        _ body: () throws -> Result
    ) rethrows -> Result {
        let span = OpenSpan(id, level, file, line)
        do {
            let result = try Surroundings.within(span.surroundings, body)
            span.end(signals, nil)
            return result
        } catch {
            span.end(signals, error)
            throw error
        }
    }

    /// Runs a closure that may wait, and raises a signal of how long it took and what it threw.
    public func span<Result>(
        _ id: StaticString, _ level: SignalLevel = .info, isolation: isolated (any Actor)? = #isolation,
        file: StaticString = #fileID, line: Int = #line, _ body: () async throws -> Result
    ) async rethrows -> Result {
        let span = OpenSpan(id, level, file, line)
        do {
            let result = try await Surroundings.within(span.surroundings, body)
            span.end(signals, nil)
            return result
        } catch {
            span.end(signals, error)
            throw error
        }
    }
}

/// What is known of a span before it ends.
private struct OpenSpan {
    let id: StaticString
    let level: SignalLevel
    let file: StaticString
    let line: Int
    let began = Clock.monotonic
    /// Its own step of the current trace; nil where there is none.
    let surroundings: Surroundings?

    init(_ id: StaticString, _ level: SignalLevel, _ file: StaticString, _ line: Int) {
        self.id = id
        self.level = level
        self.file = file
        self.line = line
        surroundings = Surroundings.present?.child()
    }

    func end(_ source: SignalSource, _ error: (any Error)?) {
        let took = Clock.monotonic - began
        let level = error == nil ? level : max(level, .error)
        guard source.isEnabled(level) else { return }
        Surroundings.within(surroundings) {
            source.raise(level, id, { nil }, error, file, line, kind: .span, nanoseconds: took) { _ in }
        }
    }
}
