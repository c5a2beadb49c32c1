// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import SenteLite

/// Text of a command as what it stands for.
extension Reading {
    static func json(_ text: String) throws(UsageError) -> Value {
        do {
            return try WireFormat.json.decode(Array(text.utf8))
        } catch {
            throw UsageError(
                "“\(excerpt(text))” is no JSON: \(error.description) Write a value such as {\"n\":1}.")
        }
    }

    /// Where to begin in the stream that keeps a channel: a sequence, or by name.
    static func start(_ text: String) throws(UsageError) -> ChannelStart {
        switch text {
        case "now": return .now
        case "next": return .next
        case "last": return .lastOfEach
        default:
            guard let sequence = UInt64(text) else {
                throw UsageError(
                    "“\(excerpt(text))” is no START: write now, next, last, or a sequence from 1 on.")
            }
            return .sequence(sequence)
        }
    }

    static func edn(_ text: String) throws(UsageError) -> Value {
        do {
            return try WireFormat.edn.decode(Array(text.utf8))
        } catch {
            throw UsageError(
                "“\(excerpt(text))” is no EDN: \(error.description) Write an event such as [:chat/say {:text \"hi\"}]."
            )
        }
    }

    /// `[id]` or `[id data]`.
    static func event(_ value: Value) throws(UsageError) -> Event {
        do throws(SenteError) {
            return try Event(validating: value)
        } catch {
            throw UsageError(error.message)
        }
    }
}
