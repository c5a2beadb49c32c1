// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteCore
import SenteTelemetry
import SenteTransport
package import SenteWire

extension SenteClient {
    /// The step of a trace that a call begins: the next of the caller's, or the first of a new one; nil where the client
    /// writes none.
    var nextTrace: TraceContext? {
        guard configuration.tracing else { return nil }
        var generator = SeedGenerator(entropy: host.entropy)
        return Telemetry.currentTrace?.child(using: &generator) ?? TraceContext(newTraceUsing: &generator)
    }
}

extension LinkSetup {
    /// The trace that a link's handshake begins; nil where the client writes none, or the app names its own.
    package func trace(_ entropy: Entropy) -> TraceContext? {
        let isGiven = configuration.headers.contains { $0.name.lowercased() == TraceContext.key }
        guard configuration.tracing, !isGiven else { return nil }
        var generator = SeedGenerator(entropy: entropy)
        return TraceContext(newTraceUsing: &generator)
    }
}

/// Runs what handles something, within its trace, if it has one.
func within<Result>(
    _ trace: TraceContext?, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
) async rethrows -> Result {
    guard let trace else { return try await body() }
    return try await Telemetry.default.withTrace(trace, body)
}

extension Host {
    /// Starts a task that handles one thing after the other: it has no part in the trace of whoever happened to start it.
    @discardableResult
    func startUntraced(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        start { await Telemetry.withoutSurroundings(body) }
    }
}

extension InboxElement {
    /// The trace of what came, if it names one.
    var trace: TraceContext? {
        switch self {
        case .message(let message): message.trace
        case .event(let event, _): event.trace
        case .request(let request): request.trace
        }
    }
}

/// The host's random numbers, so that a test world repeats its traces too.
private struct SeedGenerator: RandomNumberGenerator {
    let entropy: Entropy

    func next() -> UInt64 { entropy.seed() }
}
