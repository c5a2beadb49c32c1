// SPDX-License-Identifier: Apache-2.0

/// A value that one loop or one task sets and reads, or that is passed on with something that orders it.
package final class Box<Value>: @unchecked Sendable {
    package var value: Value

    package init(_ value: Value) {
        self.value = value
    }
}
