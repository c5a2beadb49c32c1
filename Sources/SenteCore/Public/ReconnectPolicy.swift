// SPDX-License-Identifier: Apache-2.0

/// When to try again after a link was lost or could not be opened.
///
/// | policy | first retry | later retries | attempts |
/// | --- | --- | --- | --- |
/// | `.default` | 0…2 s | 0.5 s…min(30 s, 2 s·2ⁿ), n = 1, 2, … | unlimited |
/// | `.fleet` | 0…5 s | 5…10 s, 10…20 s, then 15…30 s | unlimited |
/// | `.senteLite` | 1 s ± 25 % | ×2 each, ± 25 %, at most 30 s | 5 |
/// | `.never` | – | – | 0 |
///
/// A session that was open for `stableTime` (5 s) starts again at the first row. Where there are several servers, the ones
/// not tried yet come first, after ``failover``.
public struct ReconnectPolicy: Sendable {
    /// What a custom policy is told.
    public struct Context: Sendable, Equatable {
        /// Which retry this is: 1 for the first.
        public var retry: Int
        /// How long the client has been without a connection.
        public var elapsed: Duration
        /// Why the last attempt or link failed.
        public var lastError: SenteError?

        /// Makes what a policy is asked with, to try one out.
        public init(retry: Int = 1, elapsed: Duration = .zero, lastError: SenteError? = nil) {
            self.retry = retry
            self.elapsed = elapsed
            self.lastError = lastError
        }
    }

    /// Indirect, so that it is a word where it is held.
    package indirect enum Rule: Sendable {
        case never
        /// Uniform in a window: `first` for retry 0, then `floor(b)…b` with b = min(maximum, base·2ⁿ).
        case windows(base: Duration, floor: Floor, maximum: Duration)
        case exponential(initial: Duration, multiplier: Double, jitter: Double, maximum: Duration)
        case custom(@Sendable (Context) -> Duration?)
    }

    package enum Floor: Sendable, Equatable {
        case fixed(Duration)
        case half
    }

    package var rule: Rule
    /// How many retries in a row before giving up; nil for no limit.
    ///
    /// The default is nil.
    public var attempts: Int?
    /// How long a connection must stay open before the next loss counts as the first again.
    ///
    /// The default is 5 s.
    public var stableTime: Duration = .seconds(5)
    /// Within how long a client that lost its server, or found nobody there, goes to another one; nil goes there only by
    /// the waits above.
    ///
    /// Each of the others is tried once, 16 of them at most, after a while drawn at random from zero to `failover`; then the
    /// waits begin. A server that refused the client, or that keeps its session, is no reason to go elsewhere at once.
    ///
    /// The default is zero, at once: what is published meanwhile is missed. With `.fleet` it is 5 s, since thousands that fall
    /// from one server come to the others together. With `.senteLite` and `.custom` it is nil.
    public var failover: Duration? = .zero

    /// Fast for one client, spread for many.
    ///
    /// The default.
    public static let `default` = ReconnectPolicy(
        rule: .windows(base: .seconds(2), floor: .fixed(.milliseconds(500)), maximum: .seconds(30)))

    /// For thousands of clients of one server: no second after an outage sees more than a quarter of them.
    public static let fleet = ReconnectPolicy(
        rule: .windows(base: .seconds(5), floor: .half, maximum: .seconds(30)), failover: .seconds(5))

    /// The original's numbers: 1 s, doubled, ± 25 %, at most 30 s, 5 attempts.
    public static let senteLite = ReconnectPolicy(rule: exponential().rule, attempts: 5, failover: nil)

    /// Never try again: a failed attempt ends in `failed`, the loss of an open link in `closed`.
    public static let never = ReconnectPolicy(rule: .never, attempts: 0)

    /// `initial`·`multiplier`ⁿ, at most `maximum`, then varied by ± `jitter` (a fraction), and never above `maximum`.
    ///
    /// Numbers that make no sense are brought into range: a multiplier of at least 1, a jitter of 0…1. It never gives up
    /// unless `attempts` says when; the default is nil.
    public static func exponential(
        initial: Duration = .seconds(1), multiplier: Double = 2, jitter: Double = 0.25,
        maximum: Duration = .seconds(30), attempts: Int? = nil
    ) -> ReconnectPolicy {
        ReconnectPolicy(
            rule: .exponential(
                initial: max(.zero, initial), multiplier: multiplier >= 1 ? multiplier : 1,
                jitter: jitter >= 0 ? min(jitter, 1) : 0, maximum: max(.zero, maximum)),
            attempts: attempts)
    }

    /// A policy of your own: the wait before the next attempt, or nil to give up.
    ///
    /// It runs on the ordinary executor and has 10 s to answer; a later answer counts as nil. It is asked before every retry
    /// unless ``failover`` is set.
    public static func custom(_ delay: @escaping @Sendable (Context) -> Duration?) -> ReconnectPolicy {
        ReconnectPolicy(rule: .custom(delay), failover: nil)
    }
}
