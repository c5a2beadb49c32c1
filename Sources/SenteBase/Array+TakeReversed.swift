// SPDX-License-Identifier: Apache-2.0

extension Array {
    /// Takes everything out, in reverse, to be taken from the end one by one.
    ///
    /// Each element is moved, where `reverse()` and `for` copy it. Inlined for the reason that `Queue` is.
    @inlinable
    package mutating func takeReversed() -> [Element] {
        var reversed: [Element] = []
        reversed.reserveCapacity(count)
        while let element = popLast() { reversed.append(element) }
        return reversed
    }
}
