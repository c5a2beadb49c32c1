// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What a link learned from its peer, in order.
///
/// The rare cases are boxed so that a message stays small to pass.
package enum LinkEvent: Hashable, Sendable {
    /// The opening handshake is done.
    indirect case opened(LinkOpening)
    /// Servers: a whole request came. The owner answers with `accept` or `respond`.
    indirect case requested(HTTPRequest)
    /// A whole message.
    case message(Message)
    /// A ping came. The link has answered it.
    case pinged
    /// A pong came, with its payload.
    case pong([UInt8])
    /// Clients: the server answered with plain HTTP. The last event of its link.
    indirect case refused(Refusal)
    /// The link is over. The last event of its link.
    indirect case closed(LinkEnd)
}
