// SPDX-License-Identifier: Apache-2.0

/// Why a proxy did not lead to the server.
public enum ProxyFailure: Hashable, Sendable {
    /// The setting names no proxy that can be used.
    case unusable
    /// The proxy's name has no address, or none of them took the connection.
    case unreachable
    /// The proxy did not answer in time.
    case silent
    /// The proxy ended the connection before it had answered.
    case ended
    /// What answered does not speak the proxy's protocol.
    case malformed
    /// An HTTP proxy refused with that status; 407, and 401 of some, wants a login, or another
    /// one (RFC 9110 §15.5.8).
    case status(Int)
    /// A SOCKS proxy accepts no way to log in that this package has: none, and a password (RFC 1928 §3).
    case noAcceptableMethod
    /// A SOCKS proxy refused the user name and password (RFC 1929 §2).
    case credentialsRefused
    /// A SOCKS proxy refused the connection with that reply code (RFC 1928 §6).
    case reply(UInt8)
}
