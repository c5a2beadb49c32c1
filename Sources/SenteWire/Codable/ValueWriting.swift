// SPDX-License-Identifier: Apache-2.0

/// One value that is being encoded: the encoder of types and the container of single values in one.
///
/// Containers of it share it, as Codable lets several be asked for (a class and its superclass do).
final class ValueWriting: Encoder, CodingStep {
    private enum Kind {
        case nothing, single, elements, entries
    }

    /// Types that contain themselves for ever end here instead of at the end of the stack.
    private static let maximumDepth = 512

    let plan: EncodingPlan
    let parent: ValueWriting?
    let key: (any CodingKey)?
    private let depth: Int
    private var kind = Kind.nothing
    /// The single value, the elements, or the keys and values in turns.
    private var items: [Value] = []
    /// Containers that were handed out and may still be written to, each with its position in the items.
    private var children: [(position: Int, writing: ValueWriting)] = []

    init(
        plan: EncodingPlan, parent: ValueWriting? = nil, key: (any CodingKey)? = nil, depth: Int = 0
    ) {
        self.plan = plan
        self.parent = parent
        self.key = key
        self.depth = depth
    }

    var userInfo: [CodingUserInfoKey: Any] { plan.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        begin(.entries, "a map")
        return KeyedEncodingContainer(KeyedWriting<Key>(writing: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        begin(.elements, "a sequence")
        return UnkeyedWriting(writing: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        SingleWriting(writing: self)
    }

    /// The encoder one step below.
    private func child(_ key: any CodingKey) -> ValueWriting {
        ValueWriting(plan: plan, parent: self, key: key, depth: depth + 1)
    }

    /// The value of something Encodable that stands one step below, or here if there is no key.
    func encoded<T: Encodable>(_ value: T, _ key: (any CodingKey)?) throws -> Value {
        if let plain = Self.plain(value) { return plain }
        let below =
            key.map(child) ?? ValueWriting(plan: plan, parent: parent, key: self.key, depth: depth + 1)
        if let bridged = try below.bridged(value) { return bridged }
        guard below.depth <= Self.maximumDepth else {
            throw EncodingError.invalidValue(
                value, below.context("The value is nested deeper than \(Self.maximumDepth)."))
        }
        try value.encode(to: below)
        return below.finished
    }

    /// The value of a type that needs no container: values themselves, and what sequences mostly hold.
    ///
    /// The types are the same, so the bits are; a cast would look the type up anew for every element.
    private static func plain<T: Encodable>(_ value: T) -> Value? {
        if T.self == String.self { return .string(unsafeBitCast(value, to: String.self)) }
        if T.self == Int.self { return .integer(Int64(unsafeBitCast(value, to: Int.self))) }
        if T.self == Double.self { return .double(unsafeBitCast(value, to: Double.self)) }
        if T.self == Value.self { return unsafeBitCast(value, to: Value.self) }
        if T.self == Keyword.self { return .keyword(unsafeBitCast(value, to: Keyword.self)) }
        return nil
    }

    /// What was written; nothing at all counts as an empty map.
    var finished: Value {
        for (position, child) in children { items[position] = child.finished }
        return switch kind {
        case .nothing: .map(ValueMap())
        case .single: items[0]
        case .elements: .vector(items)
        case .entries: .map(ValueMap(items: items))
        }
    }

    func context(_ message: String) -> EncodingError.Context {
        EncodingError.Context(codingPath: codingPath, debugDescription: message)
    }
}

extension ValueWriting {
    var elementCount: Int { items.count }

    func set(_ value: Value) {
        guard kind == .nothing else { return misused("a single value") }
        kind = .single
        items = [value]
    }

    func append(_ value: Value) {
        guard kind == .elements else { return }
        items.append(value)
    }

    func append(_ key: Value, _ value: Value) {
        guard kind == .entries else { return }
        items.append(key)
        items.append(value)
    }

    /// What is already being written under a key, so that asking twice adds to one container.
    func writing(under key: Value) -> ValueWriting? {
        guard kind == .entries else { return nil }
        return children.last { items[$0.position - 1] == key }?.writing
    }

    private func begin(_ wanted: Kind, _ name: String) {
        if kind == .nothing {
            kind = wanted
        } else if kind != wanted {
            misused(name)
        }
    }

    /// The encoder one step below, whose result replaces the value appended last.
    ///
    /// If that is too deep, the whole is refused.
    func below(_ key: any CodingKey) -> ValueWriting {
        let below = child(key)
        if below.depth > Self.maximumDepth, plan.error == nil {
            plan.error = .invalidValue(
                key, context("There are containers deeper than \(Self.maximumDepth)."))
        }
        // After an error what was appended may not be here, and nothing will be read.
        if plan.error == nil { children.append((items.count - 1, below)) }
        return below
    }

    private func misused(_ wanted: String) {
        guard plan.error == nil else { return }
        let message = "The type asked for \(wanted) after it had begun to write something else."
        plan.error = .invalidValue(finished, context(message))
    }
}
