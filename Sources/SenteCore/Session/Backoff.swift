// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// How long to wait before the next attempt.
///
/// Counts the retries since the last stable connection. The first retry of a series draws from the policy's first
/// window; a failure that only a change elsewhere can mend waits at the cap.
package struct Backoff: Sendable {
    package enum Wait: Equatable {
        case after(Duration)
        /// The policy is the app's: ask it.
        case ask(ReconnectPolicy.Context)
        case giveUp
    }

    package let policy: ReconnectPolicy
    /// How many retries were scheduled since the last stable connection.
    package private(set) var retries = 0
    /// Since when there is no connection.
    package private(set) var downSince: Instant?

    package init(policy: ReconnectPolicy) {
        self.policy = policy
    }

    /// A link ended, or could not be opened.
    ///
    /// Counts a retry unless the policy gives up.
    package mutating func next(
        at now: Instant, atCap: Bool, error: SenteError?, using random: inout Generator
    ) -> Wait {
        let since = downSince ?? now
        downSince = since
        if let attempts = policy.attempts, retries >= attempts { return .giveUp }
        let retry = retries
        switch policy.rule {
        case .never: return .giveUp
        case .custom:
            retries += 1
            return .ask(
                ReconnectPolicy.Context(retry: retry + 1, elapsed: since.duration(to: now), lastError: error))
        case .windows(let base, let floor, let maximum):
            retries += 1
            let window = Self.window(base, floor, maximum, retry: atCap ? 62 : retry)
            return .after(Self.uniform(window, using: &random))
        case .exponential(let initial, let multiplier, let jitter, let maximum):
            retries += 1
            let cap = Double(maximum.wholeNanoseconds)
            let grown = Self.growth(Double(initial.wholeNanoseconds), multiplier, atCap ? 1_000 : retry)
            let capped = min(grown, cap)
            let factor = jitter > 0 ? Double.random(in: (1 - jitter)...(1 + jitter), using: &random) : 1
            // The cap holds after jitter too; the original's may exceed it.
            return .after(Self.duration(min(capped * factor, cap)))
        }
    }

    /// The link that ended had been open since then.
    package mutating func linkEnded(openedAt: Instant, at now: Instant) {
        if openedAt.duration(to: now) >= policy.stableTime { reset() }
        downSince = downSince ?? now
    }

    package mutating func linkOpened() {
        downSince = nil
    }

    package mutating func reset() {
        retries = 0
        downSince = nil
    }

    /// Retry 0 draws from 0…base; later ones from the floor up to min(maximum, base·2ⁿ).
    private static func window(
        _ base: Duration, _ floor: ReconnectPolicy.Floor, _ maximum: Duration, retry: Int
    ) -> ClosedRange<Int64> {
        let base = base.wholeNanoseconds
        guard retry > 0 else { return 0...max(0, base) }
        let top = Int64(min(growth(Double(base), 2, retry), Double(maximum.wholeNanoseconds)))
        switch floor {
        case .fixed(let low): return min(low.wholeNanoseconds, top)...top
        case .half: return (top / 2)...top
        }
    }

    private static func growth(_ initial: Double, _ multiplier: Double, _ retry: Int) -> Double {
        var value = initial
        // Stops before infinity: 1,000 steps of ×1 stay where they are.
        for _ in 0..<min(retry, 1_000) where value < 1e18 { value *= multiplier }
        return value
    }

    /// Whatever numbers a policy was made of: 292 years at most, and what is no number is no wait.
    private static func duration(_ nanoseconds: Double) -> Duration {
        guard nanoseconds > 0 else { return .zero }
        return .nanoseconds(nanoseconds < 9.2e18 ? Int64(nanoseconds) : .max)
    }

    private static func uniform(_ range: ClosedRange<Int64>, using random: inout Generator) -> Duration {
        .nanoseconds(Int64.random(in: range, using: &random))
    }
}
