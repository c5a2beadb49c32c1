// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// How long to wait before the next attempt.
///
/// Counts the retries since the last stable connection. While another server may take the client, it goes there as soon
/// as the policy's `failover` says. The first retry that is none of these draws from the policy's first window; a failure
/// that only a change elsewhere can mend waits at the cap.
package struct Backoff: Sendable {
    package enum Wait: Equatable {
        case after(Duration)
        /// Before an attempt at another server than the one just lost or tried.
        case elsewhere(Duration)
        /// The policy is the app's: ask it.
        case ask(ReconnectPolicy.Context)
        case giveUp
    }

    package let policy: ReconnectPolicy
    /// How many retries were scheduled since the last stable connection.
    package private(set) var retries = 0
    /// How many of them went to another server without the policy's wait.
    private var failovers = 0
    /// Since when there is no connection.
    package private(set) var downSince: Instant?

    package init(policy: ReconnectPolicy) {
        self.policy = policy
    }

    /// A link ended, or could not be opened.
    ///
    /// Counts a retry unless the policy gives up. `hasOther` says that another server has not been tried yet.
    package mutating func next(
        at now: Instant, atCap: Bool, hasOther: Bool = false, error: SenteError?,
        using random: inout Generator
    ) -> Wait {
        let since = downSince ?? now
        downSince = since
        if let attempts = policy.attempts, retries >= attempts { return .giveUp }
        if hasOther, failovers < Self.maximumFailovers, let failover = policy.failover {
            retries += 1
            failovers += 1
            return .elsewhere(Self.uniform(0...max(0, failover.wholeNanoseconds), using: &random))
        }
        let retry = retries - failovers
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

    /// How many others are gone to in a row: whoever names ever more servers keeps no client busy.
    package static let maximumFailovers = 16

    /// The link that ended had been open since then; whether that was long enough to count anew.
    package mutating func linkEnded(openedAt: Instant, at now: Instant) -> Bool {
        let wasStable = openedAt.duration(to: now) >= policy.stableTime
        if wasStable { reset() }
        downSince = downSince ?? now
        return wasStable
    }

    package mutating func linkOpened() {
        downSince = nil
    }

    package mutating func reset() {
        retries = 0
        failovers = 0
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
