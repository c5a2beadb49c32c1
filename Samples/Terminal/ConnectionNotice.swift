// SPDX-License-Identifier: Apache-2.0

public import SenteLite

/// What a person is told for as long as there is no connection: that one is being made, or when the next try is due.
public struct ConnectionNotice: Sendable, Equatable {
    private let attempt: Int
    private let retryAt: Instant?

    /// Nil where there is nothing to wait for.
    public init?(_ status: ConnectionStatus) {
        switch status.state {
        case .connecting: retryAt = nil
        case .reconnecting: retryAt = status.retryAt
        case .closed, .open, .closing, .failed: return nil
        }
        attempt = status.attempt
    }

    /// The sentence at this time.
    public func text(at now: Instant) -> String {
        guard let retryAt else { return attempt > 1 ? "connecting, attempt \(attempt) …" : "connecting …" }
        let seconds = Self.wholeSeconds(now.duration(to: retryAt))
        return seconds > 0 ? "retrying in \(seconds) s (attempt \(attempt))" : "retrying now"
    }

    /// How long that sentence holds; nil: until the connection's state changes.
    public func lasts(from now: Instant) -> Duration? {
        guard let retryAt else { return nil }
        let left = now.duration(to: retryAt)
        let seconds = Self.wholeSeconds(left)
        return seconds > 0 ? left - .seconds(seconds - 1) : nil
    }

    /// Begun seconds count.
    private static func wholeSeconds(_ duration: Duration) -> Int64 {
        let (seconds, rest) = duration.components
        return max(0, seconds + (rest > 0 ? 1 : 0))
    }
}
