// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// The client's challenge in the opening handshake: sixteen unpredictable bytes, new for each link (RFC 6455
/// §4.1).
package struct HandshakeKey: Hashable, Sendable {
    /// What `Sec-WebSocket-Key` carries.
    package let value: String

    package init(_ entropy: Entropy) {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.withUnsafeMutableBytes { entropy.fill($0) }
        value = Base64.encode(bytes)
    }

    /// A key as it came in a request; nil when it is not base64 of sixteen bytes.
    package init?(_ value: String) {
        guard Base64.isEncoding(value, ofBytes: 16) else { return nil }
        self.value = value
    }

    /// What `Sec-WebSocket-Accept` answers (RFC 6455 §4.2.2).
    package var answer: String {
        Base64.encode(SHA1.digest(Array("\(value)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)))
    }
}
