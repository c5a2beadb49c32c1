// SPDX-License-Identifier: Apache-2.0

/// Reads the body of an answer, as far as its limit (RFC 9112 §6).
///
/// The connection ends after the body. Where a body is for people and logs, a framing that makes no sense cuts it where the
/// sense ends instead of hiding the answer's status behind an error; whoever needs it whole asks `Framing.problem` and
/// `isMalformed`.
struct HTTPBodyReader: Sendable {
    enum Framing: Hashable, Sendable {
        case none
        case length(Int)
        case chunked
        case untilEnd

        /// RFC 9112 §6.3.
        static func of(_ head: HTTPHead, status: Int) -> Framing {
            if status == 204 || status == 304 { return .none }
            if let last = head.values("Transfer-Encoding").flatMap(HTTPText.list).last {
                return HTTPText.same(last, "chunked") ? .chunked : .untilEnd
            }
            let lengths = Set(head.values("Content-Length"))
            guard lengths.count == 1, let length = lengths.first.flatMap(number) else { return .untilEnd }
            return .length(length)
        }

        /// Digits alone: a sign is none (RFC 9110 §8.6).
        private static func number(_ text: String) -> Int? {
            text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
        }

        /// Why nobody can tell where the body of an answer ends; nil when it says so.
        static func problem(of head: HTTPHead, status: Int) -> String? {
            let codings = head.values("Transfer-Encoding").flatMap(HTTPText.list)
            let lengths = head.values("Content-Length")
            guard codings.isEmpty else {
                guard lengths.isEmpty else { return "it has both Transfer-Encoding and Content-Length" }
                let isChunked = codings.count == 1 && HTTPText.same(codings[0], "chunked")
                return isChunked ? nil : "its Transfer-Encoding is another than chunked"
            }
            guard !lengths.isEmpty, case .untilEnd = of(head, status: status) else { return nil }
            return "its Content-Length is no number, or several"
        }
    }

    private enum Chunk: Sendable {
        case size
        case data(Int)
        case end
        case last
    }

    private let framing: Framing
    private let limit: Int
    private var chunk = Chunk.size
    private var line: [UInt8] = []
    private(set) var bytes: [UInt8] = []
    /// The chunks make no sense from here on.
    private(set) var isMalformed = false

    /// Whether nothing but the connection's end tells that the body is complete.
    var endsWithConnection: Bool { framing == .untilEnd }

    init(_ framing: Framing, limit: Int) {
        self.framing = framing
        self.limit = limit
    }

    /// Takes all of `rest`; true when the body is complete or at its limit.
    mutating func read(_ rest: inout UnsafeRawBufferPointer) -> Bool {
        defer { rest = UnsafeRawBufferPointer(start: nil, count: 0) }
        switch framing {
        case .none: return true
        case .untilEnd: return keep(rest[...])
        case .length(let length):
            return keep(rest.prefix(max(0, length - bytes.count))) || bytes.count == length
        case .chunked: return readChunks(rest[...])
        }
    }

    /// True when the limit is reached.
    private mutating func keep(_ piece: Slice<UnsafeRawBufferPointer>) -> Bool {
        bytes.append(contentsOf: piece.prefix(max(0, limit - bytes.count)))
        return bytes.count >= limit
    }

    /// RFC 9112 §7.1.
    ///
    /// What follows the last chunk is not read.
    private mutating func readChunks(_ all: Slice<UnsafeRawBufferPointer>) -> Bool {
        var rest = all
        while !rest.isEmpty {
            switch chunk {
            case .data(let missing):
                let piece = rest.prefix(missing)
                rest = rest.dropFirst(piece.count)
                if keep(piece) { return true }
                chunk = piece.count == missing ? .end : .data(missing - piece.count)
            case .size, .end:
                guard let end = rest.firstIndex(of: 0x0A) else {
                    line.append(contentsOf: rest.prefix(257))
                    isMalformed = line.count > 256
                    return isMalformed
                }
                line.append(contentsOf: rest[..<end].prefix(257))
                rest = rest[(end + 1)...]
                guard line.count <= 256, line.popLast() == 0x0D, let next = next(line) else {
                    isMalformed = true
                    return true
                }
                chunk = next
                line = []
            case .last: return true
            }
        }
        if case .last = chunk { return true }
        return false
    }

    /// What a chunk's line announces; nil when it makes no sense.
    private func next(_ line: [UInt8]) -> Chunk? {
        if case .end = chunk { return line.isEmpty ? .size : nil }
        let digits = line.prefix { $0 != UInt8(ascii: ";") && !HTTPText.isBlank($0) }
        guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-"),
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16)
        else { return nil }
        return size > 0 ? .data(size) : .last
    }
}
