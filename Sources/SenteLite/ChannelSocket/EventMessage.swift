// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// An event as a handler gets it, Sente's `event-msg`.
public struct EventMessage: Sendable {
    /// The whole event (`:event`).
    public let event: Event
    /// How many messages this consumer lost right before this one, because it did not keep up.
    public package(set) var missed = 0
    /// The change, when this is `:chsk/state`; its data says the same in Sente's form.
    public let stateChange: ChannelSocketChange?
    let socket: ChannelSocket

    init(_ event: Event, stateChange: ChannelSocketChange? = nil, missed: Int = 0, _ socket: ChannelSocket) {
        self.event = event
        self.stateChange = stateChange
        self.missed = missed
        self.socket = socket
    }

    /// What the event is (`:id`).
    public var id: Keyword { event.id }
    /// What it carries; `.null` for nothing (`:?data`).
    public var data: Value { event.data }
    /// By what the server knows this client (`:client-id`).
    public var clientID: String { socket.clientID }
    /// Who the server says this client is (`:uid`).
    public var uid: Value? { state.value.uid }
    /// The socket's state (`:state`).
    public var state: ObservableState<ChannelSocketState> { socket.hub.state }
    /// Sends events (`:send-fn`).
    public var sendFn: SendFunction { SendFunction(socket) }
    /// Where it came from; events of the app's own can be put there (`:ch-recv`).
    public var chRecv: ReceiveChannel { ReceiveChannel(socket) }
    /// Answers the event (`:?reply-fn`).
    ///
    /// Always nil: only servers get events that can be answered.
    public var reply: (@Sendable (Value) -> Void)? { nil }
}

extension EventMessage: CountsMissed {}
