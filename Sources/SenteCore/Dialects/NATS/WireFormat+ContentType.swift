// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// Formats by the media types that messages of NATS name them by.
extension WireFormat {
    static let bytesType = "application/octet-stream"

    private static let byType: [(type: String, format: WireFormat)] = [
        ("application/json", .json), ("application/edn", .edn), ("application/transit+json", .transitJSON),
        ("application/transit+msgpack", .transitMessagePack), ("application/msgpack", .senteMessagePack),
    ]

    /// nil for a type that is none of them; parameters behind it say nothing here.
    init?(contentType: String) {
        let type = contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard let found = Self.byType.first(where: { $0.type == type }) else { return nil }
        self = found.format
    }

    /// What a message of this format is called.
    var contentType: String { Self.byType.first { $0.format == self }?.type ?? "application/\(name)" }
}
