// SPDX-License-Identifier: Apache-2.0

/// One member of a Sec-WebSocket-Extensions field (RFC 6455 §9.1).
struct WebSocketExtension: Hashable, Sendable {
    struct Parameter: Hashable, Sendable {
        var name: String
        /// Nil when there is no `=`; a quoted value is the same as the bare one.
        var value: String?
    }

    static let field = "Sec-WebSocket-Extensions"

    var name: String
    var parameters: [Parameter] = []

    /// The members of the field's lines, which are one list; nil when they break the grammar.
    ///
    /// Empty members do not count (RFC 9110 §5.6.1).
    static func list(_ lines: [String]) -> [WebSocketExtension]? {
        var found: [WebSocketExtension] = []
        for line in lines {
            var text = FieldText(Array(line.utf8)[...])
            while !text.isAtEnd {
                if text.take(UInt8(ascii: ",")) { continue }
                guard let member = text.member(), text.isAtEnd || text.take(UInt8(ascii: ",")) else {
                    return nil
                }
                found.append(member)
            }
        }
        return found
    }
}

/// A field's value while it is read; blanks between its parts do not count.
private struct FieldText {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    var isAtEnd: Bool {
        mutating get {
            rest = rest.drop(while: HTTPText.isBlank)
            return rest.isEmpty
        }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard !isAtEnd, rest.first == byte else { return false }
        rest.removeFirst()
        return true
    }

    mutating func member() -> WebSocketExtension? {
        guard let name = token() else { return nil }
        var member = WebSocketExtension(name: name)
        while take(UInt8(ascii: ";")) {
            guard let name = token() else { return nil }
            var parameter = WebSocketExtension.Parameter(name: name)
            if take(UInt8(ascii: "=")) {
                guard let value = value() else { return nil }
                parameter.value = value
            }
            member.parameters.append(parameter)
        }
        return member
    }

    private mutating func token() -> String? {
        guard !isAtEnd else { return nil }
        let bytes = rest.prefix(while: HTTPText.isToken)
        rest = rest.dropFirst(bytes.count)
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// What stands between the quotes must be a token, too (RFC 6455 §9.1).
    private mutating func value() -> String? {
        guard take(UInt8(ascii: "\"")) else { return token() }
        var bytes: [UInt8] = []
        while var byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") {
                let text = String(decoding: bytes, as: UTF8.self)
                return HTTPText.isToken(text) ? text : nil
            }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = rest.popFirst() else { return nil }
                byte = escaped
            }
            bytes.append(byte)
        }
        return nil
    }
}
