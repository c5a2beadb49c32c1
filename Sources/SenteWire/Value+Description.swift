// SPDX-License-Identifier: Apache-2.0

extension Value: CustomStringConvertible {
    /// The value as EDN, in the order of insertion; what is nested deeper than 512 is written as `…`.
    public var description: String {
        var text = ""
        write(to: &text, depth: 0)
        return text
    }

    private func write(to text: inout String, depth: Int) {
        switch self {
        case .list(let items): Self.write(items, "(", ")", to: &text, depth: depth)
        case .vector(let items): Self.write(items, "[", "]", to: &text, depth: depth)
        case .set(let set): Self.write(set.items, "#{", "}", to: &text, depth: depth)
        case .map(let map): Self.write(map.items, "{", "}", isMap: true, to: &text, depth: depth)
        case .tagged(let tag, let value):
            text += "#\(tag) "
            guard depth < 512 else { return text += "…" }
            value.write(to: &text, depth: depth + 1)
        default: text += scalarText
        }
    }

    private static func write(
        _ items: [Value], _ open: String, _ close: String, isMap: Bool = false, to text: inout String,
        depth: Int
    ) {
        guard depth < 512 else { return text += "…" }
        text += open
        for (position, item) in items.enumerated() {
            if position > 0 { text += isMap && position % 2 == 0 ? ", " : " " }
            item.write(to: &text, depth: depth + 1)
        }
        text += close
    }

    /// What holds no other value.
    private var scalarText: String {
        switch self {
        case .null: "nil"
        case .bool(let bool): bool ? "true" : "false"
        case .integer(let integer): String(integer)
        case .bigInteger(let integer): "\(integer)N"
        case .double(let double): Self.text(of: double)
        case .decimal(let decimal): "\(decimal)M"
        case .ratio(let ratio): ratio.description
        case .string(let text): Self.quoted(text)
        case .character(let scalar): Self.text(of: scalar)
        case .keyword(let keyword): keyword.description
        case .symbol(let symbol): symbol.description
        case .bytes(let bytes): "#bytes \"\(Base64.text(bytes))\""
        case .instant(let instant): "#inst \"\(instant.description.dropLast())-00:00\""
        case .uuid(let id): "#uuid \"\(id)\""
        case .uri(let text): "#uri \(Self.quoted(text))"
        case .list, .vector, .map, .set, .tagged: ""
        }
    }

    private static func text(of double: Double) -> String {
        if double.isNaN { return "##NaN" }
        if double.isInfinite { return double < 0 ? "##-Inf" : "##Inf" }
        return double.description
    }

    private static func text(of scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\newline"
        case "\r": "\\return"
        case " ": "\\space"
        case "\t": "\\tab"
        case "\u{8}": "\\backspace"
        case "\u{C}": "\\formfeed"
        default: "\\\(scalar)"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
