// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What came from a client while a large message is being read elsewhere, and has to wait.
///
/// A client that hears which of its messages in parts have been heard sends nothing that must follow one of them before that: what
/// comes behind such a message is heard at once, and only other large ones wait, in their order. Behind any other message that
/// is being read everything waits.
///
/// It belongs to the connection and not to its link: what others have gone before is heard, whatever becomes of the link.
struct HeldArrivals: Sendable {
    struct Arrival: Sendable {
        var content: Content
        /// The number of the parts that it came in, where the client is to be told when it has been heard.
        var parts: UInt64?
        /// Whether it has been counted, which is when its link ended.
        var isCounted = false

        /// Whether what came later waits for it.
        fileprivate var isOrdered: Bool {
            if case .ended = content { false } else { parts == nil }
        }

        fileprivate var size: Int {
            switch content {
            case .said(_, let bytes, _): bytes
            case .unreadable(let message), .chunk(let message): message.bytes.count
            case .large(let reading): reading.bytes.count
            case .ended: 0
            }
        }
    }

    enum Content: Sendable {
        case said(ClientMessage, bytes: Int, isEnveloped: Bool)
        case unreadable(Message)
        case large(ServerWork.Reading)
        /// A message that is a chunk of a stream.
        case chunk(Message)
        case ended
    }

    struct Reading: Sendable {
        fileprivate var number: UInt64
        fileprivate var bytes: Int
        fileprivate(set) var isEnveloped: Bool
        /// Nil also for parts of a link that is gone.
        fileprivate(set) var parts: UInt64?
        /// As of an arrival.
        fileprivate(set) var isCounted: Bool
    }

    /// What may be held before reading pauses; as much as parts may have beside their largest message.
    private static let maximumBytes = 16 << 20
    /// What a message is counted for beside its bytes.
    private static let overhead = 256

    /// What is being read; nil while nothing is held up.
    private(set) var reading: Reading?
    private var arrivals = Queue<Arrival>()
    private var heldBytes = 0
    /// How many of these, and of what is being read, all that comes later waits for.
    private var ordered = 0
    /// Whether messages have been counted that came later than what is still to be heard.
    private var isPassed = false
    /// Reading pauses for the sake of what is held.
    var isPaused = false

    var isFull: Bool { heldBytes > Self.maximumBytes }
    /// What is held, and what is being read.
    var bytes: Int { heldBytes + (reading?.bytes ?? 0) }
    /// Whether what comes now may be heard although something is being read.
    var letsPass: Bool { ordered == 0 }

    mutating func begin(_ number: UInt64, _ reading: ServerWork.Reading, parts: UInt64?, isCounted: Bool) {
        self.reading = Reading(
            number: number, bytes: reading.bytes.count, isEnveloped: reading.isEnveloped, parts: parts,
            isCounted: isCounted)
        if parts == nil { ordered += 1 }
    }

    /// A counted message is heard before what is being read.
    mutating func pass() { isPassed = true }

    /// What was read, and whether messages that came later have been counted; nil when nobody waits for it.
    mutating func end(_ number: UInt64) -> (reading: Reading, isPassed: Bool)? {
        guard let reading, reading.number == number else { return nil }
        self.reading = nil
        if reading.parts == nil { ordered -= 1 }
        return (reading, isPassed)
    }

    mutating func append(_ arrival: Arrival) {
        if arrival.isOrdered { ordered += 1 }
        heldBytes += arrival.size + Self.overhead
        arrivals.append(arrival)
    }

    /// The next in order; nil when there is none, or it has to wait.
    mutating func next() -> Arrival? {
        guard reading == nil else { return nil }
        guard let arrival = arrivals.popFirst() else {
            isPassed = false
            return nil
        }
        if arrival.isOrdered { ordered -= 1 }
        heldBytes -= arrival.size + Self.overhead
        return arrival
    }

    /// The link is gone: what others have passed, or may have, stays and is heard before what comes over another link, and all else
    /// comes again; how many messages stay, which are to be counted now.
    mutating func linkEnded() -> Int {
        var kept = HeldArrivals()
        var counted = 0
        if var reading {
            guard reading.parts != nil || reading.isCounted else {
                self = kept
                return 0
            }
            counted += reading.isCounted ? 0 : 1
            reading.parts = nil
            reading.isCounted = true
            kept.reading = reading
            kept.ordered = 1
        }
        for var arrival in arrivals {
            guard arrival.parts != nil || arrival.isCounted else { break }
            counted += arrival.isCounted ? 0 : 1
            arrival.parts = nil
            arrival.isCounted = true
            kept.append(arrival)
        }
        self = kept
        return counted
    }
}
