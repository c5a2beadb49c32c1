// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// A request a server's link has read and checked.
package struct HTTPRequest: Hashable, Sendable {
    /// `GET` or `HEAD`.
    package var method: String
    /// Path and query as they came.
    package var target: String
    package var headers: [HTTPHeader]
    /// Whether it asks for a WebSocket and may be accepted.
    package var isUpgrade: Bool
    /// The subprotocols the client offers, in its order of preference.
    package var subprotocols: [String]

    package init(
        method: String, target: String, headers: [HTTPHeader] = [], isUpgrade: Bool = false,
        subprotocols: [String] = []
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.isUpgrade = isUpgrade
        self.subprotocols = subprotocols
    }

    /// The target before its question mark.
    package var path: String { String(target.prefix { $0 != "?" }) }

    /// The target after its question mark, still percent-encoded; nil when there is none.
    package var query: String? {
        target.firstIndex(of: "?").map { String(target[target.index(after: $0)...]) }
    }

    /// The first value of a header, whatever the case of its name.
    package func header(_ name: String) -> String? {
        headers.first { HTTPText.same($0.name, name) }?.value
    }
}
