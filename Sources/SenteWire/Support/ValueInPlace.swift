// SPDX-License-Identifier: Apache-2.0

/// A value where it lies in an array.
///
/// It cannot be copied, so looking at it changes no reference count; two changes for every value were a third of a
/// writer's time.
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
