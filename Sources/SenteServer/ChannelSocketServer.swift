// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteTransport
package import SenteWire

/// A server in Sente's shape: events come by `chRecv`, and go to users by `sendFn`.
package struct ChannelSocketServer: Sendable {
    /// The sockets: starts, stops, misbehaves, counts.
    package let server: ReferenceServer
    /// Everything that comes in.
    package let chRecv: ServerReceiveChannel

    /// The users who are connected.
    package var connectedUIDs: ConnectedUIDs { get async { await server.connectedUIDs } }

    /// Pushes an event to every connection of a user, `.null` standing for all clients that are nobody's.
    ///
    /// In Sente what is pushed within 30 ms goes together, unless it flushes. The event `[:chsk/close]` closes the user's
    /// connections.
    /// - Throws: What is wrong with the event; nothing was sent then.
    package func sendFn(_ uid: Value, _ event: Value, flush: Bool = false) throws(ServerEventError) {
        try check(event)
        server.post(.push(event, uid: uid, flushes: flush))
    }

    /// Pushes an event to every user; in sente-lite's vectors to every connection, wrapped if that is asked for.
    /// - Throws: What is wrong with the event; nothing was sent then.
    package func broadcast(_ event: Value) throws(ServerEventError) {
        try check(event)
        server.post(.broadcast(event))
    }

    private func check(_ event: Value) throws(ServerEventError) {
        guard SenteDialect.isEvent(event) else { throw .notAnEvent(event) }
        do throws(WireError) {
            _ = try server.configuration.format.encode(event)
        } catch {
            throw .unencodable(error)
        }
    }
}

/// Why an event was not sent.
package enum ServerEventError: Error, CustomStringConvertible {
    /// It is not `[id]` or `[id data]` with an id that has a namespace.
    case notAnEvent(Value)
    /// The server's format has no form for it.
    case unencodable(WireError)

    package var description: String {
        switch self {
        case .notAnEvent(let value):
            "\(value) is no event: write [id] or [id data], the id a keyword with a namespace such as :chat/said."
        case .unencodable(let error): "The event cannot be written: \(error)"
        }
    }
}

/// Makes a server of events, Sente's `make-channel-socket-server!`; it is started by `server.start()`.
///
/// `configuration` must be of one of the dialects of events; `service` says who may connect and who they are.
package func makeChannelSocketServer(
    _ configuration: ServerConfiguration = ServerConfiguration(.sente), service: ServerService = .init(),
    on loop: EventLoop? = nil
) throws(LinkFailure) -> ChannelSocketServer {
    guard configuration.dialect != .maps else {
        throw LinkFailure(
            .unavailable,
            "The dialect of maps has no events. Make a ReferenceServer, or choose one of the dialects of vectors."
        )
    }
    let loop = if let loop { loop } else { try EventLoop.shared() }
    let chRecv = ServerReceiveChannel(on: loop)
    var service = service
    service.onEvent = { event, request, order in chRecv.put(ServerEventMessage(event, request, order)) }
    return ChannelSocketServer(
        server: try ReferenceServer(configuration, service: service, on: loop), chRecv: chRecv)
}
