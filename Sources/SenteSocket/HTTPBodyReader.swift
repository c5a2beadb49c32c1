// SPDX-License-Identifier: Apache-2.0

/// Reads the body of an answer, as far as its limit (RFC 9112 §6).
///
/// The body is for people and logs, and the connection ends after it. So a framing that makes no sense cuts
/// the body where the sense ends instead of hiding the answer's status behind an error.
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
            guard lengths.count == 1, let text = lengths.first, let length = Int(text), length >= 0 else {
                return .untilEnd
            }
            return .length(length)
        }
    }

    private enum Chunk: Sendable {
        case size
        case data(Int)
        case end
    }

    private let framing: Framing
    private let limit: Int
    private var chunk = Chunk.size
    private var line: [UInt8] = []
    private(set) var bytes: [UInt8] = []

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
        case .length(let length): return keep(rest.prefix(length - bytes.count)) || bytes.count == length
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
                    return line.count > 256
                }
                line.append(contentsOf: rest[..<end].prefix(257))
                rest = rest[(end + 1)...]
                guard line.count <= 256, line.popLast() == 0x0D, let next = next(line) else { return true }
                chunk = next
                line = []
            }
        }
        return false
    }

    /// What a chunk's line announces; nil after the last chunk and when it makes no sense.
    private func next(_ line: [UInt8]) -> Chunk? {
        if case .end = chunk { return line.isEmpty ? .size : nil }
        let digits = line.prefix { $0 != UInt8(ascii: ";") && !HTTPText.isBlank($0) }
        guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-"),
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size > 0
        else { return nil }
        return .data(size)
    }
}
