// SPDX-License-Identifier: Apache-2.0

/// What became of the signals that reached a handler.
///
/// At rest `seen` is the sum of `handled`, `filtered`, `sampled`, `limited`, `suppressed`, `dropped` and `failed`.
public struct HandlerStatistics: Hashable, Sendable {
    /// How many came from the callers' buffers.
    public var seen = 0
    /// How many it has taken.
    public var handled = 0
    /// How many its filter refused.
    public var filtered = 0
    /// How many its sample left out.
    public var sampled = 0
    /// How many were beyond its limits.
    public var limited = 0
    /// How many its transform made nothing of, or it had raised itself.
    public var suppressed = 0
    /// How many found no room, or its end.
    public var dropped = 0
    /// How many were in calls that threw, or were skipped.
    public var failed = 0
    /// How many of those were not even tried: after ten calls in a row that threw a handler rests for 100 ms, and twice as long
    /// after each further one that throws, 30 s at most.
    public var skipped = 0
    /// How many wait.
    public var queued = 0
    /// How long its calls took.
    public var latency = Histogram()

    /// Makes statistics of a handler that has seen nothing.
    public init() {}
}

/// What became of the signals of all callers.
public struct IntakeStatistics: Hashable, Sendable {
    /// How many were handed to the handlers.
    public var accepted = 0
    /// How many the telemetry's sample left out.
    public var sampled = 0
    /// How many were beyond the telemetry's limits.
    public var limited = 0
    /// How many found their thread's buffer full, or came after the end.
    public var dropped = 0

    /// Makes statistics of a telemetry that nobody has called.
    public init() {}
}
