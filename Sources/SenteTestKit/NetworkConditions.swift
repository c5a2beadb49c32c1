// SPDX-License-Identifier: Apache-2.0

/// What a world's network does to whatever travels.
public struct NetworkConditions: Sendable, Hashable {
    /// How long a message travels, each way; drawn anew for each, and none overtakes another of its connection.
    ///
    /// The default is no time.
    public var latency: ClosedRange<Duration>
    /// The part of all messages that is lost and sent again, as TCP does: nothing is missing, it comes later by 200 ms, and
    /// by twice as much for each further loss.
    ///
    /// The default is 0.
    public var loss: Double

    /// Makes conditions.
    public init(latency: ClosedRange<Duration> = .zero ... .zero, loss: Double = 0) {
        self.latency = latency
        self.loss = loss
    }

    /// The same latency for all.
    public init(latency: Duration, loss: Double = 0) {
        self.init(latency: latency...latency, loss: loss)
    }
}
