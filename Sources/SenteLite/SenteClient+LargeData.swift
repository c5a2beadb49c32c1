// SPDX-License-Identifier: Apache-2.0

public import SenteCore
import SenteTransport
public import SenteWire

/// Data that went by way of a storage.
extension SenteClient {
    /// Fetches what a reference names from the configured storage, and sees to it that it is what was stored.
    ///
    /// ```swift
    /// for await message in news {
    ///     let data = if let reference = LargeDataReference(message.data) { try await client.fetch(reference) } else { message.data }
    ///     show(data)
    /// }
    /// ```
    ///
    /// It needs no connection. The reference is another user's text: nothing but its storage's name and its size is looked at before
    /// the storage is asked. Cancelling the task cancels the storage's.
    ///
    /// - Parameter reference: What came in place of the data.
    /// - Returns: The data: bytes, or what `content-type` of the metadata says they are.
    /// - Throws: `invalidArgument` without a `largeData` policy; `invalidReference` when it is of another storage, `messageTooLarge`
    ///   when it says more than `largeData.maximumBytes`; `storageFailed` and what else the storage throws; `checksumMismatch` when
    ///   what it has is something else, `undecodable` when that is no value.
    public func fetch(_ reference: LargeDataReference) async throws(SenteError) -> Value {
        guard let policy = configuration.largeData else {
            throw counted(
                SenteError(
                    .invalidArgument,
                    "There is no storage to fetch from: give the configuration a `largeData`."))
        }
        let start = host.now.instant
        do throws(SenteError) {
            let value = try await LargeDataDesk(policy, for: configuration).fetch(reference)
            let time = start.duration(to: host.now.instant)
            driver.submissions.note(.largeData(.fetched(bytes: reference.size, time)))
            return value
        } catch {
            driver.submissions.note(.largeData(.failed(error)))
            throw error
        }
    }
}
