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
    func lend<Result, Problem: Error>(
        _ body: (UnsafeBufferPointer<ValueInPlace>) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        try withUnsafeBufferPointer { items throws(Problem) in
            try items.withMemoryRebound(to: ValueInPlace.self, body)
        }
    }
}
