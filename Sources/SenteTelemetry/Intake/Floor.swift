// SPDX-License-Identifier: Apache-2.0

public import SenteSignals

/// What a call site must know, in one word: the least level that anybody wants, and what else there is to ask.
@usableFromInline
struct Floor: Sendable {
    /// Nobody wants anything.
    static let nothing = Floor(level: .max, needs: [])

    struct Needs: OptionSet, Sendable {
        var rawValue: UInt8

        /// Kinds or ids decide too.
        static let rules = Needs(rawValue: 1)
        /// A handler is called by the caller itself.
        static let synchronous = Needs(rawValue: 2)
        /// The dispatcher has handlers.
        static let queue = Needs(rawValue: 4)
    }

    @usableFromInline let word: UInt64

    @usableFromInline
    init(word: UInt64) {
        self.word = word
    }

    init(level: Int, needs: Needs) {
        let clamped = Int64(min(max(level, -1 << 54), 1 << 54))
        word = UInt64(bitPattern: clamped << 8 | Int64(needs.rawValue))
    }

    var needs: Needs { Needs(rawValue: UInt8(truncatingIfNeeded: word)) }

    @inlinable
    static func admits(_ level: SignalLevel, _ word: UInt64) -> Bool {
        Int64(level.rawValue) >= Int64(bitPattern: word) >> 8
    }
}
