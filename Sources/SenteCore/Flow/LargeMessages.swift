// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The large messages that have not left whole: first they are written elsewhere than on the loop, one at a time, then they leave in
/// parts, in turns.
struct LargeMessages: Sendable {
    /// A large message that others of its channel must not overtake.
    struct Ahead: Sendable {
        var place: WireName
        var priority: SendOptions.Priority
    }

    /// A message that leaves in parts.
    private struct Sending: Sendable {
        var message: Leaving
        var chunker: Chunker
        var size: Int
    }

    /// Those that are to be written.
    private var unwritten: [Leaving] = []
    /// The one that is being written; without a message when that was given up.
    private var writing: (number: UInt64, message: Leaving?)?
    private var sendings = Queue<Sending>()
    /// Those of all these that have a place to keep.
    private(set) var ahead: [Ahead] = []

    private var all: [Leaving] {
        sendings.map(\.message) + [writing?.message].compactMap(\.self) + unwritten
    }

    /// Whether nothing waits here to leave; what is being written asks for nothing.
    var isIdle: Bool { sendings.isEmpty && unwritten.isEmpty }

    var isSending: Bool { !sendings.isEmpty }

    /// Those of which parts have left.
    var begun: [CallID] { sendings.filter(\.chunker.hasBegun).map(\.message.call) }

    var load: OutboxPolicy.Load {
        let all = all
        return OutboxPolicy.Load(messages: all.count, bytes: all.reduce(0) { $0 + $1.weight })
    }

    private mutating func noteAhead() {
        ahead = all.compactMap { message in
            message.outbound.orderedPlace.map { Ahead(place: $0, priority: message.priority) }
        }
    }

    // MARK: Writing

    mutating func write(_ message: Leaving) {
        unwritten.append(message)
        noteAhead()
    }

    /// Whether the next one can be written.
    var canWrite: Bool { writing == nil && !unwritten.isEmpty }

    /// The one to be written next, the most urgent first; nil while another is.
    mutating func beginWriting(_ number: UInt64) -> Leaving? {
        guard writing == nil,
            let index = unwritten.indices.min(by: {
                unwritten[$0].priority.lane < unwritten[$1].priority.lane
            })
        else { return nil }
        let message = unwritten.remove(at: index)
        writing = (number, message)
        return message
    }

    /// The message that was being written; nil when it was given up meanwhile.
    mutating func endWriting(_ number: UInt64) -> Leaving? {
        guard writing?.number == number else { return nil }
        defer {
            writing = nil
            noteAhead()
        }
        return writing?.message
    }

    // MARK: Parts

    mutating func send(_ message: Leaving, _ chunker: Chunker, size: Int) {
        sendings.append(Sending(message: message, chunker: chunker, size: size))
        noteAhead()
    }

    /// The next part of the message whose turn it is, and the message itself if that is its last.
    mutating func nextPart() -> (envelopes: [Envelope], message: Leaving, size: Int, isLast: Bool)? {
        guard var sending = sendings.first else { return nil }
        let envelopes = sending.chunker.next()
        let isLast = sending.chunker.isDone
        if isLast {
            _ = sendings.popFirst()
            noteAhead()
        } else if sending.message.closings > 0 {
            // It goes alone, so that no other is blamed with it.
            sendings[0] = sending
        } else {
            _ = sendings.popFirst()
            sendings.append(sending)
        }
        return (envelopes, sending.message, sending.size, isLast)
    }

    // MARK: The end

    /// The message of a call goes no further.
    enum GivenUp {
        /// Nothing of it has left.
        case unsent
        /// Parts of the message with this number have.
        case inParts(UInt64)
    }

    mutating func giveUp(_ call: CallID) -> GivenUp? {
        defer { noteAhead() }
        if let index = sendings.firstIndex(where: { $0.message.call == call }) {
            return .inParts(sendings.remove(at: index).chunker.number)
        }
        if let index = unwritten.firstIndex(where: { $0.call == call }) {
            unwritten.remove(at: index)
            return .unsent
        }
        guard writing?.message?.call == call else { return nil }
        writing?.message = nil
        return .unsent
    }

    /// All of them, in order; none is here any more.
    mutating func takeAll() -> [Leaving] {
        defer { self = LargeMessages() }
        return all
    }
}

extension [LargeMessages.Ahead] {
    /// Whether a message would overtake one of these on its channel: the more urgent may.
    func hold(_ outbound: Outbound, _ priority: SendOptions.Priority) -> Bool {
        guard !isEmpty, let place = outbound.orderedPlace else { return false }
        return contains { $0.place == place && $0.priority.lane <= priority.lane }
    }
}

extension Outbound {
    /// Within what it keeps its order: its channel, or where there are none the events of its name.
    var orderedPlace: WireName? { place.map { WireName($0) } }

    private var place: String? {
        switch self {
        case .event(let event, _): event.id.text
        case .identified(_, let outbound), .traced(let outbound, _), .headed(_, let outbound): outbound.place
        default: channel
        }
    }
}
