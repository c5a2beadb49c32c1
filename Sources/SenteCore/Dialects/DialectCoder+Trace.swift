// SPDX-License-Identifier: Apache-2.0

public import SenteWire

// A trace goes as text under the keys `traceparent` and `tracestate` (W3C Trace Context, §3.2 and §3.3): in maps as fields of
// the frame, in vectors within the event's data, if that is a map. A flat delivery has none, for all of its fields are the
// publisher's own.
extension DialectCoder {
    /// `[id data]`, or the same within `[event callback]`.
    package func adding(_ trace: TraceContext, to value: Value) -> Value {
        guard case .vector(var items) = value, let first = items.first else { return value }
        if case .vector = first {
            items[0] = adding(trace, to: first)
        } else if items.count > 1 {
            items[1] = items[1].adding(trace) { .keyword(Keyword($0)) }
        }
        return .vector(items)
    }

    /// What was read, with the trace that its frame names.
    func traced(_ inbound: Inbound, by frame: MapFrame?) -> Inbound { inbound.traced(by: frame?.trace) }
}

extension Inbound {
    /// With the trace that stands beside it.
    func traced(by fields: TraceFields?) -> Inbound {
        guard let fields else { return self }
        guard let trace = fields.trace else { return .mistraced(self) }
        switch self {
        case .delivery(var message):
            message.trace = trace
            return .delivery(message)
        case .request(var request):
            request.trace = trace
            return .request(request)
        case .jetStream(.delivery(let number, var message, let place)):
            message.trace = trace
            return .jetStream(.delivery(number, message, place))
        // An event's data has it as it came.
        default: return self
        }
    }
}

extension Outbound {
    /// With a trace, if it is one of those that others act upon.
    package func traced(by trace: TraceContext) -> Outbound {
        switch self {
        case .publish, .request, .event, .jetStream(.store): .traced(self, by: trace)
        case .headed(let fields, let outbound): .headed(fields, outbound.traced(by: trace))
        default: self
        }
    }
}

extension Value {
    /// A map with the trace, unless it names one itself; any other value as it is.
    func adding(_ trace: TraceContext, _ key: (String) -> Value) -> Value {
        guard case .map(var map) = self, map.value(named: TraceContext.key) == nil else { return self }
        for field in trace.fields { map[key(field.name)] = Value(field.text) }
        return .map(map)
    }
}

extension Event {
    /// The step of a trace that it belongs to, if its data says so under `traceparent` and `tracestate`, as events of a client do whose
    /// `tracing` is on.
    public var trace: TraceContext? {
        MapFrame(data)?.trace?.trace
    }
}
