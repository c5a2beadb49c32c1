// SPDX-License-Identifier: Apache-2.0

/// A value of the process that is made when it is first asked for.
///
/// A failure is told and not remembered: what was missing may be there next time.
package final class MadeOnce<Value>: @unchecked Sendable {
    private let lock = Lock()
    private var value: Value?

    package init() {}

    /// The value, which `make` makes if it is not there yet.
    package func get<Failure: Error>(_ make: () throws(Failure) -> Value) throws(Failure) -> Value {
        try lock.withLock { () throws(Failure) in
            if let value { return value }
            let made = try make()
            value = made
            return made
        }
    }

    /// The same as a result.
    package func result<Failure: Error>(
        _ make: () throws(Failure) -> Value
    ) -> Result<Value, Failure> {
        Result { () throws(Failure) in try get(make) }
    }
}
