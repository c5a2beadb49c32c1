// SPDX-License-Identifier: Apache-2.0

/// Where something stands among what it belongs to, across processes (W3C Trace Context, level 1).
public struct TraceContext: Hashable, Sendable {
    /// The field or header that carries its text between processes (§3.2).
    package static let key = "traceparent"
    /// The header beside it (§3.3).
    package static let stateKey = "tracestate"

    // Behind a reference: whatever may carry one, and mostly does not, is a word larger for it.
    private let parts: Parts

    private indirect enum Parts: Hashable, Sendable {
        case all(traceID: TraceID, spanID: UInt64, isSampled: Bool, state: String?)
    }

    private var all: (traceID: TraceID, spanID: UInt64, isSampled: Bool, state: String?) {
        switch parts {
        case .all(let traceID, let spanID, let isSampled, let state): (traceID, spanID, isSampled, state)
        }
    }

    /// The trace, the same in all processes; never zero.
    public var traceID: TraceID { all.traceID }
    /// The step within it; never zero.
    public var spanID: UInt64 { all.spanID }
    /// Whether the step before recorded it.
    public var isSampled: Bool { all.isSampled }
    /// What other vendors keep in it (`tracestate`), handed on as it came; nil when there is nothing.
    public var state: String? { all.state }

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
        parts = .all(
            traceID: traceID, spanID: spanID, isSampled: isSampled,
            state: state.flatMap { TraceState.isValid($0) ? $0 : nil })
    }

    /// The next step after one, under an id that is not zero.
    private init(parent: TraceContext, nonzeroSpanID spanID: UInt64) {
        parts = .all(
            traceID: parent.traceID, spanID: spanID, isSampled: parent.isSampled, state: parent.state)
    }

    /// The next step in the same trace.
    public func child(using generator: inout some RandomNumberGenerator) -> TraceContext {
        TraceContext(parent: self, nonzeroSpanID: max(1, generator.next()))
    }

    /// The first step of a new trace.
    public init(newTraceUsing generator: inout some RandomNumberGenerator, isSampled: Bool = true) {
        // Not `random(in:)`, which would ask a generator that only gives zeros for ever.
        let traceID = TraceID(high: max(1, generator.next()), low: generator.next())
        parts = .all(
            traceID: traceID, spanID: max(1, generator.next()), isSampled: isSampled, state: nil)
    }
}
