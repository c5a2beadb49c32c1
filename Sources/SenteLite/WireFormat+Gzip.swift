// SPDX-License-Identifier: Apache-2.0

public import SenteWire

extension WireFormat {
    /// Another format, compressed where it is long, as Sente's gzip packer does; see
    /// ``gzip(over:compressor:)``.
    public static func gzip(over format: WireFormat) -> WireFormat {
        gzip(over: format, compressor: .gzip)
    }
}
