// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// When data goes by way of a storage: it is stored, and a `LargeDataReference` is sent in its place.
///
/// ```swift
/// var configuration = SenteClient.Configuration()
/// configuration.largeData = LargeDataPolicy(
///     storage: try FileStorage(directory: "/srv/shared/large"), delivery: .automatic)
/// ```
///
/// It concerns the data of what is published, requested and sent as an event. Answers and durable messages go as they are.
/// While data is stored, what follows it on its channel waits, unless it is more urgent; all else goes on.
public struct LargeDataPolicy: Sendable {
    /// What becomes of a reference that comes.
    public enum Delivery: Sendable, Hashable {
        /// It is the data, and the app fetches it when it wants: `LargeDataReference(message.data)`, `client.fetch(_:)`.
        case manual
        /// What it names is fetched first; what follows it on its channel waits. If that fails, the reference is the data.
        ///
        /// What a server kept and hands over at a subscription comes as with `manual`.
        case automatic
    }

    /// Where data is stored, and fetched from.
    public var storage: any LargeDataStorage
    /// From which size on data is stored, in bytes as `Value.weight` counts; `.max` stores nothing, and only fetches.
    ///
    /// The default is 10 MiB.
    public var referenceFrom: Int
    /// The largest data that is stored or fetched, in bytes; more than that is not under way at once either.
    ///
    /// The default is 64 MiB.
    public var maximumBytes: Int
    /// How long storing or fetching may take; the time limit of a call holds as well.
    ///
    /// The default is 60 s.
    public var timeout: Duration
    /// What becomes of a reference that comes.
    ///
    /// The default is `.manual`.
    public var delivery: Delivery

    /// Makes a policy; what is left out has its default.
    public init(
        storage: any LargeDataStorage, referenceFrom: Int = 10 << 20, maximumBytes: Int = 64 << 20,
        timeout: Duration = .seconds(60), delivery: Delivery = .manual
    ) {
        self.storage = storage
        self.referenceFrom = referenceFrom
        self.maximumBytes = maximumBytes
        self.timeout = timeout
        self.delivery = delivery
    }
}

extension LargeDataPolicy {
    /// What the session is told.
    var settings: LargeDataSettings {
        LargeDataSettings(
            referenceFrom: referenceFrom, maximumBytes: maximumBytes, timeout: timeout,
            isAutomatic: delivery == .automatic)
    }

    /// Refuses what makes no sense.
    func check() throws(SenteError) {
        guard referenceFrom >= 1 else {
            throw SenteError(
                .invalidArgument, "`largeData.referenceFrom` is \(referenceFrom): give at least 1.")
        }
        guard (1...Self.most).contains(maximumBytes) else {
            throw SenteError(
                .invalidArgument, "`largeData.maximumBytes` is \(maximumBytes): give 1 to \(Self.most).")
        }
        guard timeout > .zero else {
            throw SenteError(.invalidArgument, "`largeData.timeout` is \(timeout): give more than 0.")
        }
        guard LargeDataReference.isText(storage.name, atMost: 64) else {
            throw SenteError(
                .invalidArgument,
                "The name of `largeData.storage` is \(storage.name.debugDescription): give 1 to 64 bytes of printable text."
            )
        }
    }

    /// 1 TiB.
    private static let most = 1 << 40
}
