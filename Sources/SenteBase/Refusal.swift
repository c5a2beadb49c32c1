// SPDX-License-Identifier: Apache-2.0

/// A server's HTTP answer to the opening handshake that was not an upgrade.
package struct Refusal: Hashable, Sendable {
    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var status: Int
    /// As received, in order, names as spelled by the server.
    package var headers: [Header]
    /// At most the handshake's limit; cut, never missing.
    package var body: [UInt8]
    /// Why the link did not go where the answer points, as a sentence for people.
    package var problem: String?

    package init(status: Int, headers: [Header] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Whether it says that what was asked is done (RFC 9110 §15.3), as the answer to a request that was no upgrade.
    package var isGood: Bool { (200..<300).contains(status) }

    /// The first value of a header, whatever the case of its name.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }
}
