// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Sente's dialect: `[[id data] callback]` out, replies and batches in (sente.cljc, 1.17 to 1.22).
///
/// Replies carry the callback id of what they answer, and a ping is an event whose callback id is its stamp.
package struct SenteVectors: MessageCoder {
    package let format: WireFormat
    package var sizes: SizeLimits
    package let readsTraces: Bool

    package init(format: WireFormat, sizes: SizeLimits = SizeLimits(), readsTraces: Bool = false) {
        self.format = format
        self.sizes = sizes
        self.readsTraces = readsTraces
    }

    package var dialect: Dialect { .sente }

    /// All servers from 1.17 on read `[event nil]`; the one-element form ended with 1.20.
    package func spell(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Value {
        switch outbound {
        case .event(let event, let callback): [event.vector, callback.map { Value($0) } ?? .null]
        case .ping(let stamp):
            [Event(id: VectorWord.ping).vector, stamp.map { Value(Self.spelled(stamp: $0)) } ?? .null]
        case .pong: [Event(id: VectorWord.pong).vector, .null]
        case .flow(let word): [Event(word).vector, word.callback.map { Value($0) } ?? .null]
        case .identified(let id, let outbound): MessageName.put(id, intoEvent: try spell(outbound, at: now))
        case .traced(let outbound, let trace): adding(trace, to: try spell(outbound, at: now))
        case .headed(_, let outbound): try spell(outbound, at: now)
        case .subscribe, .unsubscribe, .publish, .request, .answer, .listChannels, .listSubscriptions,
            .jetStream:
            throw SenteError(.unsupported, "Sente has no such operation.", outcome: .notSent)
        }
    }

    /// A stamp as callback id: hexadecimal, and at least six digits, as Sente's own are.
    static func spelled(stamp: Int64) -> String {
        let digits = String(UInt64(bitPattern: stamp), radix: 16)
        return String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }

    /// The stamp that a callback id spells; nil when none is spelled so.
    static func stamp(spelled text: String) -> Int64? {
        guard text.utf8.count <= 16, let number = UInt64(text, radix: 16) else { return nil }
        let stamp = Int64(bitPattern: number)
        return spelled(stamp: stamp) == text ? stamp : nil
    }
}
