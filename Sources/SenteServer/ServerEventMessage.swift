// SPDX-License-Identifier: Apache-2.0

package import SenteSocket
package import SenteWire

/// An event as a server's handler gets it, Sente's `event-msg`.
package struct ServerEventMessage: Sendable {
    /// `[id]` or `[id data]` (`:event`).
    package let event: Value
    /// The event's id (`:id`).
    package let id: Keyword
    /// The event's data; `.null` for none (`:?data`).
    package let data: Value
    /// The user whose client it comes from (`:uid`).
    package let uid: Value
    /// The client's own name for itself (`:client-id`).
    package let clientID: String
    /// The connection it came by, or that came or went.
    package let connection: ConnectionID
    /// The request that connection began with, while it is there (`:ring-req`).
    package let request: HTTPRequest?
    /// Answers the event; nil when no answer is wanted (`:?reply-fn`).
    ///
    /// Nothing stops a second answer, as in Sente.
    package let reply: (@Sendable (Value) -> Void)?

    init(_ event: ServerEvent, _ request: HTTPRequest?, _ order: @escaping ServerService.Order) {
        self.event = event.event
        id = event.event[0]?.keywordValue ?? "chsk/bad-event"
        data = event.event[1] ?? .null
        uid = event.uid
        clientID = event.clientID
        connection = event.connection
        self.request = request
        if let callback = event.callback {
            reply = { value in order(.reply(value, callback: callback, to: event.connection)) }
        } else {
            reply = nil
        }
    }
}
