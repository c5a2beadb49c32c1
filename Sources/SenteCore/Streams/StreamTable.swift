// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// All streams of a client, over all its links.
///
/// It knows which stream a word or a chunk belongs to, gives them their numbers on each link, lets them take turns, and sees to
/// it that the server hears how those ended that this client has ended. What comes for a stream that has ended is dropped.
package struct StreamTable: Sendable {
    /// What a stream wants done.
    package struct Output: Hashable, Sendable {
        package var id: String
        package var effect: StreamEffect

        package init(_ id: String, _ effect: StreamEffect) {
            self.id = id
            self.effect = effect
        }
    }

    /// How many ends are remembered, and how many are told the server again on the next link.
    private static let remembered = 1_024

    package let settings: StreamSettings
    private var streams: [StreamMachine] = []
    private var places: [String: Int] = [:]
    /// Those that may have chunks on this link.
    private var numbers: [UInt64: String] = [:]
    private var isLinked = false
    /// Odd, since a client gives it.
    private var nextNumber: UInt64 = 1
    /// Whose turn it is.
    private var turn = 0
    /// What the server has not confirmed to have heard of ends, in their order.
    private var farewells = OrderedSet<String>()
    private var lastWords: [String: StreamWord] = [:]
    private var over: Set<String> = []
    private var overInOrder = Queue<String>()
    private var outputs: [Output] = []
    private var toldCount = 0
    /// Chunks that came for no stream.
    package private(set) var strayChunks = 0

    package init(settings: StreamSettings = StreamSettings()) {
        self.settings = settings
    }

    package var count: Int { streams.count }
    package var farewellCount: Int { farewells.count }
    package var deadline: Instant? { streams.lazy.compactMap(\.deadline).min() }

    /// A stream that has not ended.
    package subscript(id: String) -> StreamMachine? { places[id].map { streams[$0] } }

    package mutating func takeOutputs() -> [Output] {
        defer { outputs.removeAll(keepingCapacity: true) }
        return outputs
    }

    /// How many there are, if that has changed since this was asked last.
    mutating func takeCount() -> Int? {
        guard streams.count != toldCount else { return nil }
        toldCount = streams.count
        return streams.count
    }

    // MARK: Streams

    /// Opens a stream, as soon as there is a link.
    package mutating func open(_ machine: StreamMachine, at now: Instant) throws(StreamFault) {
        guard places[machine.id] == nil, lastWords[machine.id] == nil, !over.contains(machine.id) else {
            throw StreamFault(.refused, "There is or was a stream of this name: \(machine.id).")
        }
        guard streams.count < settings.maximumStreams else { throw tooMany }
        add(machine)
        guard isLinked else { return }
        change(machine.id) { [number = newNumber(for: machine.id)] in $0.linked(number: number, at: now) }
    }

    private var tooMany: StreamFault {
        StreamFault(.quotaExceeded, "There are \(settings.maximumStreams) streams already: end one first.")
    }

    private mutating func add(_ machine: StreamMachine) {
        places[machine.id] = streams.count
        streams.append(machine)
    }

    private mutating func newNumber(for id: String) -> UInt64 {
        defer { nextNumber += 2 }
        numbers[nextNumber] = id
        return nextNumber
    }

    /// Does something with a stream; nil when there is none of this name.
    @discardableResult
    package mutating func change<R>(_ id: String, _ body: (inout StreamMachine) -> R) -> R? {
        guard let place = places[id] else { return nil }
        let result = body(&streams[place])
        drain(place)
        return result
    }

    private mutating func drain(_ place: Int) {
        let id = streams[place].id
        for effect in streams[place].takeEffects() { outputs.append(Output(id, effect)) }
        guard streams[place].ending != nil else { return }
        let machine = streams.remove(at: place)
        places[id] = nil
        for later in place..<streams.count { places[streams[later].id] = later }
        if turn > place { turn -= 1 }
        if machine.wasLetGo { return }
        if let farewell = machine.farewell { keep(farewell, of: id) }
        remember(id)
    }

    // MARK: Ends

    private mutating func keep(_ farewell: StreamWord, of id: String) {
        lastWords[id] = farewell
        farewells.insert(id)
        guard farewells.count > Self.remembered, let oldest = farewells.first(where: { _ in true }) else {
            return
        }
        forgetFarewell(of: oldest)
    }

    private mutating func forgetFarewell(of id: String) {
        lastWords[id] = nil
        farewells.remove(id)
    }

    private mutating func remember(_ id: String) {
        guard over.insert(id).inserted else { return }
        overInOrder.append(id)
        if over.count > Self.remembered, let oldest = overInOrder.popFirst() { over.remove(oldest) }
    }

    // MARK: Links

    /// There is a link whose server agreed on streams.
    package mutating func linked(at now: Instant) {
        guard !isLinked else { return }
        isLinked = true
        nextNumber = 1
        numbers = [:]
        for id in farewells { if let word = lastWords[id] { outputs.append(Output(id, .say(word))) } }
        for id in streams.map(\.id) {
            let number = newNumber(for: id)
            change(id) { $0.linked(number: number, at: now) }
        }
    }

    package mutating func unlinked(at now: Instant) {
        guard isLinked else { return }
        isLinked = false
        numbers = [:]
        for id in streams.map(\.id) { change(id) { $0.unlinked(at: now) } }
    }

    // MARK: What comes

    /// Takes a word about a stream; throws when the link cannot go on with such a server.
    package mutating func heard(
        name: String, _ fields: ValueMap, at now: Instant
    ) throws(FlowViolation) {
        do throws(StreamWord.Malformed) {
            if name == StreamChunk.name {
                let (id, chunk) = try StreamChunk.read(fields: fields)
                return heard(chunk, for: id, at: now)
            }
            guard let (id, word) = try StreamWord.read(name: name, fields: fields) else {
                throw StreamWord.Malformed(id: nil, reason: "`\(name)` is no word about streams")
            }
            heard(word, of: id, at: now)
        } catch {
            guard let id = error.id else {
                throw FlowViolation(
                    .protocolError, "The server sent a word about streams that cannot be: \(error.reason).")
            }
            if change(id, { $0.broken(error.reason, at: now) }) == nil, !over.contains(id) {
                say(.failed(.violation(error.reason)), of: id)
            }
        }
    }

    /// Takes a binary message that holds a chunk.
    package mutating func heard(binary message: [UInt8], at now: Instant) throws(FlowViolation) {
        guard let (number, chunk) = StreamChunk.read(binary: message) else {
            throw FlowViolation(.protocolError, "The server sent a chunk of a stream that is malformed.")
        }
        guard let id = numbers[number] else {
            strayChunks += 1
            return
        }
        heard(chunk, for: id, at: now)
    }

    private mutating func heard(_ chunk: StreamChunk, for id: String, at now: Instant) {
        if change(id, { $0.heard(chunk, at: now) }) == nil { strayChunks += 1 }
    }

    package mutating func heard(_ word: StreamWord, of id: String, at now: Instant) {
        if case .end = word, lastWords[id] != nil { return forgetFarewell(of: id) }
        if change(id, { $0.heard(word, at: now) }) != nil { return }
        switch word {
        case .open(let opening): offered(opening, id, at: now)
        // An end is never answered with one: that would have no end.
        case .failed, .cancel, .end: forgetFarewell(of: id)
        case .accept, .credits, .rewind, .pause, .resume, .sent, .received, .control:
            guard !over.contains(id) else { return }
            say(.failed(StreamFault(.unknownStream, "There is no stream of this name here.")), of: id)
        }
    }

    private mutating func offered(_ opening: StreamOpening, _ id: String, at now: Instant) {
        if let word = lastWords[id] { return say(word, of: id) }
        do throws(StreamFault) {
            try check(opening, id)
        } catch {
            return say(.failed(error), of: id)
        }
        numbers[opening.number] = id
        add(StreamMachine(offered: opening, id: id, settings: settings, at: now))
        drain(streams.count - 1)
    }

    private func check(_ opening: StreamOpening, _ id: String) throws(StreamFault) {
        guard !over.contains(id), !opening.isAgain else {
            throw StreamFault(.unknownStream, "There is no stream of this name here any more.")
        }
        guard opening.number > 0, opening.number % 2 == 0, numbers[opening.number] == nil else {
            throw .violation("a server's stream has a number that it cannot have")
        }
        guard opening.kind != .upload, opening.kind != .bidirectional || opening.reception != nil else {
            throw .violation("a server's stream is one that only a client opens, or without credits")
        }
        guard streams.count < settings.maximumStreams else { throw tooMany }
        let weight = opening.metadata.weight + (opening.channel?.utf8.count ?? 0)
        guard opening.chunkSize <= settings.chunkSize, weight <= settings.maximumMetadata else {
            throw StreamFault(
                .quotaExceeded,
                "A chunk is to be larger than \(settings.chunkSize) bytes, or the metadata than \(settings.maximumMetadata)."
            )
        }
    }

    private mutating func say(_ word: StreamWord, of id: String) {
        guard isLinked else { return }
        outputs.append(Output(id, .say(word)))
    }

    /// Ends those that no server has accepted.
    package mutating func refuseNew(_ fault: StreamFault, at now: Instant) {
        for id in streams.filter({ !$0.isKnown }).map(\.id) { change(id) { $0.abandon(fault, at: now) } }
    }

    /// Calls all of them off.
    package mutating func cancelAll(reason: String, at now: Instant) {
        for id in streams.map(\.id) { change(id) { $0.cancel(reason: reason, at: now) } }
    }

    // MARK: What goes

    package var hasChunk: Bool { streams.contains(where: \.hasChunk) }

    /// The next chunk of the stream whose turn it is.
    package mutating func takeChunk(at now: Instant) -> (id: String, number: UInt64, chunk: StreamChunk)? {
        for _ in streams.indices {
            if turn >= streams.count { turn = 0 }
            let place = turn
            turn += 1
            let id = streams[place].id
            guard streams[place].hasChunk, let (number, chunk) = streams[place].takeChunk(at: now) else {
                continue
            }
            drain(place)
            return (id, number, chunk)
        }
        return nil
    }

    // MARK: Time

    package mutating func expire(at now: Instant) {
        for id in streams.filter({ $0.deadline.map { $0 <= now } ?? false }).map(\.id) {
            change(id) { $0.expire(at: now) }
        }
    }
}
