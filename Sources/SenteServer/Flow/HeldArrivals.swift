// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What came on a link behind a large message that is being read elsewhere, and is heard after it.
struct HeldArrivals: Sendable {
    enum Arrival: Sendable {
        case said(ClientMessage, bytes: Int, isEnveloped: Bool)
        case unreadable(Message)
        case large(ServerWork.Reading)
        /// A message that is a chunk of a stream.
        case chunk(Message)
        case ended

        fileprivate var size: Int {
            switch self {
            case .said(_, let bytes, _): bytes
            case .unreadable(let message), .chunk(let message): message.bytes.count
            case .large(let reading): reading.bytes.count
            case .ended: 0
            }
        }
    }

    /// What may be held before reading pauses; as much as parts may have beside their largest message.
    private static let maximumBytes = 16 << 20
    /// What a message is counted for beside its bytes.
    private static let overhead = 256

    /// The work that reads; nil while nothing is held up.
    private(set) var reading: (number: UInt64, bytes: Int, isEnveloped: Bool)?
    private var arrivals = Queue<Arrival>()
    private var heldBytes = 0
    /// Reading pauses for the sake of what is held.
    var isPaused = false

    var isFull: Bool { heldBytes > Self.maximumBytes }
    /// What is held, and what is being read.
    var bytes: Int { heldBytes + (reading?.bytes ?? 0) }

    mutating func begin(_ number: UInt64, _ reading: ServerWork.Reading) {
        self.reading = (number, reading.bytes.count, reading.isEnveloped)
    }

    /// Whether what was read came in an envelope; nil when nobody waits for it.
    mutating func end(_ number: UInt64) -> Bool? {
        guard let reading, reading.number == number else { return nil }
        self.reading = nil
        return reading.isEnveloped
    }

    mutating func append(_ arrival: Arrival) {
        arrivals.append(arrival)
        heldBytes += arrival.size + Self.overhead
    }

    /// The next in order; nil when there is none, or it has to wait.
    mutating func next() -> Arrival? {
        guard reading == nil, let arrival = arrivals.popFirst() else { return nil }
        heldBytes -= arrival.size + Self.overhead
        return arrival
    }
}
