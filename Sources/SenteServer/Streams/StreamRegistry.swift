// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// The streams of one client, over its links.
///
/// The client speaks first after each new link, of the streams it goes on with; the server offers again what no client has
/// taken. How a stream ended is known for a while, and is said again to a client that asks.
package struct StreamRegistry: Sendable {
    package struct Output: Hashable, Sendable {
        package var id: String
        package var event: ServerStream.Event

        package init(_ id: String, _ event: ServerStream.Event) {
            self.id = id
            self.event = event
        }
    }

    package let policy: StreamPolicy
    private let digests: DigestFunction
    private var streams: [String: ServerStream] = [:]
    /// In the order of their opening; the first is next to send.
    private var order: [String] = []
    private var numbers: [UInt64: String] = [:]
    private var isLinked = false
    /// Even, since the server gives it.
    private var lastNumber: UInt64 = 0
    /// What was said last of those that are over.
    private var ends: [String: ServerStreamWord] = [:]
    private var forgetting = DeadlineQueue<String>()
    private var outputs: [Output] = []
    /// What came for no stream.
    package private(set) var strays = 0
    package private(set) var refusals = 0

    package init(policy: StreamPolicy = StreamPolicy(), digests: DigestFunction = .sha256) {
        self.policy = policy
        self.digests = digests
    }

    package var count: Int { streams.count }
    package var endCount: Int { ends.count }
    /// Whether nothing of the client is left to be known.
    package var isEmpty: Bool { streams.isEmpty && ends.isEmpty }

    /// What is kept of bytes that came, or go.
    var keptBytes: Int { streams.values.reduce(0) { $0 + $1.kept.bytes } }

    package subscript(id: String) -> ServerStream? { streams[id] }

    package mutating func takeOutputs() -> [Output] {
        defer { outputs.removeAll(keepingCapacity: true) }
        return outputs
    }

    // MARK: Opening

    /// Opens a stream to the client; false when there are too many, or one of this name.
    package mutating func open(
        _ offer: StreamOffer, id: String, canGoBack: Bool = false, at now: Instant
    ) -> Bool {
        guard streams[id] == nil, ends[id] == nil, streams.count < policy.streams, offer.kind != .upload
        else {
            return false
        }
        add(ServerStream(offer, id: id, canGoBack: canGoBack, policy, digests, at: now))
        if isLinked {
            let number = newNumber(for: id)
            change(id, at: now) { $0.offer(as: number, at: now) }
        }
        return true
    }

    private mutating func add(_ stream: ServerStream) {
        streams[stream.id] = stream
        order.append(stream.id)
    }

    private mutating func newNumber(for id: String) -> UInt64 {
        lastNumber += 2
        numbers[lastNumber] = id
        return lastNumber
    }

    /// Does something with a stream; nil when there is none of this name.
    @discardableResult
    package mutating func change<R>(_ id: String, at now: Instant, _ body: (inout ServerStream) -> R) -> R? {
        guard let place = streams.index(forKey: id) else { return nil }
        let result = body(&streams.values[place])
        for event in streams.values[place].takeEvents() { outputs.append(Output(id, event)) }
        if let word = streams.values[place].lastWord {
            streams.remove(at: place)
            order.removeAll { $0 == id }
            remember(id, word, at: now)
        }
        return result
    }

    private mutating func remember(_ id: String, _ word: ServerStreamWord, at now: Instant) {
        forgetting.add(id, due: now.advanced(by: policy.positionLife))
        ends[id] = word
        if ends.count > policy.ends, let oldest = forgetting.take(by: nil) { ends[oldest] = nil }
    }

    // MARK: Links

    package mutating func linked(at now: Instant) {
        isLinked = true
        numbers = [:]
        lastNumber = 0
        for id in order where streams[id].map({ $0.isOwn && !$0.isAccepted }) == true {
            let number = newNumber(for: id)
            change(id, at: now) { $0.offer(as: number, at: now) }
        }
    }

    package mutating func unlinked(at now: Instant) {
        isLinked = false
        numbers = [:]
        for id in order { change(id, at: now) { $0.park(at: now) } }
    }

    /// Its client will not come back.
    mutating func cancelAll(at now: Instant) {
        for id in order { change(id, at: now) { $0.cancel("its client is gone", at: now) } }
    }

    // MARK: What comes

    /// Takes a client's word; false for one that names no stream.
    package mutating func hear(named name: String, _ fields: ValueMap, at now: Instant) -> Bool {
        guard let (id, word) = ServerStreamWord.read(named: name, fields) else { return false }
        hear(word, of: id, at: now)
        return true
    }

    /// Takes a binary message; the bytes of the chunk, nil for one that holds none.
    package mutating func hear(binary message: [UInt8], at now: Instant) -> Int? {
        guard let (number, part) = StreamPart.read(message) else { return nil }
        if let id = numbers[number] { hear(.chunk(part), of: id, at: now) } else { strays += 1 }
        return part.bytes.count
    }

    package mutating func hear(_ word: ServerStreamWord, of id: String, at now: Instant) {
        if case .initiation(let offer) = word { return ask(offer, id, at: now) }
        let isKnown = change(id, at: now) { $0.hear(word, at: now) } != nil
        switch word {
        // Whether it was known or not: the client stops telling of it.
        case _ where word.endsStream: if streams[id] == nil { say(.end, of: id) }
        case .chunk: if !isKnown { strays += 1 }
        case .end: break
        default:
            guard !isKnown, ends[id] == nil else { return }
            say(.error(code: "unknown-stream", message: "there is no stream of this name"), of: id)
        }
    }

    private mutating func ask(_ offer: StreamOffer, _ id: String, at now: Instant) {
        if let word = ends[id] { return say(word, of: id) }
        if offer.number % 2 == 0 || numbers[offer.number] != nil && numbers[offer.number] != id {
            refusals += 1
            let message = "the number of a client's stream is odd, and its own"
            if change(id, at: now, { $0.fail("protocol-error", message, at: now) }) == nil {
                say(.error(code: "protocol-error", message: message), of: id)
            }
            return
        }
        guard streams[id] == nil else {
            numbers[offer.number] = id
            change(id, at: now) { $0.resume(offer, at: now) }
            return
        }
        if let objection = objection(to: offer) {
            refusals += 1
            return say(objection, of: id)
        }
        numbers[offer.number] = id
        add(ServerStream(asked: offer, id: id, policy, digests, at: now))
        change(id, at: now) { _ in }
    }

    private func objection(to offer: StreamOffer) -> ServerStreamWord? {
        if offer.isKnown { return .error(code: "unknown-stream", message: "nothing is known of it any more") }
        guard offer.serverReceives else {
            return .error(code: "refused", message: "only the server opens such a stream")
        }
        if offer.kind == .bidirectional, offer.grant == nil {
            return .error(code: "protocol-error", message: "it lacks credits")
        }
        return policy.objection(to: offer, beside: streams.count)
    }

    private mutating func say(_ word: ServerStreamWord, of id: String) {
        if isLinked { outputs.append(Output(id, .say(word))) }
    }

    // MARK: What goes

    package var hasPart: Bool { streams.values.contains(where: \.hasPart) }

    /// The next chunk, of each stream in its turn.
    package mutating func takePart(at now: Instant) -> (id: String, number: UInt64, part: StreamPart)? {
        guard let place = order.firstIndex(where: { streams[$0]?.hasPart == true }) else { return nil }
        let id = order.remove(at: place)
        order.append(id)
        guard let (number, part) = change(id, at: now, { $0.takePart(at: now) }) ?? nil else { return nil }
        return (id, number, part)
    }

    // MARK: Time

    package var deadline: Instant? {
        [streams.values.lazy.compactMap(\.deadline).min(), forgetting.earliest].compactMap(\.self).min()
    }

    package mutating func expire(at now: Instant) {
        for id in order where streams[id]?.deadline.map({ $0 <= now }) == true {
            change(id, at: now) { $0.expire(at: now) }
        }
        while let id = forgetting.take(by: now) { ends[id] = nil }
    }
}
