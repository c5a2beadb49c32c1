// SPDX-License-Identifier: Apache-2.0

/// A value where it lies in an array.
///
/// What cannot be copied is not counted either: a writer that looks at values in place saves two changes of a
/// reference count for every one, a third of its time.
struct ValueInPlace: ~Copyable {
    let value: Value
}

extension [Value] {
    /// Lends the elements in place.
    @inline(__always)
    func lend(
        _ body: (UnsafeBufferPointer<ValueInPlace>) throws(WireError) -> Void
    ) throws(WireError) {
        try withUnsafeBufferPointer { items throws(WireError) in
            try items.withMemoryRebound(to: ValueInPlace.self, body)
        }
    }
}
