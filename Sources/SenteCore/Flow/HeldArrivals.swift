// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What came on a link behind a large message that is being read elsewhere, and is heard after it.
struct HeldArrivals: Sendable {
    enum Arrival: Sendable {
        case heard(Session.Heard)
        case large(LargeWork.Reading)
        /// A pong proved what of that which was written before will never be answered.
        case fence(UInt64)
        case ended(LinkEnd)

        fileprivate var size: Int {
            switch self {
            case .heard(let heard): heard.size
            case .large(let reading): reading.size
            case .fence, .ended: 0
            }
        }
    }

    /// What may be held before reading pauses; as much as reassembly has beside its largest message.
    private static let maximumBytes = 16 << 20
    /// What a message is counted for beside its bytes.
    private static let overhead = 256

    /// The number of the work that reads; nil while nothing is held up.
    private(set) var reading: (number: UInt64, isEnveloped: Bool)?
    private var arrivals = Queue<Arrival>()
    private(set) var bytes = 0
    /// Reading pauses for the sake of what is held.
    var isPaused = false

    /// How the link has ended, where that waits behind what came before.
    var end: LinkEnd? {
        if case .ended(let end)? = arrivals.last { end } else { nil }
    }

    var isFull: Bool { bytes > Self.maximumBytes }

    mutating func begin(_ number: UInt64, _ reading: LargeWork.Reading) {
        self.reading = (number, reading.isEnveloped)
    }

    /// Whether what was read came in an envelope; nil when nobody waits for it.
    mutating func end(_ number: UInt64) -> Bool? {
        guard let reading, reading.number == number else { return nil }
        self.reading = nil
        return reading.isEnveloped
    }

    mutating func append(_ arrival: Arrival) {
        arrivals.append(arrival)
        bytes += arrival.size + Self.overhead
    }

    /// The next in order; nil when there is none, or it has to wait.
    mutating func next() -> Arrival? {
        guard reading == nil, let arrival = arrivals.popFirst() else { return nil }
        bytes -= arrival.size + Self.overhead
        return arrival
    }
}
