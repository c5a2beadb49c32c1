// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport
import SenteWire

/// Stores and fetches for one client, and trusts neither storage nor reference.
///
/// A class, for it never changes and few clients have one.
final class LargeDataDesk: Sendable {
    private let storage: any LargeDataStorage
    private let maximumBytes: Int

    /// The storage of a client's configuration; over HTTP it goes as the client does, unless it was told otherwise.
    init(_ policy: LargeDataPolicy, for configuration: SenteClient.Configuration) {
        storage = (policy.storage as? HTTPStorage)?.completed(by: configuration) ?? policy.storage
        maximumBytes = policy.maximumBytes
    }

    func outcome(of work: StorageWork) async -> StorageOutcome {
        do throws(SenteError) {
            switch work {
            case .store(let value): return .stored(try await store(value))
            case .fetch(let reference): return .fetched(try await fetch(reference))
            }
        } catch {
            return .failed(error)
        }
    }

    /// Stores a value.
    func store(_ value: Value) async throws(SenteError) -> LargeDataReference {
        let content = try LargeDataContent(of: value, limit: maximumBytes)
        let sha256 = DigestFunction.system.digest(of: content.bytes[...])
        let metadata = [LargeDataContent.typeKey: content.type]
        let name: String
        do {
            let digits = ["sha256": Base16.text(sha256)]
            name = try await storage.store(content.bytes, metadata: metadata.merging(digits) { $1 })
        } catch {
            throw SenteError(ofStorage: error, "The data could not be stored.").with(outcome: .notSent)
        }
        guard LargeDataReference.isText(name, atMost: LargeDataReference.maximumReference) else {
            throw SenteError(
                .storageFailed,
                "The storage “\(storage.name)” gave a reference that cannot be sent: it must be 1 to "
                    + "\(LargeDataReference.maximumReference) bytes without control characters.",
                outcome: .notSent)
        }
        return LargeDataReference(
            storage: storage.name, reference: name, size: content.bytes.count, sha256: sha256,
            metadata: metadata)
    }

    /// Fetches what a reference names, if it is of this storage and what it says is true.
    func fetch(_ reference: LargeDataReference) async throws(SenteError) -> Value {
        guard reference.storage == storage.name else {
            throw SenteError(
                .invalidReference,
                "A reference is of the storage \(reference.storage.debugDescription), and this client has "
                    + "\(storage.name.debugDescription): configure both ends with the same.")
        }
        guard reference.size <= maximumBytes else {
            throw .tooLargeToFetch(reference.size, limit: maximumBytes)
        }
        let bytes: [UInt8]
        do {
            bytes = try await storage.fetch(reference, limit: reference.size)
        } catch {
            throw SenteError(ofStorage: error, "What a reference names could not be fetched.")
        }
        guard bytes.count == reference.size else {
            throw SenteError(
                .checksumMismatch,
                "The storage has \(bytes.count) bytes where a reference says \(reference.size): it is not what was stored."
            )
        }
        guard DigestFunction.system.digest(of: bytes[...]) == reference.sha256 else {
            throw SenteError(
                .checksumMismatch, "What the storage has is not what was stored: its SHA-256 is another.")
        }
        return try LargeDataContent.value(of: bytes, type: reference.metadata[LargeDataContent.typeKey])
    }
}

extension SenteError {
    /// What a storage threw; errors of this package's own say enough.
    fileprivate init(ofStorage error: any Error, _ what: String) {
        if let error = error as? SenteError {
            self = error
        } else if error is CancellationError {
            self.init(.cancelled, "\(what) The task was cancelled.")
        } else {
            self.init(
                .storageFailed, "\(what) The storage must be seen to.", underlying: String(describing: error))
        }
    }
}
