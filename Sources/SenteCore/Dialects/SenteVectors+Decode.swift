// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

extension SenteVectors {
    package func value(of message: Message) throws(UnreadableError) -> Value {
        let envelope = Envelope(message)
        let value = try format.value(of: message, behind: envelope.prefix, limits: sizes)
        return envelope.isBare ? [value] : value
    }

    /// What stands before the value up to 1.17: `+` where it has the room for a callback id, `-` where it has none.
    struct Envelope {
        let prefix: Int
        let isBare: Bool

        init(_ message: Message) {
            let first = message.kind == .text ? message.bytes.first : nil
            isBare = first == UInt8(ascii: "-")
            prefix = isBare || first == UInt8(ascii: "+") ? 1 : 0
        }
    }

    /// In the order of Sente's own client (sente.cljc, `on-message` of `ChWebSocket`).
    package func read(_ value: Value, isCallback: (String) -> Bool) -> [Inbound] {
        guard let items = value.arrayValue, items.count == 1 || items.count == 2 else {
            return [
                .undecodable(
                    "The server sent a message that is no vector of one or two elements; it was skipped.")
            ]
        }
        let said = items[0]
        if said[0]?.keywordValue == VectorWord.handshake {
            return [.handshake(said[1] ?? .null, named: false)]
        }
        if said.keywordValue == VectorWord.ping { return [.ping(stamp: nil)] }
        switch items.count == 2 ? items[1] : .null {
        case .null: return batch(said)
        case .string(let callback): return [Self.reply(callback, said, isCallback)]
        default:
            return [.undecodable("The server sent a reply whose callback id is no text; it was skipped.")]
        }
    }

    private static func reply(_ callback: String, _ said: Value, _ isCallback: (String) -> Bool) -> Inbound {
        if said == "pong", let stamp = stamp(spelled: callback), !isCallback(callback) {
            return .pong(stamp: stamp)
        }
        return .reply(.id(.event, WireName(callback)), .answered(said))
    }

    private func batch(_ value: Value) -> [Inbound] {
        guard let events = value.arrayValue else {
            return [.undecodable("The server pushed what is no vector of events; it was skipped.")]
        }
        return events.isEmpty ? [.noise] : events.map(heard)
    }

    private func heard(_ vector: Value) -> Inbound {
        let inbound = Self.event(vector)
        return readsTraces ? traced(inbound, by: MapFrame(vector[1])) : inbound
    }

    private static func event(_ value: Value) -> Inbound {
        do throws(UnreadableError) {
            let event = try Event(vector: value)
            guard event.id.namespace != VectorWord.namespace else {
                return .undecodable(
                    "The server pushed :\(event.id.text.excerpt()), a word of the protocol, among events; it was skipped."
                )
            }
            return .event(event)
        } catch {
            return error.inbound
        }
    }
}
