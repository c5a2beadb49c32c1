// SPDX-License-Identifier: Apache-2.0

import SenteTransport
public import SenteWire

extension Compressor {
    /// Gzip (RFC 1952) by the system's zlib, which is loaded when it is first used.
    ///
    /// Where there is none, each use throws ``WireError`` of kind `unavailable` that says what to install.
    public static let gzip = Compressor { bytes, output throws(WireError) in
        try bridging { library throws(ZlibLibrary.Failure) in
            try library.compress(bytes, .gzip, into: &output)
        }
    } decompress: { bytes, output, limit throws(WireError) in
        try bridging { library throws(ZlibLibrary.Failure) in
            try library.decompress(bytes, .gzip, into: &output, limit: limit)
        }
    }

    private static func bridging(
        _ body: (ZlibLibrary) throws(ZlibLibrary.Failure) -> Void
    ) throws(WireError) {
        do throws(ZlibLibrary.Failure) {
            try body(ZlibLibrary.shared.get())
        } catch {
            switch error {
            case .unavailable(let message): throw WireError(.unavailable, message)
            case .malformed:
                throw WireError(.malformed, "The compressed bytes are not one whole gzip stream.")
            case .tooLarge: throw WireError(.tooLarge, "What was compressed is larger than the limit.")
            }
        }
    }
}

extension WireFormat {
    /// Another format, compressed where it is long, as Sente's gzip packer does; see
    /// ``gzip(over:compressor:)``.
    public static func gzip(over format: WireFormat) -> WireFormat {
        gzip(over: format, compressor: .gzip)
    }
}
