// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What came on a link while a large message is being read elsewhere, and has to wait.
///
/// Where the server hears which of its messages in parts have been heard (`chunk-ack`), it sends nothing that must follow one of them
/// before that: what comes behind such a message is heard at once, and only other large ones wait, in their order. Behind any
/// other message that is being read everything waits.
struct HeldArrivals: Sendable {
    struct Arrival: Sendable {
        var content: Content
        /// The number of the parts that it came in, where the server is to be told when it has been heard.
        var parts: UInt64?

        /// What came later waits for it.
        fileprivate var isOrdered: Bool {
            switch content {
            case .heard, .large: parts == nil
            case .given, .fence, .ended, .left: false
            }
        }

        fileprivate var size: Int {
            switch content {
            case .heard(let heard): heard.size
            case .large(let reading): reading.size
            case .given, .fence, .ended, .left: 0
            }
        }
    }

    enum Content: Sendable {
        case heard(Session.Heard)
        case large(LargeWork.Reading)
        /// Parts of a message that had been given up: the server need not wait for it.
        case given
        /// A pong proved what of that which was written before will never be answered.
        case fence(UInt64)
        case ended(LinkEnd)
        /// This end is to leave the link.
        case left(Session.Leave)
    }

    struct Reading: Sendable {
        fileprivate var number: UInt64
        /// Whether it came in an envelope, which holds no other.
        private(set) var isEnveloped: Bool
        private(set) var parts: UInt64?

        fileprivate init(_ number: UInt64, _ reading: LargeWork.Reading, parts: UInt64?) {
            self.number = number
            isEnveloped = reading.isEnveloped
            self.parts = parts
        }
    }

    /// What may be held before reading pauses; as much as reassembly has beside its largest message.
    private static let maximumBytes = 16 << 20
    /// What a message is counted for beside its bytes.
    private static let overhead = 256

    /// What is being read; nil while nothing is held up.
    private(set) var reading: Reading?
    private var arrivals = Queue<Arrival>()
    private(set) var bytes = 0
    /// How many of these, and of what is being read, all that comes later waits for.
    private var ordered = 0
    /// Whether messages have been counted that came later than what is still to be heard.
    private var isPassed = false
    /// Reading pauses for the sake of what is held.
    var isPaused = false

    /// Whether the link is over, which is told when what came over it has been heard.
    private(set) var isOver = false

    /// How the link has ended, where that waits behind what came before.
    var end: LinkEnd? {
        if case .ended(let end)? = arrivals.last?.content { end } else { nil }
    }

    var isFull: Bool { bytes > Self.maximumBytes }

    /// Whether what comes now may be heard although something is being read.
    var letsPass: Bool { ordered == 0 }

    mutating func begin(_ number: UInt64, _ reading: LargeWork.Reading, parts: UInt64?) {
        self.reading = Reading(number, reading, parts: parts)
        if parts == nil { ordered += 1 }
    }

    /// A counted message is heard before what is being read.
    mutating func pass() { isPassed = true }

    /// Whether the link cannot be left yet: the server would take what is still to be heard for heard.
    var mustBeHeard: Bool { isPassed && (reading != nil || !arrivals.isEmpty) }

    /// What was read, and whether messages that came later have been counted; nil when nobody waits for it.
    mutating func end(_ number: UInt64) -> (reading: Reading, isPassed: Bool)? {
        guard let reading, reading.number == number else { return nil }
        self.reading = nil
        if reading.parts == nil { ordered -= 1 }
        return (reading, isPassed)
    }

    mutating func append(_ content: Content) { append(Arrival(content: content)) }

    mutating func append(_ arrival: Arrival) {
        switch arrival.content {
        case .ended, .left: isOver = true
        case .heard, .large, .given, .fence: break
        }
        if arrival.isOrdered { ordered += 1 }
        bytes += arrival.size + Self.overhead
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
        bytes -= arrival.size + Self.overhead
        return arrival
    }
}
