// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteSignals
package import SenteSocket
package import SenteWire

/// The decisions of the server's own user, as functions.
///
/// They are called on the loop, those about a request once before it is answered: they must not block.
package struct ServerService: Sendable {
    /// The token that a request's client must bring; nil: none would do.
    ///
    /// The default is no function: the configuration's token, if any, holds.
    package var csrfToken: (@Sendable (HTTPRequest) -> String?)?
    /// Whether the request may connect at all; it is answered with 401 otherwise.
    package var authenticate: @Sendable (HTTPRequest) -> Bool = { _ in true }
    /// The user of a request; nil: nobody in particular.
    package var userID: @Sendable (HTTPRequest) -> Value? = { _ in nil }
    /// Whether that user may connect; the request is answered with 403 otherwise.
    package var authorize: @Sendable (HTTPRequest, Value?) -> Bool = { _, _ in true }
    /// The app's data in the greeting.
    package var handshakeData: @Sendable (HTTPRequest) -> Value = { _ in .null }
    /// Is told who comes, goes and is turned away; on the loop, so it must not block.
    package var onAccess: (@Sendable (ServerAccess) -> Void)?
    /// Is told what happens; on the loop, so it must not block.
    package var onSignal: (@Sendable (Signal) -> Void)?
    /// The least level that `onSignal` is told, asked for again and again; nil: nothing.
    ///
    /// What is below is not even made. The default is `.info`.
    package var signalLevel: @Sendable () -> SignalLevel? = { .info }
    /// What became of the signals, for `/stats`.
    ///
    /// The default is an empty map.
    package var signalStatistics: @Sendable () -> ValueMap = { [:] }
    /// Is given the telemetry of clients (`ServerConfiguration.takesSignals`); on the loop, so it must not block.
    package var onRemoteSignals: (@Sendable ([Signal]) -> Void)?
    /// Is given the events; nil: they come back to who sent them.
    package var onEvent: (@Sendable (ServerEvent, HTTPRequest?, @escaping Order) -> Void)?

    /// Is given the requests on the channels that `ServerCommand.serve` named.
    package var onRequest: (@Sendable (ServedRequest, @escaping Order) -> Void)?

    /// Decides who takes a stream that a client asks for, or refuses it; on the loop, so it must not block.
    ///
    /// Nil refuses all.
    package var onStream: StreamDesk.Choice?
    /// Is told of each client of which no stream is known that has agreed on streams; on the loop, so it must not block.
    package var onStreamsAgreed: (@Sendable (ConnectionID) -> Void)?

    /// Tells the server what to do, from any thread; in the order of the calls.
    package typealias Order = @Sendable (ServerCommand) -> Void

    package init() {}

    /// The decision on a request that the server's rules let in.
    enum Reception {
        case accepted(HandshakeInfo)
        case refused(Refusal)
    }

    func receive(_ request: HTTPRequest) -> Reception {
        guard authenticate(request) else { return .refused(.unauthorized) }
        let uid = userID(request)
        guard authorize(request, uid) else { return .refused(.forbidden) }
        var handshake = HandshakeInfo(target: request.target, uid: uid, handshakeData: handshakeData(request))
        handshake.trace = request.traceFields
        return .accepted(handshake)
    }
}
