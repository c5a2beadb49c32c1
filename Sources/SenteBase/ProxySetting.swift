// SPDX-License-Identifier: Apache-2.0

/// By which proxy, if any, servers are reached.
///
/// A proxy's URL is `http://host:port` (CONNECT, RFC 9110 §9.3.6) or `socks5://host:port` (RFC 1928; `socks5h` means the
/// same), with `user:password@` before the host where the proxy wants it, both percent-encoded. Without a scheme it
/// is HTTP, and without a port it is 1080, as for curl. The proxy looks the server's name up. Credentials go to the proxy only.
public enum ProxySetting: Hashable, Sendable {
    /// What the environment of the process says, as curl reads it.
    ///
    /// `http_proxy` for `ws:`, `https_proxy` for `wss:`, then `all_proxy`; `no_proxy` names what is reached without one: hosts
    /// with everything below them, addresses, networks (`10.0.0.0/8`), each with a port if only that is meant, or
    /// `*` for all. In lower case or, but for `http_proxy`, in upper case; the lower case wins, and an empty value counts as none.
    /// Servers on this machine (`localhost`, 127.0.0.0/8, ::1) are always reached directly. Read once in the life of a process.
    case environment
    /// None, whatever the environment says.
    case none
    /// This one, but for the servers `except` names, in the words of `no_proxy`.
    case url(String, except: [String] = [])
}
