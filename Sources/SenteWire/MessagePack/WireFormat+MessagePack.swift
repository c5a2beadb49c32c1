// SPDX-License-Identifier: Apache-2.0

extension WireFormat {
    /// MessagePack as Sente's packer writes and reads it, with its extension types and numbered map keys.
    ///
    /// Lists become vectors and decimals become doubles; whole numbers beyond 64 bits, URIs and tagged values
    /// cannot be said. Big integers that fit 64 bits become integers. Extensions of a type that Sente does not
    /// know are kept as `.tagged("msgpack/ext42", .bytes)`. Java's arrays of numbers are read as vectors.
    /// The table of ``WireFormat`` says how each type is written. A text or keyword that was a key before in the
    /// message is an extension 8 with its number, the first 256 of them.
    public static let senteMessagePack = WireFormat(name: "sente-msgpack", isBinary: true) {
        value, bytes, limits throws(WireError) in
        var writer = SenteMessagePackWriter(limits: limits)
        try writer.write(value)
        writer.sink.copy(to: &bytes)
    } decode: { bytes, limits throws(WireError) in
        try SenteMessagePackReader(bytes, limits).read()
    }
}
