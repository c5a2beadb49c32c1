// SPDX-License-Identifier: Apache-2.0

/// One value that is being encoded: the encoder of types and the container of single values in one.
///
/// Containers of it share it, as Codable lets several be asked for (a class and its superclass do).
final class ValueWriting: Encoder {
    /// A value, or one that somebody may still be writing.
    enum Element {
        case value(Value)
        case writing(ValueWriting)
    }

    private enum Content {
        case nothing
        case single(Value)
        case elements([Element])
        case entries([(key: Value, element: Element)])
    }

    /// Types that contain themselves for ever end here instead of at the end of the stack.
    private static let maximumDepth = 512

    let plan: EncodingPlan
    let path: CodingPath?
    private var content = Content.nothing

    init(plan: EncodingPlan, path: CodingPath?) {
        self.plan = plan
        self.path = path
    }

    var codingPath: [any CodingKey] { CodingPath.keys(path) }
    var userInfo: [CodingUserInfoKey: Any] { plan.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        beginEntries()
        return KeyedEncodingContainer(KeyedWriting<Key>(writing: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        beginElements()
        return UnkeyedWriting(writing: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        SingleWriting(writing: self)
    }

    /// The value of something Encodable that stands here or, given a key, one step below.
    func encoded<T: Encodable>(_ value: T, _ key: (any CodingKey)? = nil) throws -> Value {
        if T.self == Value.self, let value = value as? Value { return value }
        if T.self == Keyword.self, let keyword = value as? Keyword { return .keyword(keyword) }
        let below = key.map { CodingPath(path, $0) } ?? path
        if let bridged = try Self.bridged(value, below) { return bridged }
        guard (below?.depth ?? 0) <= Self.maximumDepth else {
            throw EncodingError.invalidValue(
                value, Self.context(below, "The value is nested deeper than \(Self.maximumDepth)."))
        }
        let writing = ValueWriting(plan: plan, path: below)
        try value.encode(to: writing)
        return writing.finished
    }

    /// What was written; nothing at all counts as an empty map.
    var finished: Value {
        switch content {
        case .nothing: .map(ValueMap())
        case .single(let value): value
        case .elements(let elements): .vector(elements.map(Self.finished))
        case .entries(let entries):
            .map(ValueMap(entries.lazy.map { ($0.key, Self.finished($0.element)) }))
        }
    }

    private static func finished(_ element: Element) -> Value {
        switch element {
        case .value(let value): value
        case .writing(let writing): writing.finished
        }
    }

    static func context(_ path: CodingPath?, _ message: String) -> EncodingError.Context {
        EncodingError.Context(codingPath: CodingPath.keys(path), debugDescription: message)
    }
}

extension ValueWriting {
    var elementCount: Int {
        if case .elements(let elements) = content { elements.count } else { 0 }
    }

    func beginElements() {
        switch content {
        case .nothing: content = .elements([])
        case .elements: break
        case .single, .entries: misused("a sequence")
        }
    }

    func beginEntries() {
        switch content {
        case .nothing: content = .entries([])
        case .entries: break
        case .single, .elements: misused("a map")
        }
    }

    func set(_ value: Value) {
        guard case .nothing = content else { return misused("a single value") }
        content = .single(value)
    }

    func append(_ element: Element) {
        guard case .elements(var elements) = content else { return }
        content = .nothing
        elements.append(element)
        content = .elements(elements)
    }

    func append(_ key: Value, _ element: Element) {
        guard case .entries(var entries) = content else { return }
        content = .nothing
        entries.append((key, element))
        content = .entries(entries)
    }

    /// What is already being written under a key, so that asking twice adds to one container.
    func writing(under key: Value) -> ValueWriting? {
        guard case .entries(let entries) = content, let entry = entries.last(where: { $0.key == key }),
            case .writing(let writing) = entry.element
        else { return nil }
        return writing
    }

    /// What is to be written one step below: detached, and the whole refused, where it would be too deep.
    func below(_ key: any CodingKey, attach: (ValueWriting) -> Void) -> ValueWriting {
        let below = ValueWriting(plan: plan, path: CodingPath(path, key))
        if (below.path?.depth ?? 0) <= Self.maximumDepth {
            attach(below)
        } else {
            plan.failure =
                plan.failure
                ?? .invalidValue(
                    key, Self.context(path, "There are containers deeper than \(Self.maximumDepth)."))
        }
        return below
    }

    private func misused(_ wanted: String) {
        plan.failure =
            plan.failure
            ?? .invalidValue(
                finished,
                Self.context(path, "The type asked for \(wanted) after it had begun to write something else.")
            )
    }
}
