// SPDX-License-Identifier: Apache-2.0

extension WireFormat {
    /// Transit in JSON, with cache codes that run across the whole message (transit-format 0.8).
    ///
    /// Every value can be said but values under Transit's own tags. Whole numbers beyond 53 bits are written as
    /// text, points in time as milliseconds and, where they have a finer part, as date and time; beyond the
    /// years 0 to 9999 the finer part is cut. Unknown tags are read as `.tagged`, links and typed arrays among
    /// them, and are written as they came.
    ///
    /// The table of ``WireFormat`` says how each type is written. As keys of a map, JSON writes null `~_`, booleans
    /// `~?t`, integers `~i1` and doubles `~d1.5`; MessagePack writes them as they are. If a key is a collection, a
    /// ratio or a tagged value, the whole map is a `cmap`.
    public static let transitJSON = transitJSON(TransitOptions(), named: "transit-json")

    /// Transit in JSON for people: no cache codes, maps as objects, points in time as date and time.
    ///
    /// What it reads is what ``transitJSON`` reads: every reader of Transit's JSON reads both.
    public static let transitJSONVerbose = transitJSONVerbose(TransitOptions(), named: "transit-json-verbose")

    /// Transit in MessagePack, with cache codes.
    public static let transitMessagePack = transitMessagePack(TransitOptions(), named: "transit-msgpack")

    /// Transit in JSON with readers and writers of one's own, under a name of its own.
    public static func transitJSON(_ options: TransitOptions, named name: String) -> WireFormat {
        transit(.json, options, named: name)
    }

    /// Transit in verbose JSON with readers and writers of one's own, under a name of its own.
    public static func transitJSONVerbose(_ options: TransitOptions, named name: String) -> WireFormat {
        transit(.verbose, options, named: name)
    }

    /// Transit in MessagePack with readers and writers of one's own, under a name of its own.
    public static func transitMessagePack(_ options: TransitOptions, named name: String) -> WireFormat {
        transit(.messagePack, options, named: name)
    }

    private static func transit(
        _ mode: TransitWriter.Mode, _ options: TransitOptions, named name: String
    ) -> WireFormat {
        WireFormat(name: name, isBinary: mode == .messagePack) { value, bytes, limits throws(WireError) in
            var writer = TransitWriter(mode: mode, options: options, limits: limits)
            try writer.write(value)
            writer.output.sink.copy(to: &bytes)
        } decode: { bytes, limits throws(WireError) in
            mode == .messagePack
                ? try TransitMessagePackReader(bytes, options, limits).read()
                : try TransitJSONReader(bytes, options, limits).read()
        }
    }
}
