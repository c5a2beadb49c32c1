// SPDX-License-Identifier: Apache-2.0

public import SenteCore
package import SenteTransport

/// A client in Sente's shape: what `make-channel-socket-client!` returns.
///
/// ```swift
/// let client = try makeChannelSocketClient("ws://127.0.0.1:3000/chsk")
/// startRouter(client.chRecv) { message in
///     switch message.id {
///     case "chsk/handshake": try message.sendFn(Event(id: "chat/hello"))
///     case "chat/said": print(message.data)
///     default: break
///     }
/// }
/// ```
///
/// Each of its parts but `state` and `errors` keeps the connection, as do a running router and a live loop over
/// `chRecv`; when the last of them is released the client disconnects. Handlers do not keep it: inside one, use the
/// message's own `sendFn`.
public struct ChannelSocketClient: Sendable {
    /// The socket itself: connecting and disconnecting.
    public let chsk: ChannelSocket
    /// What comes: the server's events and the socket's own.
    public let chRecv: ReceiveChannel
    /// Sends events.
    public let sendFn: SendFunction
    /// Sente's state map: its current value, and its changes.
    public let state: ObservableState<ChannelSocketState>
    /// Everything that goes wrong and that no call is told.
    public let errors: ErrorChannel
}

/// Makes a client in Sente's shape, and starts to connect.
///
/// It learns from the server's first frame which dialect and format to speak. What is sent before that waits, and
/// resolves *not sent* if the server's dialect cannot say it; `configuration.dialect` has it judged at the call.
///
/// - Parameters:
///   - url: The server's channel socket URL, with its scheme: `ws://HOST:PORT/chsk`.
///   - configuration: What `SenteClient` can be told; a `clientID` is made when none is given.
/// - Returns: Its four parts, and the error channel.
/// - Throws: `invalidArgument`, naming what is wrong with the URL or a setting, and `unavailable` when the system has no
///   thread or descriptor left.
public func makeChannelSocketClient(
    _ url: String, configuration: SenteClient.Configuration = .init()
) throws(SenteError) -> ChannelSocketClient {
    try makeChannelSocketClient(
        url, configuration: configuration, host: try configuration.loop.host(),
        transport: configuration.transport.transport)
}

/// The same on another host and transport; `seed` is for jitter and identifiers.
package func makeChannelSocketClient(
    _ url: String, configuration: SenteClient.Configuration, host: any Host, transport: any Transport,
    seed: UInt64? = nil
) throws(SenteError) -> ChannelSocketClient {
    let socket = try ChannelSocket(
        url, configuration: configuration, host: host, transport: transport, seed: seed)
    socket.connect()
    return ChannelSocketClient(
        chsk: socket, chRecv: ReceiveChannel(socket), sendFn: SendFunction(socket), state: socket.hub.state,
        errors: ErrorChannel(socket.hub))
}
