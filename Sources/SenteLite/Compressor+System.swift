// SPDX-License-Identifier: Apache-2.0

package import SenteCore
import SenteTransport
public import SenteWire

extension Compressor {
    /// Gzip (RFC 1952) by the system's zlib, which is loaded when it is first used.
    ///
    /// Where there is none, each use throws ``WireError`` of kind `unavailable` that says what to install.
    public static let gzip = system(.gzip)

    /// An algorithm by the system's zlib, at a level from 1 (fast) to 9 (small) or at zlib's usual one.
    package static func system(_ algorithm: MessageCompression.Algorithm, level: Int? = nil) -> Compressor {
        let container: ZlibLibrary.Container =
            switch algorithm {
            case .gzip: .gzip
            case .deflate: .zlib
            }
        return Compressor { bytes, output throws(WireError) in
            try bridging(algorithm) { library throws(ZlibLibrary.Failure) in
                try library.compress(bytes, container, level: level, into: &output)
            }
        } decompress: { bytes, output, limit throws(WireError) in
            try bridging(algorithm) { library throws(ZlibLibrary.Failure) in
                try library.decompress(bytes, container, into: &output, limit: limit)
            }
        }
    }

    private static func bridging(
        _ algorithm: MessageCompression.Algorithm, _ body: (ZlibLibrary) throws(ZlibLibrary.Failure) -> Void
    ) throws(WireError) {
        do throws(ZlibLibrary.Failure) {
            try body(ZlibLibrary.shared.get())
        } catch {
            switch error {
            case .unavailable(let message): throw WireError(.unavailable, message)
            case .malformed:
                throw WireError(
                    .malformed, "The compressed bytes are not one whole \(algorithm.rawValue) stream.")
            case .tooLarge: throw WireError(.tooLarge, "What was compressed is larger than the limit.")
            }
        }
    }
}
