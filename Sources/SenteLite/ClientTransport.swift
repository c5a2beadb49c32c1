// SPDX-License-Identifier: Apache-2.0

import SenteTransport

#if canImport(Darwin)
public import Foundation
import SenteURLSession
#endif

/// What carries a client's messages.
public struct ClientTransport: Sendable {
    let transport: any Transport

    /// Sockets of this package's own, on a `ClientLoop`.
    public static let sockets = ClientTransport(transport: SocketTransport())

    #if canImport(Darwin)
    /// Foundation's own WebSocket, told what `configuration` says; a copy of it is taken.
    ///
    /// It knows the system's proxies, VPNs and rules for apps, and negotiates compression by itself.
    public static func urlSession(_ configuration: URLSessionConfiguration) -> ClientTransport {
        ClientTransport(transport: URLSessionTransport(configuration))
    }

    /// `.urlSession(.default)`.
    public static let standard = ClientTransport.urlSession(.default)
    #else
    /// `.sockets`.
    public static let standard = ClientTransport.sockets
    #endif
}
