// SPDX-License-Identifier: Apache-2.0

/// What a client has written on one link, read from the bytes, and what its node owes for it.
struct NATSLinkModel {
    /// What a PING stands behind.
    enum Owed: Equatable {
        case greeting
        case wish(String, sid: String)
        case unsubscribe(sid: String)
        /// By the number of the message.
        case message(Int)
        case other
    }

    /// Whose a subscription is.
    enum Place: Equatable {
        case wish(String)
        case inbox
        case consumer
    }

    private var reading = NATSReading()
    /// The wishes that stand on the link, in the order they were written.
    private(set) var written: [String] = []
    private(set) var places: [String: Place] = [:]
    /// Wishes that ended, until the node has heard of it.
    private(set) var leaving: [String: String] = [:]
    private var used: Set<String> = []
    private var owed: [Owed] = []
    private var last = Owed.other

    /// The words that these bytes complete, and what is wrong with them.
    mutating func wrote(_ bytes: [UInt8]) -> (words: [NATSClientWord], problems: [String]) {
        let words = reading.read(bytes)
        var problems: [String] = []
        for word in words { follow(word, &problems) }
        return (words, problems)
    }

    private mutating func follow(_ word: NATSClientWord, _ problems: inout [String]) {
        switch word {
        case .connect: last = .greeting
        case .ping:
            owed.append(last)
            last = .other
        case .pong: break
        case .subscribe(let subject, let group, let sid):
            if !used.insert(sid).inserted { problems.append("the number \(sid) is used twice") }
            guard !subject.hasPrefix("_INBOX.") else {
                places[sid] = subject.hasSuffix(".*") ? .inbox : .consumer
                return
            }
            let name = group.map { "\(subject) \($0)" } ?? subject
            if written.contains(name) { problems.append("\(name) is subscribed to twice") }
            written.append(name)
            places[sid] = .wish(name)
            last = .wish(name, sid: sid)
        case .unsubscribe(let sid):
            if case .wish(let name)? = places.removeValue(forKey: sid) {
                written.removeAll { $0 == name }
                leaving[sid] = name
                last = .unsubscribe(sid: sid)
            }
        case .publish(let message):
            guard !message.subject.hasPrefix("$JS."), !message.subject.hasPrefix("_INBOX.") else {
                return last = .other
            }
            last = message.number.map { .message($0) } ?? .other
        case .nonsense(let text): problems.append("no server understands “\(text)”")
        }
    }

    /// A PONG came: what it answers; nil for one that answers nothing.
    mutating func takeOwed() -> Owed? {
        guard !owed.isEmpty else { return nil }
        let first = owed.removeFirst()
        if case .unsubscribe(let sid) = first { leaving[sid] = nil }
        return first
    }

    var owesNothing: Bool { owed.isEmpty }

    /// The node refused a wish, or let go of it.
    mutating func refused(_ name: String, _ sid: String) {
        places[sid] = nil
        written.removeAll { $0 == name }
    }
}
