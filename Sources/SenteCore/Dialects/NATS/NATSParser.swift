// SPDX-License-Identifier: Apache-2.0

/// Reads a NATS server's stream, cut anywhere, into operations.
///
/// ```
/// line ──MSG, HMSG──▶ body ──all bytes──▶ end ──line feed──▶ line
///   │                 skipping ──────────▲
///   └─ a message that is all at hand, and every other operation, is whole with its line
/// ```
///
/// It keeps what came of one operation and no more: a line of 4,096 bytes, an INFO of 64 KiB, a message of `keeps`. After
/// a violation it must not be used again.
package struct NATSParser: Sendable {
    private enum State: Sendable {
        /// In an operation's line, of which `held` has come.
        case line
        /// In what a message's line announced, of which `held` has come.
        case body(Announced)
        /// In a message that is too large to be kept.
        case skipping(Announced, left: Int)
        /// Behind a message, whose line feed is due.
        case end(NATSOperation, isAfterReturn: Bool)
    }

    /// What the line of a message says of it.
    private struct Announced: Sendable {
        var subject: String
        var sid: UInt64?
        var reply: String?
        /// Bytes of the head, and of head and payload together.
        var head: Int
        var size: Int

        /// The message, of all its bytes.
        func message(of bytes: ArraySlice<UInt8>) -> NATSMessage {
            NATSMessage(
                subject: subject, sid: sid, reply: reply, head: Array(bytes.prefix(head)),
                payload: Array(bytes.dropFirst(head)))
        }
    }

    /// The longest line of an operation (nats-server's `max_control_line`).
    package static let maximumLine = 4_096
    /// The longest INFO: addresses of a thousand nodes have room.
    package static let maximumInfo = 64 << 10
    /// What servers may add to a message in heads beyond their `max_payload`.
    private static let maximumAddition = 64 << 10

    /// The largest message that is handed on.
    private let keeps: Int
    /// The largest that the server says it carries.
    private var maximumPayload = NATSServerInfo.defaultPayload
    private var state = State.line
    private var held: [UInt8] = []

    /// `keeps`: bytes of head and payload beyond which a message is passed over.
    package init(keeps: Int) {
        self.keeps = keeps
    }

    /// Bytes of the operation under way that are kept, for tests of what it costs.
    package var heldBytes: Int { held.capacity }

    /// Reads on; what was read before a violation has been appended.
    package mutating func parse(
        _ bytes: [UInt8], into operations: inout [NATSOperation]
    ) throws(NATSViolation) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch state {
            case .line:
                guard let operation = try readLine(&rest) else { continue }
                operations.append(operation)
            case .body(let announced): readBody(announced, &rest)
            case .skipping(let announced, let left):
                let count = min(left, rest.count)
                rest = rest.dropFirst(count)
                guard count == left else {
                    state = .skipping(announced, left: left - count)
                    continue
                }
                let skipped = NATSOperation.oversized(subject: announced.subject, size: announced.size)
                state = .end(skipped, isAfterReturn: false)
            case .end(let operation, let isAfterReturn):
                guard try readEnd(operation, isAfterReturn, &rest) else { continue }
                operations.append(operation)
            }
        }
    }

    // MARK: Lines

    /// Takes a line, or what has come of it; the operation that it is.
    private mutating func readLine(_ rest: inout ArraySlice<UInt8>) throws(NATSViolation) -> NATSOperation? {
        let feed = rest.firstIndex(of: .lineFeed)
        let piece = rest[..<(feed ?? rest.endIndex)]
        let first = held.first ?? piece.first
        // Of all operations INFO alone begins so.
        let limit = first.map { $0 | 0x20 } == UInt8(ascii: "i") ? Self.maximumInfo : Self.maximumLine
        guard piece.count <= limit - held.count else {
            throw NATSViolation(
                "a line is longer than \(limit) bytes (“\(Self.shown(held + piece.prefix(80)))”)")
        }
        guard let feed else {
            held += piece
            rest = []
            return nil
        }
        rest = rest[(feed + 1)...]
        guard !held.isEmpty else { return try operation(piece, &rest) }
        held += piece
        let line = held
        held = []
        return try operation(line[...], &rest)
    }

    /// The operation of a line; nil where more belongs to it than `rest` has.
    private mutating func operation(
        _ line: ArraySlice<UInt8>, _ rest: inout ArraySlice<UInt8>
    ) throws(NATSViolation) -> NATSOperation? {
        let line = line.last == .carriageReturn ? line.dropLast() : line
        var fields = Fields(line)
        guard let verb = fields.next() else { throw NATSViolation("a line is empty") }
        switch Verb(verb) {
        case .message: return begin(try announced(&fields, line, hasHead: false), &rest)
        case .messageWithHead: return begin(try announced(&fields, line, hasHead: true), &rest)
        case .ping: return .ping
        case .pong: return .pong
        case .ok: return .ok
        case .error: return .fault(NATSFault(String(decoding: fields.rest, as: UTF8.self)))
        case .info:
            let info = try NATSServerInfo(fields.rest)
            maximumPayload = info.maximumPayload
            return .info(info)
        case nil: throw NATSViolation("it has no operation “\(Self.shown(line))”")
        }
    }

    /// `subject sid [reply] size`, with a head `subject sid [reply] head size`.
    private func announced(
        _ fields: inout Fields, _ line: ArraySlice<UInt8>, hasHead: Bool
    ) throws(NATSViolation) -> Announced {
        let (subject, sid) = (fields.next(), fields.next())
        // As many as may come, the last of which is the size.
        let (first, second, third) = (fields.next(), fields.next(), hasHead ? fields.next() : nil)
        let reply = hasHead ? third.flatMap { _ in first } : second.flatMap { _ in first }
        let headSize = third == nil ? first : second
        guard let subject, let sid, fields.next() == nil,
            let size = (third ?? second ?? (hasHead ? nil : first)).flatMap(Self.number),
            let head = hasHead ? headSize.flatMap(Self.number) : 0, head <= size
        else { throw NATSViolation("a message begins with “\(Self.shown(line))”") }
        guard size <= maximumPayload.addingClamped(Self.maximumAddition) else {
            throw NATSViolation("a message of \(size) bytes comes where \(maximumPayload) are the most")
        }
        return Announced(
            subject: String(decoding: subject, as: UTF8.self), sid: Self.number(sid).map(UInt64.init),
            reply: reply.map { String(decoding: $0, as: UTF8.self) }, head: head, size: size)
    }

    /// The message, where all of it is at hand, as nearly always; else what is to come.
    private mutating func begin(
        _ announced: Announced, _ rest: inout ArraySlice<UInt8>
    ) -> NATSOperation? {
        guard announced.size <= keeps else {
            state = .skipping(announced, left: announced.size)
            return nil
        }
        let end = rest.dropFirst(announced.size)
        guard end.first == .carriageReturn, end.dropFirst().first == .lineFeed else {
            state = .body(announced)
            return nil
        }
        defer { rest = end.dropFirst(2) }
        return .message(announced.message(of: rest[..<end.startIndex]))
    }

    /// Digits alone, and no more of them than any size has.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...18).contains(digits.count) else { return nil }
        var number = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + Int(digit & 0x0F)
        }
        return number
    }

    private static func shown(_ line: some Sequence<UInt8>) -> String {
        String(decoding: Array(line.prefix(80)), as: UTF8.self).excerpt()
    }

    // MARK: Bodies

    private mutating func readBody(_ announced: Announced, _ rest: inout ArraySlice<UInt8>) {
        let whole: ArraySlice<UInt8>
        if held.isEmpty, rest.count >= announced.size {
            whole = rest.prefix(announced.size)
            rest = rest.dropFirst(announced.size)
        } else {
            let piece = rest.prefix(announced.size - held.count)
            held += piece
            rest = rest.dropFirst(piece.count)
            guard held.count == announced.size else { return }
            whole = held[...]
            held = []
        }
        state = .end(.message(announced.message(of: whole)), isAfterReturn: false)
    }

    /// False while the line feed is still to come.
    private mutating func readEnd(
        _ operation: NATSOperation, _ isAfterReturn: Bool, _ rest: inout ArraySlice<UInt8>
    ) throws(NATSViolation) -> Bool {
        switch rest.removeFirst() {
        case .lineFeed:
            state = .line
            return true
        case .carriageReturn where !isAfterReturn:
            state = .end(operation, isAfterReturn: true)
            return false
        default: throw NATSViolation("a message has more bytes than its line announces")
        }
    }
}

/// The operations, by their verbs in any case.
private enum Verb {
    case info, message, messageWithHead, ping, pong, ok, error

    init?(_ text: ArraySlice<UInt8>) {
        var code: UInt64 = 0
        guard text.count <= 4 else { return nil }
        for byte in text { code = code << 8 | UInt64(byte >= 0x60 ? byte & 0xDF : byte) }
        switch code {
        case Self.code("MSG"): self = .message
        case Self.code("HMSG"): self = .messageWithHead
        case Self.code("PING"): self = .ping
        case Self.code("PONG"): self = .pong
        case Self.code("INFO"): self = .info
        case Self.code("+OK"): self = .ok
        case Self.code("-ERR"): self = .error
        default: return nil
        }
    }

    private static func code(_ verb: StaticString) -> UInt64 {
        verb.withUTF8Buffer { $0.reduce(0) { $0 << 8 | UInt64($1) } }
    }
}

/// A line's fields, between blanks and tabs.
private struct Fields {
    private(set) var rest: ArraySlice<UInt8>

    init(_ line: ArraySlice<UInt8>) {
        rest = line
    }

    mutating func next() -> ArraySlice<UInt8>? {
        var start = rest.startIndex
        while start < rest.endIndex, rest[start].partsFields { start += 1 }
        var end = start
        while end < rest.endIndex, !rest[end].partsFields { end += 1 }
        let field = rest[start..<end]
        rest = rest[end...]
        return field.isEmpty ? nil : field
    }
}

extension UInt8 {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let blank = UInt8(ascii: " ")

    fileprivate var partsFields: Bool { self == .blank || self == .tab }
}

extension Int {
    fileprivate func addingClamped(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
