// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Which format a message looks like, from its first few bytes alone.
///
/// A guess costs the same for any message; only what it names is then decoded.
enum FormatGuess {
    /// How far a guess looks.
    private static let reach = 64

    /// The format a greeting of this shape would have; nil when none of ours begins so.
    static func format(
        of message: Message, compressor: Compressor?, limits: SizeLimits
    ) throws(WireError) -> WireFormat? {
        switch message.kind {
        case .text: return text(message.bytes[...])
        case .binary: return try binary(message.bytes, compressor, limits)
        }
    }

    /// Sente's gzip packer begins with 0 or 1; MessagePack's arrays and maps with neither.
    private static func binary(
        _ bytes: [UInt8], _ compressor: Compressor?, _ limits: SizeLimits
    ) throws(WireError) -> WireFormat? {
        guard let first = bytes.first, first <= 1, let compressor else { return messagePack(bytes[...]) }
        var inner = bytes.dropFirst()
        if first == 1 {
            var plain: [UInt8] = []
            try inner.withUnsafeBufferPointer { packed throws(WireError) in
                try compressor.decompress(UnsafeRawBufferPointer(packed), &plain, limits.incomingMessage)
            }
            inner = plain[...]
        }
        let format = text(inner) ?? messagePack(inner)
        return format.map { .gzip(over: $0, compressor: compressor) }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> WireFormat? {
        var rest = bytes.prefix(reach)
        // Sente's prefixes, up to 1.17.
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        var isMap = false
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): continue
            case UInt8(ascii: "["), UInt8(ascii: "("): continue
            case UInt8(ascii: "{"): isMap = true
            case UInt8(ascii: ":"): return .edn
            case UInt8(ascii: "\""): return quoted(rest, isMap: isMap, whole: bytes)
            default: return nil
            }
        }
        return nil
    }

    /// Transit's texts begin with `~` where they mean something, and with `^` where they stand for a map.
    private static func quoted(_ rest: ArraySlice<UInt8>, isMap: Bool, whole: ArraySlice<UInt8>)
        -> WireFormat?
    {
        switch rest.first {
        case UInt8(ascii: "~"), UInt8(ascii: "^"):
            isMap || holdsObject(whole) ? .transitJSONVerbose : .transitJSON
        default: .json
        }
    }

    /// Whether an object stands anywhere outside of texts: only verbose Transit has objects.
    private static func holdsObject(_ bytes: ArraySlice<UInt8>) -> Bool {
        var isQuoted = false
        var isEscaped = false
        for byte in bytes {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if isQuoted {
                isEscaped = byte == UInt8(ascii: "\\")
            } else if byte == UInt8(ascii: "{") {
                return true
            }
        }
        return false
    }

    /// Transit writes names as texts that begin with `~`; Sente's packer writes them as extensions.
    private static func messagePack(_ bytes: ArraySlice<UInt8>) -> WireFormat? {
        var rest = bytes.prefix(reach)
        guard let first = rest.first, isCollection(first) else { return nil }
        while let byte = rest.popFirst() {
            switch byte {
            case 0x80...0x9F: continue
            case 0xDC, 0xDE: rest = rest.dropFirst(2)
            case 0xDD, 0xDF: rest = rest.dropFirst(4)
            case 0xA0...0xBF: return isTransit(rest) ? .transitMessagePack : .senteMessagePack
            case 0xD9: return isTransit(rest.dropFirst()) ? .transitMessagePack : .senteMessagePack
            default: return .senteMessagePack
            }
        }
        return nil
    }

    private static func isCollection(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x80...0x9F, 0xDC...0xDF: true
        default: false
        }
    }

    private static func isTransit(_ text: ArraySlice<UInt8>) -> Bool {
        text.first == UInt8(ascii: "~") || text.first == UInt8(ascii: "^")
    }
}
