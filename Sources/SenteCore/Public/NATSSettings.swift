// SPDX-License-Identifier: Apache-2.0

/// What a client tells a NATS server beside what it tells any other.
///
/// ```swift
/// configuration.dialect = .nats
/// configuration.nats.credentials = .user("ann", password: secret)
/// ```
public struct NATSSettings: Sendable {
    /// Signs the server's nonce: Ed25519, over the bytes as they are, 64 bytes of signature.
    ///
    /// It is called on the client's loop, once for each connection, and must not block.
    public typealias Signer = @Sendable (_ nonce: [UInt8]) throws -> [UInt8]

    /// How the client says who it is.
    ///
    /// Where a token is spoken of, it is what `tokenProvider` gives: asked for before every attempt, and once more when the
    /// server refuses it.
    public indirect enum Credentials: Sendable {
        /// The token that the server was configured with (`auth_token`).
        case token
        /// A name and its password.
        case user(String, password: String)
        /// The token is the JWT of a user for whom it suffices (a *bearer* user).
        case bearer
        /// The token is the JWT of a user, and whoever brings it signs with the key it names.
        case signed(Signer)

        /// Whether the token provider is asked.
        package var takesToken: Bool {
            switch self {
            case .token, .bearer, .signed: true
            case .user: false
            }
        }
    }

    /// How the client says who it is; nil says nothing, which servers take that have no users or one for guests, or to whom a
    /// cookie of `cookies` tells it.
    ///
    /// The default is nil.
    public var credentials: Credentials?

    /// The group in which this client's services answer: of all that serve a channel in one group, one gets a request.
    ///
    /// The default is `q`, as other libraries of NATS have it.
    public var group: String

    /// A name for those who look at the server's connections; nil gives none.
    ///
    /// The default is nil.
    public var name: String?

    /// Whether nodes that the server names are tried behind the configured endpoints, as the cluster grows and shrinks.
    ///
    /// They are addresses as a rule, and with `wss:` only names are taken, for certificates are made for names. An
    /// `endpointProvider` decides by itself. The default is true.
    public var learnsEndpoints: Bool

    /// The domain of the streams that are followed, where the servers' `jetstream` block names one that is not the connection's
    /// own: they are asked under `$JS.<domain>.API`.
    ///
    /// Stored publishes go by their subject alone. The default is nil: the streams of the servers connected to.
    public var domain: String?

    /// Makes settings.
    public init(
        credentials: Credentials? = nil, group: String = "q", name: String? = nil,
        learnsEndpoints: Bool = true, domain: String? = nil
    ) {
        self.domain = domain
        self.learnsEndpoints = learnsEndpoints
        self.credentials = credentials
        self.group = group
        self.name = name
    }
}
