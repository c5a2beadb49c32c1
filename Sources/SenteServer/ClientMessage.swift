// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// A client's message, whatever its dialect.
package enum ClientMessage: Hashable, Sendable {
    case subscribe(Value)
    case unsubscribe(Value)
    /// `data` is a map or null unless the client is wrong.
    ///
    /// `messageID` is the client's own name for the message, in this case as in the others that have one.
    case publish(Value, data: Value, excludesSender: Bool, messageID: String? = nil)
    case request(Value, data: Value, milliseconds: Int64?, messageID: String? = nil)
    case respond(requestID: Value, data: Value, isError: Bool, messageID: String? = nil)
    case ping(stamp: Value)
    case pong
    case listChannels
    case listSubscriptions
    case flood(Value, data: Value, count: Int64)
    /// Any map, or anything that is none, in the dialect of maps.
    case other(Value)
    /// `[id]` or `[id data]`, with what a reply to it must name.
    case event(Value, callback: Value?)
    /// A word about messages.
    case flow(FlowWord, callback: Value?)
    /// Understood, and of no consequence.
    case ignored
    case unreadable
    /// The same with what it names as its trace.
    indirect case traced(ClientMessage, by: TraceFields)
}

extension ClientMessage {
    var untraced: ClientMessage { if case .traced(let message, _) = self { message } else { self } }

    /// With its trace, if it is one of those that others act upon.
    func traced(by trace: TraceFields?) -> ClientMessage {
        guard let trace else { return self }
        switch self {
        case .publish, .request, .event, .other: return .traced(self, by: trace)
        default: return self
        }
    }
}
