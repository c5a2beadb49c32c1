// SPDX-License-Identifier: Apache-2.0

/// The keys that a call site's signals give their data, in their order, each with its finished bytes.
struct KnownKeys {
    private struct Key {
        var address: UInt
        var count: Int
        var piece: LinePiece
    }

    private let start: UnsafeMutablePointer<Key>
    let count: Int

    init(_ keys: [SignalRecord.Text], _ pieces: ArraySlice<LinePiece>) {
        let start = UnsafeMutablePointer<Key>.allocate(capacity: keys.count)
        for (index, (key, piece)) in zip(keys, pieces).enumerated() {
            (start + index).initialize(
                to: Key(address: UInt(bitPattern: key.baseAddress), count: key.count, piece: piece))
        }
        (self.start, count) = (start, keys.count)
    }

    func deallocate() { start.deallocate() }

    @inline(__always)
    subscript(index: Int) -> LinePiece { start[index].piece }

    /// Whether a record of the site has these keys and nothing else, and its values stand in it.
    @inline(__always)
    func areKeys(of record: SignalRecord) -> Bool {
        guard !record.hasMoreThanData else { return false }
        var index = 0
        for field in record.fieldsBehindHead {
            guard index < count, field.hasKey(at: start[index].address, count: start[index].count),
                field.hasValueInPlace
            else { return false }
            index &+= 1
        }
        return index == count
    }
}

extension SignalRecord {
    /// The keys of all fields, if it has nothing but data under keys that differ and stand where they stay.
    var lastingKeys: [Text] {
        guard !hasMoreThanData else { return [] }
        let keys = fields.map(\.key)
        let areDistinct = keys.indices.allSatisfy { index in
            !keys[..<index].contains { $0.elementsEqual(keys[index]) }
        }
        return areDistinct && fields.allSatisfy(\.hasLastingKey) ? keys : []
    }
}
