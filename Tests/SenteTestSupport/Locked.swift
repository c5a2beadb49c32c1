// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A value that threads share.
///
/// The thread sanitizer sees the lock, as it does not see `Synchronization.Mutex`.
package final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    package init(_ value: sending Value) {
        self.value = value
    }

    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
