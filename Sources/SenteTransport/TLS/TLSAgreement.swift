// SPDX-License-Identifier: Apache-2.0

/// What a TLS handshake came to, seen from the server.
package struct TLSAgreement: Hashable, Sendable {
    /// The version on the wire: 0x0303 for TLS 1.2, 0x0304 for 1.3.
    package var version: Int
    /// The name the client asked for; nil when it gave none, as with an address.
    package var serverName: String?
    /// The protocol agreed on by name (ALPN), or empty.
    package var applicationProtocol: String
    /// Whether an earlier session was taken up.
    package var isResumed: Bool
}
