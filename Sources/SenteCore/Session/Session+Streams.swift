// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// What an app does with a stream.
package enum StreamCommand: Sendable {
    /// Opens one; `digest` is that of what lies before the position.
    case open(
        StreamOpening, isSeekable: Bool, startsOver: Bool, position: StreamPoint? = nil,
        digest: (any IncrementalDigest)? = nil)
    /// Takes one that the server offers.
    case accept(isSeekable: Bool, startsOver: Bool)
    /// Bytes of its source, or its end, for a place.
    case provide(ArraySlice<UInt8>, at: UInt64)
    case finish(at: UInt64)
    /// Everything was taken; what this client says to it.
    case confirm(Value)
    case pause, resume
    /// Said to the app at the other end, beside the data.
    case control(Value)
    case cancel(reason: String?)
    /// Whoever gives the bytes, or takes them, cannot go on.
    case abandon(StreamFault)
}

/// Streams over the links of a session: what they say goes as words of flow, and their chunks go where messages leave room.
extension Session {
    /// Whether streams hold on a link.
    package func streams(over link: LinkID) -> Bool {
        guard !streams.isEmpty, traffic.flow?.features?.streaming == true, case .open(let open) = state else {
            return false
        }
        return open.link == link
    }

    /// Whether a binary message over a link may be a chunk.
    package func takesChunks(over link: LinkID) -> Bool {
        streams(over: link) && traffic.flow?.features?.binaryEnvelope == true
    }

    mutating func perform(_ command: StreamCommand, on id: String) {
        let instant = now.instant
        if case .open(let opening, let isSeekable, let startsOver, let position, let digest) = command {
            open(
                StreamMachine(
                    id: id, opening, isSeekable: isSeekable, startsOver: startsOver, position: position,
                    digest: digest, settings: streams.first?.settings ?? StreamSettings(), at: instant))
        } else if !streams.isEmpty {
            streams[0].change(id) { $0.perform(command, at: instant) }
        }
        performStreams()
    }

    private mutating func open(_ machine: StreamMachine) {
        let instant = now.instant
        do throws(StreamFault) {
            guard !streams.isEmpty else {
                throw StreamFault(
                    .refused, "This client has no streams: set `configuration.flow.streaming` to have some.")
            }
            guard !isWithoutStreams else { throw .noStreams }
            try streams[0].open(machine, at: instant)
        } catch {
            effects.append(.stream(StreamTable.Output(machine.id, .ended(.failed(error)))))
        }
    }

    /// What comes next of a stream: whoever consumes it asks for each piece, which is the sender's credit.
    package mutating func takePiece(
        of id: String, at now: Moment, into effects: inout [Effect]
    ) -> StreamTake {
        step(at: now, into: &effects) { session in
            guard !session.streams.isEmpty else { return .nothing }
            let take = session.streams[0].change(id) { stream -> StreamTake in
                if let piece = stream.takePiece(at: now.instant) { return .piece(piece) }
                return stream.isTaken ? .everything : .nothing
            }
            session.performStreams()
            return take ?? .nothing
        }
    }

    /// Both ends have agreed on streams over the link that is open.
    mutating func linkStreams() {
        guard case .open(let open) = state, streams(over: open.link) else { return refuseStreams() }
        let instant = now.instant
        streams[0].linked(at: instant)
        performStreams()
    }

    /// Whether it is clear that the server of the link that is open takes no streams.
    private var isWithoutStreams: Bool {
        guard case .open = state else { return false }
        return traffic.flow?.deadline == nil && traffic.flow?.features?.streaming != true
    }

    /// The server takes none: those that no server has taken yet need not wait for another.
    mutating func refuseStreams() {
        guard !streams.isEmpty, streams[0].count > 0, isWithoutStreams else { return }
        let instant = now.instant
        streams[0].refuseNew(.noStreams, at: instant)
        performStreams()
    }

    mutating func unlinkStreams() {
        guard !streams.isEmpty else { return }
        let instant = now.instant
        streams[0].unlinked(at: instant)
        performStreams()
    }

    /// Nobody waits for a connection any more.
    mutating func cancelStreams() {
        guard !streams.isEmpty else { return }
        let instant = now.instant
        streams[0].cancelAll(reason: "The client was disconnected.", at: instant)
        performStreams()
    }

    mutating func expireStreams() {
        let instant = now.instant
        streams[0].expire(at: instant)
        performStreams()
    }

    mutating func heardStream(_ frame: FlowFrame, _ word: FlowWord, on link: LinkID) {
        let instant = now.instant
        hearStream(on: link) { streams throws(FlowViolation) in
            try streams.heard(name: word.rawValue, frame.fields, at: instant)
        }
    }

    /// A binary message that holds a chunk.
    mutating func heardChunk(_ message: [UInt8], on link: LinkID) {
        let instant = now.instant
        hearStream(on: link) { streams throws(FlowViolation) in
            try streams.heard(binary: message, at: instant)
        }
    }

    private mutating func hearStream(
        on link: LinkID, _ hear: (inout StreamTable) throws(FlowViolation) -> Void
    ) {
        guard streams(over: link) else {
            return violated("It spoke of streams, which were not agreed on.", on: link)
        }
        do throws(FlowViolation) {
            try hear(&streams[0])
        } catch {
            return violated(error.reason, on: link, error.closeCode)
        }
        performStreams()
    }

    /// Says what streams have to say, and tells the app the rest.
    private mutating func performStreams() {
        guard !streams.isEmpty else { return }
        let outputs = streams[0].takeOutputs()
        if let count = streams[0].takeCount() { effects.append(.record(.flow(.stream(.active(count))))) }
        for output in outputs {
            guard case .say(let word) = output.effect else {
                if let signal = StreamSignal(output) { effects.append(.record(.flow(.stream(signal)))) }
                effects.append(.stream(output))
                continue
            }
            if case .open(let open) = state { say(.stream(output.id, word), on: open.link) }
        }
        drain()
    }

    // MARK: Chunks

    /// The next chunk of the stream whose turn it is goes; false when there is none.
    mutating func transmitChunk(on link: LinkID) -> Bool {
        guard let terms = traffic.packing.terms, streams(over: link) else { return false }
        let instant = now.instant
        guard let (id, number, chunk) = streams[0].takeChunk(at: instant) else { return false }
        traffic.packing.bulkWent()
        do throws(SenteError) {
            let message: Message
            if terms.takesBinary {
                message = .binary(chunk.binary(number: number))
            } else {
                message = try spelled(.streamChunk(id, chunk, writesBytes: terms.format.writesBytes))
            }
            effects.append(.transmit(link, [noted(message, for: nil, isKeepAlive: false)]))
        } catch {
            effects.append(.record(.dropped(reason: error.code)))
            streams[0].change(id) { $0.abandon(StreamFault(.sourceFailed, error.message), at: instant) }
        }
        performStreams()
        return true
    }
}

extension StreamFault {
    fileprivate static let noStreams = StreamFault(
        .refused,
        "The server takes no streams: it has to announce them, as `streaming` among its capabilities.")
}

extension StreamMachine {
    fileprivate mutating func perform(_ command: StreamCommand, at now: Instant) {
        switch command {
        case .open: break
        case .accept(let isSeekable, let startsOver):
            accept(isSeekable: isSeekable, startsOver: startsOver, at: now)
        case .provide(let bytes, let place): provide(bytes, at: place, now: now)
        case .finish(let place): finish(at: place, now: now)
        case .confirm(let answer): confirm(answer, at: now)
        case .pause: pause(at: now)
        case .control(let data): control(data, at: now)
        case .resume: resume(at: now)
        case .cancel(let reason): cancel(reason: reason, at: now)
        case .abandon(let fault): abandon(fault, at: now)
        }
    }
}
