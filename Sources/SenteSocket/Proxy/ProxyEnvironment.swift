// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What the environment says of proxies.
///
/// Whoever makes it reads the variables; it only knows their names.
package struct ProxyEnvironment: Hashable, Sendable {
    private struct Variable: Hashable {
        var name: String
        var value: String
    }

    private let plain: Variable?
    private let secure: Variable?
    private let exceptions: ProxyExceptions

    /// Takes the variables from `value`, which gives nil for one that is not set.
    ///
    /// The lower case goes first and an empty variable counts as none (curl's `detect_proxy`). `HTTP_PROXY` is not read: to a CGI
    /// program it is a header that the client chose.
    package init(_ value: (String) -> String?) {
        func first(_ names: String...) -> Variable? {
            for name in names {
                if let text = value(name), !text.isEmpty { return Variable(name: name, value: text) }
            }
            return nil
        }
        plain = first("http_proxy", "all_proxy", "ALL_PROXY")
        secure = first("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        exceptions = ProxyExceptions(first("no_proxy", "NO_PROXY")?.value ?? "")
    }

    /// No proxy at all.
    package static let empty = ProxyEnvironment { _ in nil }

    fileprivate func server(for url: WebSocketURL) throws(ProxyServerError) -> ProxyServer? {
        guard let variable = url.isSecure ? secure : plain,
            !ProxyExceptions.loopback.contains(host: url.host, port: url.port),
            !exceptions.contains(host: url.host, port: url.port)
        else { return nil }
        do throws(ProxyServerError) {
            return try ProxyServer(variable.value)
        } catch {
            throw .variable(variable.name, error)
        }
    }
}

extension ProxySetting {
    /// The proxy that leads to `url`; nil when it is reached directly.
    package func server(
        for url: WebSocketURL, environment: ProxyEnvironment
    ) throws(ProxyServerError) -> ProxyServer? {
        switch self {
        case .environment: return try environment.server(for: url)
        case .none: return nil
        case .url(let text, let except):
            let exceptions = ProxyExceptions(except.joined(separator: ","))
            return exceptions.contains(host: url.host, port: url.port) ? nil : try ProxyServer(text)
        }
    }
}
