// SPDX-License-Identifier: Apache-2.0

extension EDNReader {
    /// What a tag makes of its value.
    mutating func tagged(_ tag: Name, _ value: Value) throws(ReadingError) -> Value {
        if let reader = options.readers[tag.text] { return try read(value, with: reader, at: tag.offset) }
        switch (tag.text, value) {
        case ("inst", .string(let text)):
            guard let instant = Timestamp(text, mayBePartial: true) else {
                throw ReadingError(
                    "The text under #inst is no date, as 2026-11-21T10:00:00.000-00:00 is.", at: tag.offset)
            }
            return .instant(instant)
        case ("uuid", .string(let text)):
            guard let id = UniqueID(text) else {
                throw ReadingError(
                    "The text under #uuid is not 8-4-4-4-12 hexadecimal digits.", at: tag.offset)
            }
            return .uuid(id)
        case ("inst", _), ("uuid", _):
            throw ReadingError("Under #inst and #uuid stands text.", at: tag.offset)
        case ("bytes", .string(let text)):
            return Base64.bytes(text).map(Value.bytes) ?? .tagged(tag.text, value)
        case ("uri", .string(let text)): return .uri(text)
        default: return .tagged(tag.text, value)
        }
    }

    /// Whether a tag makes of the value another than `.tagged`, or refuses it.
    static func hasMeaning(_ tag: String, _ value: Value) -> Bool {
        switch (tag, value) {
        case ("inst", _), ("uuid", _), ("uri", .string): true
        case ("bytes", .string(let text)): Base64.bytes(text) != nil
        default: false
        }
    }

    private mutating func read(
        _ value: Value, with reader: EDNOptions.Reader, at offset: Int
    ) throws(ReadingError) -> Value {
        do {
            return try reader(value)
        } catch {
            var error = WireError(error, from: "tag's reader", kind: .malformed)
            error.offset = offset
            refusal = error
            throw ReadingError("The tag's reader refused.", error.kind, at: offset)
        }
    }
}
