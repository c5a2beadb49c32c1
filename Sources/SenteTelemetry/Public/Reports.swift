// SPDX-License-Identifier: Apache-2.0

/// What a flush has done.
public struct FlushReport: Hashable, Sendable {
    /// The handlers that were not done within the time, in order.
    public var late: [String]

    /// Makes a report.
    public init(late: [String] = []) {
        self.late = late
    }

    /// Whether every handler has taken all that came before, and brought it where it belongs.
    public var isComplete: Bool { late.isEmpty }
}

/// What is left after the end.
public struct StopReport: Hashable, Sendable {
    /// How many signals that were accepted a handler has not taken, by id; a handler that took all of them has 0.
    public var left: [String: Int]
    /// The handlers that had not ended within the time, in order.
    public var late: [String]

    /// Makes a report.
    public init(left: [String: Int] = [:], late: [String] = []) {
        self.left = left
        self.late = late
    }

    /// Whether every handler has taken all that was accepted, and has ended.
    public var isComplete: Bool { late.isEmpty && left.values.allSatisfy { $0 == 0 } }
}
