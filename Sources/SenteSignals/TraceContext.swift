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
    ///
    /// A state that is no `tracestate` of at most 32 members is left out.
    public init?(traceID: TraceID, spanID: UInt64, isSampled: Bool = true, state: String? = nil) {
        guard traceID != TraceID(high: 0, low: 0), spanID != 0 else { return nil }
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
        self.state = state.flatMap { TraceState.isValid($0) ? $0 : nil }
    }

    /// The next step after one, under an id that is not zero.
    private init(parent: TraceContext, nonzeroSpanID spanID: UInt64) {
        (traceID, self.spanID) = (parent.traceID, spanID)
        (isSampled, state) = (parent.isSampled, parent.state)
    }

    /// The next step in the same trace.
    public func child(using generator: inout some RandomNumberGenerator) -> TraceContext {
        TraceContext(parent: self, nonzeroSpanID: max(1, generator.next()))
    }

    /// The first step of a new trace.
    public init(newTraceUsing generator: inout some RandomNumberGenerator, isSampled: Bool = true) {
        // Not `random(in:)`, which would ask a generator that only gives zeros for ever.
        traceID = TraceID(high: max(1, generator.next()), low: generator.next())
        spanID = max(1, generator.next())
        self.isSampled = isSampled
        state = nil
    }
}
