// SPDX-License-Identifier: Apache-2.0

/// What the writers of all formats share: the walk through a value, without recursion and in the order of insertion.
protocol ValueWriter: ~Copyable {
    /// What kinds of collections the format writes.
    associatedtype Kind: ValueWriterKind

    /// The collections that are being written, the innermost last.
    var open: OpenCollections<Kind> { get set }

    /// Writes a value that stands alone, or begins it.
    mutating func emit(_ value: Value) throws(WireError)

    /// Writes an item of a collection and what parts it from the item before: a scalar whole, of a collection the
    /// beginning, which is then in `open`.
    mutating func write(_ item: borrowing ValueInPlace, at position: Int, of kind: Kind) throws(WireError)

    /// Writes the end of a collection.
    mutating func end(_ kind: Kind)
}

protocol ValueWriterKind {
    /// Whether its items are keys and values in turns.
    var isMap: Bool { get }
    /// Whether it holds one value, to which the path is no longer than to the tag.
    var isTag: Bool { get }
}

extension ValueWriterKind {
    var isTag: Bool { false }
}

/// The collections that a writer has begun and not ended.
struct OpenCollections<Kind: ValueWriterKind> {
    struct Collection {
        let items: [Value]
        let kind: Kind
        /// How many items have been begun.
        var begun = 0
    }

    private let limits: WireLimits
    fileprivate(set) var collections: [Collection] = []

    init(limits: WireLimits) {
        self.limits = limits
    }

    var isFull: Bool { collections.count >= limits.maximumDepth }

    /// Begins a collection where depth and size allow it.
    mutating func begin(_ items: [Value], _ kind: Kind, written: Int) throws(WireError) {
        guard !isFull else {
            throw WireError(.tooDeep, "The value is nested deeper than \(limits.maximumDepth).")
        }
        guard written <= limits.maximumBytes else {
            throw WireError(.tooLarge, "The document would have more than \(limits.maximumBytes) bytes.")
        }
        if collections.isEmpty { collections.reserveCapacity(8) }
        collections.append(Collection(items: items, kind: kind))
    }

    /// The error with the keys and indices that lead to what is being written before its own.
    fileprivate func located(_ error: WireError) -> WireError {
        guard error.kind != .tooDeep, error.kind != .tooLarge else { return error }
        let steps: [Value] = collections.compactMap { collection in
            guard collection.begun > 0, !collection.kind.isTag else { return nil }
            let position = collection.begun - 1
            return collection.kind.isMap ? collection.items[position & ~1] : .integer(Int64(position))
        }
        return WireError(error.kind, error.message, offset: error.offset, path: steps + error.path)
    }
}

extension ValueWriter where Self: ~Copyable {
    mutating func write(_ value: Value) throws(WireError) {
        do throws(WireError) {
            try emit(value)
            while let innermost = open.collections.last {
                let depth = open.collections.count
                try innermost.items.lend { items throws(WireError) in
                    try writeItems(items, from: innermost.begun, of: innermost.kind, at: depth)
                }
            }
        } catch {
            throw open.located(error)
        }
    }

    /// Writes items until one is a collection that has been begun, or the end.
    @inline(__always)
    private mutating func writeItems(
        _ items: UnsafeBufferPointer<ValueInPlace>, from start: Int, of kind: Kind, at depth: Int
    ) throws(WireError) {
        var position = start
        while position < items.count {
            do throws(WireError) {
                try write(items[position], at: position, of: kind)
            } catch {
                open.collections[depth - 1].begun = position + 1
                throw error
            }
            position += 1
            if open.collections.count > depth {
                open.collections[depth - 1].begun = position
                return
            }
        }
        end(kind)
        open.collections.removeLast()
    }
}
