// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Reads an HTTP/1.1 head from bytes cut anywhere (RFC 9112 §2–5), strictly.
///
/// Every line ends in CR LF. A bare LF, which a reader MAY take for a line's end (§2.2), is refused, as are
/// bare CR, NUL, blanks before the colon and, in a request, folded lines: two readers that disagree on where a
/// field ends are how requests get smuggled. The folded lines of an answer MUST be unfolded (§5.2).
struct HTTPHeadReader: Sendable {
    enum Kind: Sendable {
        case request
        case response
    }

    private let kind: Kind
    private let limits: LinkLimits
    /// The line that is not complete, and all bytes read before it.
    private var line: [UInt8] = []
    private var total = 0
    private var startLine: String?
    private var headers: [HTTPHeader] = []
    private var skippedBlankLine = false

    init(_ kind: Kind, limits: LinkLimits) {
        self.kind = kind
        self.limits = limits
    }

    /// Whether no byte has come.
    var isUntouched: Bool { total == 0 }

    /// Takes bytes off `rest` up to the end of the head; nil when more are needed.
    mutating func read(_ rest: inout UnsafeRawBufferPointer) throws(HandshakeError) -> HTTPHead? {
        while !rest.isEmpty {
            let end = rest.firstIndex(of: 0x0A)
            let piece = rest[..<(end ?? rest.endIndex)]
            guard line.count + piece.count - 1 <= limits.headLine else {
                throw HandshakeError(
                    "a line of the HTTP head is longer than \(limits.headLine) bytes", status: 431)
            }
            total += piece.count + 1
            guard total <= limits.head else {
                throw HandshakeError("the HTTP head is larger than \(limits.head) bytes", status: 431)
            }
            line.append(contentsOf: piece)
            if startLine == nil { try checkStart() }
            guard let end else {
                total -= 1
                rest = UnsafeRawBufferPointer(start: nil, count: 0)
                return nil
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
            guard line.popLast() == 0x0D else {
                throw .malformed("a line of the HTTP head does not end in CR LF")
            }
            let whole = line
            line.removeAll(keepingCapacity: true)
            if let head = try take(whole) { return head }
        }
        return nil
    }

    /// Refuses what cannot become a start line as early as possible: another protocol may never send a line's
    /// end.
    private func checkStart() throws(HandshakeError) {
        switch kind {
        case .response:
            // The first byte of every record of TLS is its type, 20 to 24 (RFC 8446 §5.1): an alert is how it answers HTTP.
            if let first = line.first, (20...24).contains(first) {
                throw HandshakeError("the server speaks TLS on this port: use wss: instead of ws:")
            }
            let expected = "HTTP/".utf8
            guard zip(line, expected).allSatisfy({ $0 == $1 }) else {
                throw HandshakeError("the answer is not HTTP: it begins with \(Self.quoted(line.prefix(24)))")
            }
        case .request:
            guard let first = line.first, first != 0x0D else { return }
            guard HTTPText.isToken(first) else { throw HandshakeError("the request is not HTTP") }
        }
    }

    private mutating func take(_ line: [UInt8]) throws(HandshakeError) -> HTTPHead? {
        guard let startLine else {
            // RFC 9112 §2.2: a server ignores an empty line before the request.
            if line.isEmpty, kind == .request, !skippedBlankLine {
                skippedBlankLine = true
                return nil
            }
            guard !line.isEmpty, line.allSatisfy(HTTPText.isFieldByte) else {
                throw HandshakeError("the first line is not HTTP: \(Self.quoted(line.prefix(24)))")
            }
            startLine = String(decoding: line, as: UTF8.self)
            return nil
        }
        guard !line.isEmpty else {
            defer { self = HTTPHeadReader(kind, limits: limits) }
            return HTTPHead(startLine: startLine, headers: headers)
        }
        guard headers.count < limits.headFields else {
            throw HandshakeError("the HTTP head has more than \(limits.headFields) fields", status: 431)
        }
        if HTTPText.isBlank(line[0]) { try unfold(line) } else { headers.append(try Self.field(line)) }
        return nil
    }

    /// A line that goes on with the value before it: a user agent puts blanks in place of the fold, a server refuses the
    /// request (RFC 9112 §5.2).
    private mutating func unfold(_ line: [UInt8]) throws(HandshakeError) {
        guard kind == .response, let last = headers.indices.last else {
            throw .malformed("a field of the HTTP head is folded")
        }
        guard line.allSatisfy(HTTPText.isFieldByte) else {
            throw .malformed("the field \(headers[last].name) has a control character in its value")
        }
        let more = String(decoding: line, as: UTF8.self)
        headers[last].value = HTTPText.trimmed("\(headers[last].value) \(HTTPText.trimmed(more))")
    }

    /// A field line: name, colon, value between optional blanks (RFC 9112 §5).
    private static func field(_ line: [UInt8]) throws(HandshakeError) -> HTTPHeader {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw .malformed("a line of the HTTP head has no colon: \(quoted(line.prefix(24)))")
        }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(HTTPText.isToken) else {
            throw .malformed(
                "a field of the HTTP head has a name that is no token: \(quoted(name.prefix(24)))")
        }
        let value = line[(colon + 1)...]
        guard value.allSatisfy(HTTPText.isFieldByte) else {
            throw .malformed(
                "the field \(String(decoding: name, as: UTF8.self)) has a control character in its value")
        }
        return HTTPHeader(
            String(decoding: name, as: UTF8.self), HTTPText.trimmed(String(decoding: value, as: UTF8.self)))
    }

    /// Bytes of the peer as they may stand in a sentence.
    private static func quoted(_ bytes: some Sequence<UInt8>) -> String {
        let text = bytes.map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
        return "\"\(String(decoding: text, as: UTF8.self))\""
    }
}
