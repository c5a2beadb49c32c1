// SPDX-License-Identifier: Apache-2.0

extension WireFormat {
    /// Sente's gzip packer compresses documents of at least so many bytes.
    private static let leastToCompress = 1024

    /// Another format, compressed where it is long, as Sente's gzip packer does (Sente 1.21 and later).
    ///
    /// The first byte is 0 before the other format's bytes as they are, and 1 before gzip (RFC 1952) of them, from
    /// 1,024 bytes on. Messages are binary whatever the other format is. The name is `gzip-` and the other's.
    /// ``WireLimits/maximumBytes`` bounds what the bytes unfold to as well; beyond it the error is `tooLarge`.
    public static func gzip(over format: WireFormat, compressor: Compressor) -> WireFormat {
        WireFormat(name: "gzip-\(format.name)", isBinary: true) { value, bytes, limits throws(WireError) in
            let plain = try format.encode(value, limits: limits)
            guard plain.count >= leastToCompress else {
                bytes.append(0)
                return bytes.append(contentsOf: plain)
            }
            bytes.append(1)
            try plain.withUnsafeBufferPointer { plain throws(WireError) in
                try compressor.compress(UnsafeRawBufferPointer(plain), &bytes)
            }
        } decode: { bytes, limits throws(WireError) in
            let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
            switch bytes.first {
            case 0: return try decodePlain(rest, format, limits)
            case 1:
                var plain: [UInt8] = []
                try compressor.decompress(rest, &plain, limits.maximumBytes)
                return try decodeUnfolded(plain, format, limits)
            case nil: throw WireError(.incomplete, "The message is empty.", offset: 0)
            default:
                throw WireError(
                    .malformed,
                    "Sente's gzip packer begins a message with 0 or 1; is the server's packer another?",
                    offset: 0)
            }
        }
    }

    private static func decodePlain(
        _ bytes: UnsafeRawBufferPointer, _ format: WireFormat, _ limits: WireLimits
    ) throws(WireError) -> Value {
        do throws(WireError) {
            return try format.decode(bytes, limits: limits)
        } catch {
            var error = error
            error.offset? += 1
            throw error
        }
    }

    private static func decodeUnfolded(
        _ bytes: [UInt8], _ format: WireFormat, _ limits: WireLimits
    ) throws(WireError) -> Value {
        do throws(WireError) {
            return try format.decode(bytes, limits: limits)
        } catch {
            // The offset is one in the unfolded bytes, and the error's is one in the message.
            throw WireError(error.kind, "In what was compressed: \(error)", path: error.path)
        }
    }
}
