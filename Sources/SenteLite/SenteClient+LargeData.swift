// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// Data that went by way of a storage.
extension SenteClient {
    /// Fetches what a reference names from the configured storage, and sees to it that it is what was stored.
    ///
    /// ```swift
    /// for await message in news {
    ///     var data = message.data
    ///     if let reference = LargeDataReference(data) { data = try await client.fetch(reference) }
    ///     show(data)
    /// }
    /// ```
    ///
    /// It needs no connection. The reference is another user's text: nothing but its storage's name and its size is looked at before
    /// the storage is asked. Within `largeData.timeout`; cancelling the task cancels the storage's.
    ///
    /// - Parameter reference: What came in place of the data.
    /// - Returns: The data: bytes, or what `content-type` of the metadata says they are.
    /// - Throws: `timedOut`, `cancelled`, `invalidArgument` without a `largeData` policy; `invalidReference` when it is of another storage, `messageTooLarge`
    ///   when it says more than `largeData.maximumBytes`; `storageFailed` and what else the storage throws; `checksumMismatch` when
    ///   what it has is something else, `undecodable` when that is no value.
    public func fetch(_ reference: LargeDataReference) async throws(SenteError) -> Value {
        let answer = try await call { .fetch($0, reference) }
        guard case .value(let value) = answer else { throw .mismatched(answer) }
        return value
    }
}
