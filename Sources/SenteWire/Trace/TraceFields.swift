// SPDX-License-Identifier: Apache-2.0

/// What carries a trace in a map or among headers: text under `traceparent`, and under `tracestate` where other vendors keep
/// something (W3C Trace Context, §3.2 and §3.3).
package struct TraceFields: Hashable, Sendable {
    private let parent: Value
    private let state: Value?

    /// The fields among others; nil when there is no `traceparent`.
    package init?(_ field: (String) -> Value?) {
        guard let parent = field(TraceContext.key), !parent.isNull else { return nil }
        self.parent = parent
        state = field(TraceContext.stateKey)
    }

    /// What they say; nil when it is no trace.
    package var trace: TraceContext? {
        parent.stringValue.flatMap { TraceContext(traceparent: $0, tracestate: state?.stringValue) }
    }
}

extension TraceContext {
    /// Its fields: one, or two where there is a state.
    package var fields: [(name: String, text: String)] {
        let parent = (Self.key, traceparent)
        return state.map { [parent, (Self.stateKey, $0)] } ?? [parent]
    }
}
