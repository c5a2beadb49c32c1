// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Why a message cannot be read, as a sentence for a signal.
package struct UnreadableError: Error {
    package let reason: String
    /// Whether its bytes are at fault, and not the value they hold.
    var isOfBytes = false
    /// It unfolds to more than may come.
    var isTooLarge = false

    package var inbound: Inbound {
        isTooLarge ? .tooLarge(reason) : .undecodable(reason, isOfBytes ? .format : .shape)
    }

    static func tooLarge(_ format: String, _ limits: SizeLimits) -> UnreadableError {
        UnreadableError(
            reason:
                "The server sent a message that unfolds (\(format)) to more than \(limits.incomingMessage) bytes: "
                + "raise `limits.incomingMessage`, or have it send less at once.", isTooLarge: true)
    }
}

/// Whole messages of a format.
extension WireFormat {
    /// What a message says; of a text message, what stands behind `prefix` bytes.
    func value(
        of message: Message, behind prefix: Int = 0, limits: SizeLimits
    ) throws(UnreadableError) -> Value {
        guard (message.kind == .binary) == isBinary else {
            let kinds = isBinary ? "a text message where binary ones are" : "a binary message where text is"
            throw UnreadableError(reason: "The server sent \(kinds) due; it was skipped.", isOfBytes: true)
        }
        do throws(WireError) {
            return try decode(message.bytes[prefix...], limits: limits.reading)
        } catch {
            if error.kind == .tooLarge { throw .tooLarge(name, limits) }
            throw UnreadableError(
                reason: "The server sent a message that is no \(name): \(error) It was skipped.",
                isOfBytes: true)
        }
    }

    /// The message that says a value.
    func message(of value: Value, limits: SizeLimits) throws(SenteError) -> Message {
        if writesTags, let foreign = value.foreignToClojure {
            throw SenteError(
                .unencodable,
                "The message holds \(foreign), which no server that reads \(name) knows, and it would drop the message: "
                    + "send text instead, or configure a format with an EDN of your own if your server has readers.",
                outcome: .notSent)
        }
        let bytes: [UInt8]
        do throws(WireError) {
            bytes = try encode(value, limits: WireLimits(maximumBytes: .max))
        } catch {
            throw SenteError(
                .unencodable, "The message cannot be written as \(name): \(error)", outcome: .notSent)
        }
        guard bytes.count <= limits.outgoingMessage else {
            throw SenteError(
                .messageTooLarge,
                "The message has \(bytes.count) bytes and the limit is \(limits.outgoingMessage): "
                    + "send less at once, or raise `limits.outgoingMessage`.", outcome: .notSent)
        }
        return Message(isBinary ? .binary : .text, bytes)
    }

    /// Whether it is the EDN that every server reads, in gzip or not; EDN with tags of one's own has another name.
    private var writesTags: Bool { self == .edn || name == "gzip-edn" }
}

extension SizeLimits {
    /// A message of this size may come; what it unfolds to may not be larger either.
    var reading: WireLimits { WireLimits(maximumBytes: incomingMessage) }
}

extension Value {
    /// What in this EDN writes under a tag that Clojure has no reader for, described.
    ///
    /// `clojure.edn` refuses the whole document for one such tag, and servers then answer nothing.
    fileprivate var foreignToClojure: String? {
        var pending: [Value] = []
        var next: Value? = self
        while let value = next {
            switch value {
            case .bytes: return "bytes (#bytes)"
            case .uri: return "a URI (#uri)"
            case .tagged(let tag, _): return "a value tagged #\(tag.excerpt())"
            case .list(let items), .vector(let items): pending.append(contentsOf: items)
            case .map(let map):
                for (key, value) in map {
                    pending.append(key)
                    pending.append(value)
                }
            case .set(let set): pending.append(contentsOf: set)
            default: break
            }
            next = pending.popLast()
        }
        return nil
    }
}
