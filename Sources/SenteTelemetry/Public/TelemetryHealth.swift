// SPDX-License-Identifier: Apache-2.0

/// Whether signals get where they should.
public struct TelemetryHealth: Hashable, Sendable {
    /// Each handler's, by id.
    public var handlers: [String: HandlerHealth]

    /// Makes it of the handlers'.
    public init(handlers: [String: HandlerHealth]) {
        self.handlers = handlers
    }

    /// Whether all handlers are well.
    public var isHealthy: Bool { handlers.values.allSatisfy(\.isHealthy) }
}

/// Whether a handler does its work.
public struct HandlerHealth: Hashable, Sendable {
    /// Whether it threw in the last 60 s, or ten times in a row.
    public var isFailing: Bool
    /// Whether signals for it were dropped in the last 60 s.
    public var isDropping: Bool
    /// How full its queue is, from 0 to 1.
    public var fill: Double
    /// Whether it threw so often in a row that it is not called for a while.
    public var isResting: Bool

    /// Makes it of its parts.
    public init(isFailing: Bool, isDropping: Bool, fill: Double, isResting: Bool = false) {
        self.isFailing = isFailing
        self.isDropping = isDropping
        self.fill = fill
        self.isResting = isResting
    }

    /// Whether it neither fails nor drops, and its queue is less than four fifths full.
    public var isHealthy: Bool { !isFailing && !isDropping && fill < 0.8 }
}
