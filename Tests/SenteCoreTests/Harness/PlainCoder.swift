// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// A dialect for tests of the session: it remembers what it was told to say, and its messages stand for that.
struct PlainCoder: MessageCoder {
    /// Everything said so far, and what cannot be.
    final class Memory: @unchecked Sendable {
        fileprivate(set) var said: [Outbound] = []
        /// What the next link's server passes for.
        var dialect = Dialect.senteLiteMaps
        var refusal: (Outbound) -> SenteError? = { _ in nil }

        /// What a message stands for.
        func outbound(_ message: Message) -> Outbound {
            said[Int(message.string.split(separator: " ").first ?? "") ?? 0]
        }
    }

    let dialect: Dialect
    let format = WireFormat.edn
    let memory: Memory
    var sizes = SizeLimits()

    func read(_ value: Value, isCallback: (String) -> Bool) -> [Inbound] { [] }

    func spell(_ outbound: Outbound, at now: Moment) -> Value { .null }

    func decode(_ message: Message, isCallback: (String) -> Bool) -> [Inbound] { [] }

    /// The message is as long as the outbound is heavy.
    func encode(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Message {
        if let refusal = memory.refusal(outbound) { throw refusal }
        memory.said.append(outbound)
        let number = "\(memory.said.count - 1)"
        let padding = String(repeating: " ", count: max(0, outbound.weight - number.utf8.count))
        return .text(number + padding)
    }
}
