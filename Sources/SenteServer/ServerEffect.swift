// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSignals
package import SenteWire

/// What a server session wants done, in order.
package enum ServerEffect: Hashable, Sendable {
    case send(ConnectionID, Message)
    /// Begin the closing handshake; the session has already forgotten the connection.
    /// `keepsTCP` leaves the TCP connection open afterwards, until the peer ends it.
    case close(ConnectionID, CloseCode, reason: String, keepsTCP: Bool)
    /// End TCP with no close frame; the session has already forgotten the connection.
    case drop(ConnectionID)
    /// Say `ServerInput.room` when the connection has taken most of what it was sent: there is a part of a message for it.
    case awaitRoom(ConnectionID)
    /// To be done elsewhere than on the loop; `ServerInput.worked` brings what came of it.
    indirect case work(ServerWork)
    /// Take nothing more from the connection until it is told to go on.
    case pauseReading(ConnectionID)
    case resumeReading(ConnectionID)
    /// A message of unknown type for the hook; what the hook answers goes back as `ServerCommand.send`.
    case ask(ConnectionID, Value)
    /// An event for whoever serves them; a reply goes back as `ServerCommand.reply`.
    case tell(ServerEvent)
    /// A request for whoever serves its channel; the answer comes as `ServerCommand.answer`.
    case serve(ServedRequest)
    /// A stream wants something of whoever runs the server; its client has this connection, or had it last.
    ///
    /// Indirect, since effects of messages are many and would all have its size.
    indirect case stream(ConnectionID, StreamName, ServerStream.Event)
    /// A client of which no stream is known has agreed on streams.
    case agreedOnStreams(ConnectionID)
    /// A connection has subscribed to a channel, or no longer is, and somebody wants to hear of it.
    case subscription(ConnectionID, to: Value, isThere: Bool)
    /// Send these messages as fast as the connection takes them.
    case flood(ConnectionID, Flood)
    /// Telemetry of a client, for whoever keeps it.
    case remoteSignals([Signal])
    /// Something of note happened that somebody wants to hear of (`ServerSession.signalLevel`).
    case record(ServerSignal)
}

/// Many deliveries that differ in their message id only, made one by one.
package struct Flood: Hashable, Sendable {
    /// The number of messages still to come.
    package private(set) var remaining: Int
    /// Nil: all alike.
    private var number: UInt64?
    private let head: [UInt8]
    private let tail: [UInt8]

    /// Deliveries like a message that has `mark` where their numbers go; nil when it has none.
    init?(count: Int, first number: UInt64, of message: Message, at mark: String) {
        let mark = Array(mark.utf8)
        let ends = message.bytes.indices.dropFirst(mark.count - 1)
        guard message.kind == .text,
            let end = ends.last(where: { message.bytes[($0 - mark.count + 1)...$0].elementsEqual(mark) })
        else { return nil }
        self.init(
            count: count, first: number, head: Array(message.bytes[...end]),
            tail: Array(message.bytes[(end + 1)...]))
    }

    package init(count: Int, first number: UInt64?, head: [UInt8], tail: [UInt8]) {
        remaining = max(0, count)
        self.number = number
        self.head = head
        self.tail = tail
    }

    /// The next message; nil when all are made.
    package mutating func next() -> Message? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        var bytes = [UInt8]()
        bytes.reserveCapacity(head.count + 20 + tail.count)
        bytes += head
        if let number {
            bytes += String(number).utf8
            self.number = number &+ 1
        }
        bytes += tail
        return Message(.text, bytes)
    }
}
