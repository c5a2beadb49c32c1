// SPDX-License-Identifier: Apache-2.0

/// What a link says of itself to whoever owns it, and a transport to its observer.
///
/// Reports of one wake-up come in one batch, in order. Those of which a link has one are indirect, so that the array for the
/// others stays small.
package enum LinkReport: Hashable, Sendable {
    /// The opening handshake is done; messages may follow in the same batch.
    indirect case opened(LinkOpening)
    /// Whole messages, in the order they came.
    case received([Message])
    /// Bytes came, whether or not they completed a message: the peer lives. At most once a wake-up.
    case progress
    /// The kernel has taken the last byte of these messages.
    case wrote([SendID])
    /// The answer to one message, on transports that answer each (HTTP); counts as written and received.
    case answered(SendID, Message)
    /// The server answered with plain HTTP, instead of upgrading or as it was asked to. Nothing comes after it.
    indirect case refused(Refusal)
    /// The link is over. Nothing comes after it.
    indirect case closed(LinkEnd)

    /// Whether nothing comes after it.
    package var isLast: Bool {
        switch self {
        case .refused, .closed: true
        case .opened, .received, .progress, .wrote, .answered: false
        }
    }
}

extension [LinkReport] {
    /// Whether messages are among them.
    package var holdMessages: Bool { contains { if case .received = $0 { true } else { false } } }

    /// Adds messages, to those of the last report if it has some.
    package mutating func append(received messages: [Message]) {
        guard let last = indices.last, case .received(var earlier) = self[last] else {
            return append(.received(messages))
        }
        // Meanwhile nothing else holds them, so that they are not copied.
        self[last] = .progress
        earlier += messages
        self[last] = .received(earlier)
    }
}

/// What the opening handshake agreed on.
package struct LinkOpening: Hashable, Sendable {
    /// The subprotocol the server chose, if any.
    package var subprotocol: String?
    /// The address that answered, for people ("127.0.0.1:3000").
    package var remoteAddress: String?
    /// Whether messages are compressed on the way (RFC 7692).
    package var isDeflated: Bool

    package init(subprotocol: String? = nil, remoteAddress: String? = nil, isDeflated: Bool = false) {
        self.subprotocol = subprotocol
        self.remoteAddress = remoteAddress
        self.isDeflated = isDeflated
    }
}

/// How a link ended.
package enum LinkEnd: Hashable, Sendable {
    /// A close frame came. `code` is `.noStatus` when it carried none (RFC 6455 §7.1.5).
    case closed(code: CloseCode, reason: String)
    /// It ended without one, or we ended it because of a fault.
    case failed(LinkFailure)
}

/// Why a link could not be opened or did not last.
package struct LinkFailure: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// No address for the name.
        case nameNotFound
        /// No address took the connection (refused, unreachable).
        case unreachable
        /// A stage before open took longer than its limit.
        case timedOut
        /// The proxy could not be reached, or did not lead to the server.
        case proxy(ProxyFailure)
        /// The answer was no WebSocket handshake, or a wrong one.
        case badHandshake
        /// TLS could not be agreed on, or one end does not trust the other.
        case tls(TLSProblem)
        /// A setting of the user's cannot be used; the message names it.
        case misconfigured
        /// A library that the connection needs cannot be loaded.
        case missingLibrary
        /// The peer broke RFC 6455; `closeCode` is what we told it.
        case protocolViolation
        /// The connection ended with no close frame (1006).
        case lost
        /// Something the transport needs is not there (a library, a descriptor).
        case unavailable
    }

    package var kind: Kind
    /// A sentence for people.
    package var message: String
    /// What we sent in our close frame, when the peer was at fault.
    package var closeCode: CloseCode?

    package init(_ kind: Kind, _ message: String, closeCode: CloseCode? = nil) {
        self.kind = kind
        self.message = message
        self.closeCode = closeCode
    }
}
