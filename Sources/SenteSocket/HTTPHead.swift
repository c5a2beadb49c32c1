// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// A field of an HTTP head.
package typealias HTTPHeader = Refusal.Header

/// The start line and fields of an HTTP message (RFC 9112 §2.1).
struct HTTPHead: Hashable, Sendable {
    var startLine: String
    var headers: [HTTPHeader]

    /// The values of every field of that name, in order.
    func values(_ name: String) -> [String] { HTTPText.values(of: name, in: headers) }

    /// The status of an answer's first line (RFC 9112 §4).
    func status() throws(HandshakeError) -> Int {
        let bytes = Array(startLine.utf8)
        guard bytes.count >= 12, bytes.starts(with: "HTTP/1.".utf8), bytes[8] == 0x20,
            bytes.count == 12 || bytes[12] == 0x20,
            bytes[9..<12].allSatisfy({ (0x30...0x39).contains($0) }), (0x30...0x39).contains(bytes[7])
        else { throw HandshakeError("the answer's first line is not an HTTP/1.1 status line") }
        let status = bytes[9..<12].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard (100...599).contains(status) else {
            throw HandshakeError("the answer's first line is not an HTTP/1.1 status line")
        }
        return status
    }

    /// Whether a list field, its lines joined, names the token, whatever the case (RFC 9110 §5.6.1).
    func lists(_ token: String, in name: String) -> Bool {
        values(name).flatMap(HTTPText.list).contains { HTTPText.same($0, token) }
    }
}

/// The small grammar of HTTP text (RFC 9110 §5.6).
enum HTTPText {
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    static func isToken(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(isToken)
    }

    /// Whether a byte may stand in a field's value: no control but the tab (RFC 9110 §5.5).
    static func isFieldByte(_ byte: UInt8) -> Bool {
        byte == 0x09 || (byte >= 0x20 && byte != 0x7F)
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// The text without blanks at its ends.
    static func trimmed(_ text: some StringProtocol) -> String {
        let bytes = Array(text.utf8.drop(while: isBlank))
        let end = bytes.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? 0
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    /// The members of a comma-separated list; empty ones do not count.
    static func list(_ value: String) -> [String] {
        value.split(separator: ",").map { trimmed($0) }.filter { !$0.isEmpty }
    }

    /// Whether two texts are equal but for the case of ASCII letters.
    static func same(_ one: some StringProtocol, _ other: some StringProtocol) -> Bool {
        one.utf8.count == other.utf8.count && zip(one.utf8, other.utf8).allSatisfy { lower($0) == lower($1) }
    }

    static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    static func values(of name: String, in headers: [HTTPHeader]) -> [String] {
        headers.filter { same($0.name, name) }.map(\.value)
    }
}

/// Why an opening handshake failed; `status` and `headers` are what a server answers.
struct HandshakeError: Error, Hashable, Sendable {
    var message: String
    /// Whether it is HTTP with a mistake in it, which the next answer need not have.
    var isMalformed = false
    var status: Int
    var headers: [HTTPHeader]

    init(_ message: String, status: Int = 400, headers: [HTTPHeader] = []) {
        self.message = message
        self.status = status
        self.headers = headers
    }

    /// HTTP with a mistake in it: a broken answer, and no proof that something else than a WebSocket server answers.
    static func malformed(_ message: String) -> HandshakeError {
        var fault = HandshakeError(message)
        fault.isMalformed = true
        return fault
    }

    /// What a client calls it: trying again can mend a broken answer, but not that another protocol is spoken.
    var kind: LinkFailure.Kind { isMalformed ? .protocolViolation : .badHandshake }
}
