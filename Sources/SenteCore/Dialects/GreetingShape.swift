// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Whose first message this is, by the shape of its value.
enum GreetingShape: Equatable {
    /// A map with a `type`, in whatever order its fields come.
    case maps(keywords: Bool)
    /// `[id data]`: a handshake, or whatever the server said before it.
    case liteVectors
    /// `[[:chsk/handshake …] nil]`, with or without the second element.
    case sente
    /// Either kind of vectors with a text where the id is due.
    case namesAsText

    var dialect: Dialect? {
        switch self {
        case .maps: .senteLiteMaps
        case .liteVectors: .senteLiteVectors
        case .sente: .sente
        case .namesAsText: nil
        }
    }

    /// Reads the message in one format; nil when it is none, with the problem, or of no known shape.
    ///
    /// Throws when the message unfolds to more than may come.
    init?(
        _ message: Message, _ format: WireFormat, _ sizes: SizeLimits, _ problem: inout String?
    ) throws(UnreadableError) {
        let envelope = SenteVectors.Envelope(message)
        guard format.isBinary == (message.kind == .binary) else { return nil }
        do throws(WireError) {
            let value = try format.decode(message.bytes[envelope.prefix...], limits: sizes.reading)
            self.init(envelope.isBare ? [value] : value)
        } catch {
            if error.kind == .tooLarge { throw .tooLarge(format.name, sizes) }
            problem = "as \(format.name): \(error)"
            return nil
        }
        // What has the prefix is Sente's, or nobody's.
        if envelope.prefix > 0, self != .sente { return nil }
    }

    private init?(_ value: Value) {
        if let frame = MapFrame(value) {
            guard frame.text(.type) != nil else { return nil }
            self = .maps(keywords: frame.map[MapField.type.keyword] != nil)
            return
        }
        guard let items = value.arrayValue, items.count == 1 || items.count == 2 else { return nil }
        switch items[0] {
        case .keyword(let id) where id.namespace != nil:
            if id == VectorWord.handshake, Identity(handshake: value[1] ?? .null) == nil { return nil }
            // Sente's ping comes with nothing behind it.
            self = id == VectorWord.ping && items.count == 2 ? .sente : .liteVectors
        case .vector(let inner), .list(let inner):
            if Self.isHandshakeAsText(inner) {
                self = .namesAsText
                return
            }
            guard inner.first?.keywordValue == VectorWord.handshake, inner.count == 2,
                Identity(handshake: inner[1]) != nil
            else { return nil }
            self = .sente
        case .string where Self.isHandshakeAsText(items): self = .namesAsText
        default: return nil
        }
    }

    private static func isHandshakeAsText(_ items: [Value]) -> Bool {
        items.first?.stringValue == VectorWord.handshake.text
    }
}
