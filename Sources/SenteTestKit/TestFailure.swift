// SPDX-License-Identifier: Apache-2.0

/// What a test waited for and did not happen.
///
/// Its description is a sentence, which both Swift Testing and XCTest show for an error that a test throws.
public struct TestFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// A kind of failure.
    public enum Kind: String, Sendable, CaseIterable {
        /// It did not happen within the limit: in virtual time in a world, in real time at a ``LoopbackServer``.
        case timedOut
        /// It cannot happen any more: everybody waits, and no timer is left that could change it.
        case nothingLeft
        /// The test's task was cancelled.
        case cancelled
    }

    /// What kind of failure it is.
    public var kind: Kind
    /// What did not happen, and what is known instead.
    public var description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// nil when what was waited for has happened.
    init?(_ outcome: Pump.Outcome, _ wanted: String, within limit: Duration, _ standing: String = "") {
        let addition = standing.isEmpty ? "" : " \(standing)"
        switch outcome {
        case .reached: return nil
        case .late: self.init(.timedOut, "\(wanted) did not happen within \(limit).\(addition)")
        case .nothingLeft:
            self.init(
                .nothingLeft,
                "\(wanted) cannot happen any more: nothing is on its way, and no timer is set.\(addition)")
        case .cancelled: self.init(.cancelled, "The task was cancelled while it waited: \(wanted).")
        }
    }
}
