// SPDX-License-Identifier: Apache-2.0

/// What a client says to a node, one operation (docs.nats.io, *Client Protocol*).
enum NATSClientWord: Equatable {
    /// With the JSON of its options, as it came.
    case connect(String)
    case ping, pong
    case subscribe(subject: String, group: String?, sid: String)
    case unsubscribe(sid: String)
    case publish(NATSPublication)
    /// What no client may say.
    case nonsense(String)

    var name: String {
        switch self {
        case .connect: "connect"
        case .ping: "ping"
        case .pong: "pong"
        case .subscribe: "subscribe"
        case .unsubscribe: "unsubscribe"
        case .publish: "publish"
        case .nonsense: "nonsense"
        }
    }
}

/// A message on its way through nodes.
struct NATSPublication: Equatable {
    var subject: String
    var reply: String?
    /// From `NATS/1.0` to the blank line; empty for none.
    var head: [UInt8] = []
    var payload: [UInt8] = []
    /// The subject that receivers see, where it is another: what a consumer hands over keeps its own.
    var shown: String?

    /// The value of a header, by its name as it is.
    func header(_ name: String) -> String? {
        guard let start = head.firstRange(of: Array("\r\n\(name):".utf8))?.upperBound else { return nil }
        let value = head[start...].drop { $0 == 32 }.prefix { $0 != 13 }
        return String(decoding: value, as: UTF8.self)
    }

    /// The number that the worlds' apps put first in what they say: `"n17 …"`.
    var number: Int? { NATSPublication.number(in: String(decoding: payload, as: UTF8.self)) }

    static func number(in text: String) -> Int? {
        guard let mark = text.utf8.firstIndex(of: UInt8(ascii: "n")) else { return nil }
        let digits = text.utf8[mark...].dropFirst().prefix { (48...57).contains($0) }
        return Int(Substring(digits))
    }
}

/// A node's reading of one client's bytes, wherever they were cut.
///
/// It shares nothing with what the client reads with, so that both cannot be wrong in the same way.
struct NATSReading {
    private var bytes: [UInt8] = []
    private var isLost = false

    mutating func read(_ more: some Collection<UInt8>) -> [NATSClientWord] {
        guard !isLost else { return [] }
        bytes += more
        var words: [NATSClientWord] = []
        var place = 0
        while let word = next(&place) {
            words.append(word)
            if case .nonsense = word {
                isLost = true
                break
            }
        }
        bytes.removeFirst(place)
        return words
    }

    /// The operation at a place, if all of it is there.
    private func next(_ place: inout Int) -> NATSClientWord? {
        guard let end = bytes[place...].firstIndex(of: 10) else { return nil }
        var line = bytes[place..<end]
        if line.last == 13 { line.removeLast() }
        let parts = line.split { $0 == 32 || $0 == 9 }.map { String(decoding: $0, as: UTF8.self) }
        let verb = parts.first?.uppercased() ?? ""
        guard verb == "PUB" || verb == "HPUB" else {
            place = end + 1
            return Self.word(verb, parts, line)
        }
        let counts = verb == "PUB" ? 1 : 2
        let names = parts.dropFirst().dropLast(counts)
        let numbers = parts.suffix(counts).compactMap { Int($0) }
        guard numbers.count == counts, (1...2).contains(names.count), let size = numbers.last, size >= 0,
            counts == 1 || (0...size).contains(numbers[0])
        else { return .nonsense(String(decoding: line, as: UTF8.self)) }
        let start = end + 1
        guard bytes.count >= start + size + 2 else { return nil }
        guard bytes[start + size] == 13, bytes[start + size + 1] == 10 else {
            return .nonsense("no line ends behind the payload of \(parts)")
        }
        place = start + size + 2
        let body = start + (counts == 2 ? numbers[0] : 0)
        return .publish(
            NATSPublication(
                subject: names[1], reply: names.count == 2 ? names[2] : nil,
                head: Array(bytes[start..<body]), payload: Array(bytes[body..<start + size])))
    }

    private static func word(_ verb: String, _ parts: [String], _ line: ArraySlice<UInt8>) -> NATSClientWord {
        switch (verb, parts.count) {
        case ("PING", 1): .ping
        case ("PONG", 1): .pong
        case ("SUB", 3): .subscribe(subject: parts[1], group: nil, sid: parts[2])
        case ("SUB", 4): .subscribe(subject: parts[1], group: parts[2], sid: parts[3])
        case ("UNSUB", 2): .unsubscribe(sid: parts[1])
        case ("CONNECT", 2...): .connect(String(decoding: line.dropFirst(8), as: UTF8.self))
        default: .nonsense(String(decoding: line, as: UTF8.self))
        }
    }
}

/// What a node says to a client, one operation.
enum NATSServerWord {
    case info(String)
    case ping, pong
    case error(String)
    case message(NATSPublication, sid: String)
    /// Bytes as they are, for what no node should say.
    case raw(String)

    var bytes: [UInt8] {
        switch self {
        case .info(let json): Array("INFO \(json)\r\n".utf8)
        case .ping: Array("PING\r\n".utf8)
        case .pong: Array("PONG\r\n".utf8)
        case .error(let text): Array("-ERR '\(text)'\r\n".utf8)
        case .raw(let text): Array(text.utf8)
        case .message(let message, let sid): Self.bytes(of: message, sid)
        }
    }

    private static func bytes(of message: NATSPublication, _ sid: String) -> [UInt8] {
        let size = message.head.count + message.payload.count
        let names = "\(message.subject) \(sid)" + (message.reply.map { " \($0)" } ?? "")
        let line =
            message.head.isEmpty
            ? "MSG \(names) \(size)\r\n" : "HMSG \(names) \(message.head.count) \(size)\r\n"
        return Array(line.utf8) + message.head + message.payload + [13, 10]
    }
}

/// What a subscription matches: `*` stands for one token, `>` for one or more at the end.
struct NATSPattern: Hashable {
    let text: String
    private let tokens: [Substring]

    init(_ text: String) {
        self.text = text
        tokens = text.split(separator: ".", omittingEmptySubsequences: false)
    }

    func matches(_ subject: String) -> Bool {
        matches(subject.split(separator: ".", omittingEmptySubsequences: false))
    }

    func matches(_ subject: [Substring]) -> Bool {
        for (index, token) in tokens.enumerated() {
            if token == ">" { return subject.count > index }
            guard index < subject.count, token == "*" || token == subject[index] else { return false }
        }
        return subject.count == tokens.count
    }
}
