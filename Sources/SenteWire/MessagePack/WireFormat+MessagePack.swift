// SPDX-License-Identifier: Apache-2.0

extension WireFormat {
    /// MessagePack as Sente's packer writes and reads it, with its extension types and numbered map keys.
    ///
    /// Lists become vectors and decimals become doubles; whole numbers beyond 64 bits, URIs and tagged values
    /// cannot be said. Big integers that fit 64 bits become integers. Extensions of a type that Sente does not
    /// know are kept as `.tagged("msgpack/ext42", .bytes)`. Java's arrays of numbers are read as vectors.
    ///
    /// | Value | MessagePack |
    /// | --- | --- |
    /// | null, bool, integer, double, string, bytes | nil, bool, int, float 64, str, bin |
    /// | vector and list, map | array, map; a keyword or text as key is an extension 8 when it comes again |
    /// | keyword, symbol, character | extensions 0, 1, 2: UTF-8 |
    /// | ratio, set | extensions 3 and 4: two integers, an array |
    /// | uuid, instant | extensions 9 and −1: 36 characters, 12 bytes |
    public static let senteMessagePack = WireFormat(name: "sente-msgpack", isBinary: true) {
        value, bytes, limits throws(WireError) in
        var writer = SenteMessagePackWriter(limits: limits)
        try writer.write(value)
        bytes.append(contentsOf: writer.output.bytes)
    } decode: { bytes, limits throws(WireError) in
        try SenteMessagePackReader.value(of: bytes, limits: limits)
    }
}
