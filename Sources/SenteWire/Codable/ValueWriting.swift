// SPDX-License-Identifier: Apache-2.0

/// One value that is being encoded: the encoder of types and the container of single values in one.
///
/// Containers of it share it, as Codable lets several be asked for (a class and its superclass do).
final class ValueWriting: Encoder, CodingStep {
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
    let parent: ValueWriting?
    let key: (any CodingKey)?
    private let depth: Int
    private var content = Content.nothing

    init(plan: EncodingPlan) {
        self.plan = plan
        parent = nil
        key = nil
        depth = 0
    }

    /// What is written in the place of another: what a single value container was given.
    private init(replacing other: ValueWriting) {
        plan = other.plan
        parent = other.parent
        key = other.key
        depth = other.depth + 1
    }

    /// What is to be written one step below another.
    init(_ parent: ValueWriting, _ key: any CodingKey) {
        plan = parent.plan
        self.parent = parent
        self.key = key
        depth = parent.depth + 1
    }

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

    /// The value of something Encodable that stands one step below, or here if there is no key.
    func encoded<T: Encodable>(_ value: T, _ key: (any CodingKey)?) throws -> Value {
        if let plain = Self.plain(value) { return plain }
        let below = key.map { ValueWriting(self, $0) } ?? ValueWriting(replacing: self)
        if let bridged = try below.bridged(value) { return bridged }
        guard below.depth <= Self.maximumDepth else {
            throw EncodingError.invalidValue(
                value, below.context("The value is nested deeper than \(Self.maximumDepth)."))
        }
        try value.encode(to: below)
        return below.finished
    }

    /// What needs no containers: values themselves, and what sequences mostly hold.
    private static func plain<T: Encodable>(_ value: T) -> Value? {
        if T.self == String.self { return (value as? String).map(Value.string) }
        if T.self == Int.self { return (value as? Int).map { Value($0) } }
        if T.self == Double.self { return (value as? Double).map(Value.double) }
        if T.self == Value.self { return value as? Value }
        if T.self == Keyword.self { return (value as? Keyword).map(Value.keyword) }
        return nil
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

    func context(_ message: String) -> EncodingError.Context {
        EncodingError.Context(codingPath: codingPath, debugDescription: message)
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
        let below = ValueWriting(self, key)
        if below.depth <= Self.maximumDepth {
            attach(below)
        } else if plan.failure == nil {
            plan.failure = .invalidValue(
                key, context("There are containers deeper than \(Self.maximumDepth)."))
        }
        return below
    }

    private func misused(_ wanted: String) {
        guard plan.failure == nil else { return }
        let message = "The type asked for \(wanted) after it had begun to write something else."
        plan.failure = .invalidValue(finished, context(message))
    }
}
