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
        /// From what weight on others may follow it: the server hears messages in parts in their order, so those that will be in parts
        /// need not wait until it has heard one that has left.
        var letsFollow = Int.max
    }

    /// A message that has left in parts, and that the server has not said to have heard.
    private struct Unheard: Sendable {
        var number: UInt64
        var ahead: Ahead?
        /// The last slot that was opened before its own.
        var slot: UInt64
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
    private var unheard = Queue<Unheard>()
    /// Those of all these that have a place to keep.
    private(set) var ahead: [Ahead] = []
    /// From what weight on a message is large.
    private let largeValue: Int

    init(largeValue: Int = .max) {
        self.largeValue = largeValue
    }

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
        ahead =
            unheard.compactMap(\.ahead)
            + all.compactMap { message in
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
    mutating func nextPart() -> (
        envelopes: [Envelope], message: Leaving, number: UInt64, size: Int, isLast: Bool
    )? {
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
        return (envelopes, sending.message, sending.chunker.number, sending.size, isLast)
    }

    // MARK: Heard

    /// A message has left in parts, and the server will say when it has heard it; `slot` is the last that was opened before its own.
    ///
    /// Where its answer is known by its order alone, not even a more urgent one may be heard before it.
    mutating func awaitHearing(
        of message: Leaving, _ number: UInt64, behind slot: UInt64, isAnsweredInOrder: Bool
    ) {
        let priority = isAnsweredInOrder ? .urgent : message.priority
        let ahead = message.outbound.orderedPlace.map {
            Ahead(place: $0, priority: priority, letsFollow: largeValue)
        }
        unheard.append(Unheard(number: number, ahead: ahead, slot: slot))
        noteAhead()
    }

    /// The server has heard the message of this number; false when it is none that was waited for.
    mutating func heard(_ number: UInt64) -> Bool {
        guard let index = unheard.firstIndex(where: { $0.number == number }) else { return false }
        _ = unheard.remove(at: index)
        noteAhead()
        return true
    }

    /// Whether more have left than could be on their way, so that the server cannot mean to say that it has heard them.
    var isNotHeard: Bool { unheard.count > Self.maximumUnheard }

    private static let maximumUnheard = 1_024

    /// Whether a message goes in parts however small it turned out: it follows one that the server has not heard.
    func mustGoInParts(_ message: Leaving) -> Bool {
        unheard.compactMap(\.ahead).hold(message.outbound, 0, message.priority)
    }

    /// The slots up to which a pong proves anything; nil for all.
    ///
    /// What the server has not heard it may answer later.
    var provenUpTo: UInt64? { unheard.first?.slot }

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
        defer { self = LargeMessages(largeValue: largeValue) }
        return all
    }
}

extension [LargeMessages.Ahead] {
    /// Whether a message would overtake one of these on its channel: the more urgent may.
    func hold(_ outbound: Outbound, _ weight: Int, _ priority: SendOptions.Priority) -> Bool {
        guard !isEmpty, let place = outbound.orderedPlace else { return false }
        return contains {
            $0.place == place && $0.priority.lane <= priority.lane && weight < $0.letsFollow
        }
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
