// SPDX-License-Identifier: Apache-2.0

/// Where something stands among what it belongs to, across processes (W3C Trace Context, level 1).
public struct TraceContext: Hashable, Sendable {
    /// The trace, the same in all processes; never zero.
    public let traceID: TraceID
    /// The step within it; never zero.
    public let spanID: UInt64
    /// Whether the step before recorded it.
    public let isSampled: Bool
    /// What other vendors keep in it (`tracestate`), handed on as it came; nil when there is nothing.
    public let state: String?

    /// The sixteen bytes of a trace's id.
    public struct TraceID: Hashable, Sendable {
        /// Its first eight bytes.
        public let high: UInt64
        /// Its last eight bytes.
        public let low: UInt64

        /// Makes an id of its halves.
        public init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }
    }

    /// Makes one; nil when an id is zero, which the standard forbids.
    public init?(traceID: TraceID, spanID: UInt64, isSampled: Bool = true, state: String? = nil) {
        guard traceID != TraceID(high: 0, low: 0), spanID != 0 else { return nil }
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
        self.state = state
    }
}
