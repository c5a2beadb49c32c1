// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What of a session waits for its storage, on its way out and in.
struct LargeData: Sendable {
    /// A message whose data is being stored, or that must not overtake one.
    struct Send: Sendable {
        var call: CallID
        var outbound: Outbound
        var options: SendOptions
        /// Its data could not be stored.
        var hasFailed = false
    }

    /// Something that came with a reference, or behind one.
    struct Arrival: Sendable {
        var inbound: Inbound
        var size: Int
    }

    let settings: LargeDataSettings
    var sends = StorageLine<Send>()
    var arrivals = StorageLine<Arrival>()
    /// What the app fetches by hand; none waits for another.
    var fetches = StorageLine<CallID>()
    private var lastID: UInt64 = 0

    init(_ settings: LargeDataSettings) {
        self.settings = settings
    }

    /// When the first work under way has taken too long.
    var deadline: Instant? {
        [sends.oldestStart, arrivals.oldestStart, fetches.oldestStart].compactMap { $0 }.min()?
            .advanced(by: settings.timeout)
    }

    /// Work that has taken too long.
    func overdue(at now: Instant) -> StorageID? {
        sends.overdue(at: now, after: settings.timeout) ?? arrivals.overdue(at: now, after: settings.timeout)
            ?? fetches.overdue(at: now, after: settings.timeout)
    }

    /// All work that may begin.
    ///
    /// `load` says how much whoever gets something has not consumed: no more is fetched for it than an inbox holds, for what is
    /// handed over beyond that is lost.
    mutating func begin(
        at now: Instant, roomOfInbox room: Int, load: (Inbound) -> Int
    ) -> [(StorageID, StorageWork)] {
        let limit = settings.maximumBytes
        var begun: [(StorageID, StorageWork)] = []
        while true {
            let id = StorageID(lastID + 1)
            guard
                let work = sends.begin(as: id, within: limit, at: now)
                    ?? fetches.begin(as: id, within: limit, at: now)
                    ?? arrivals.begin(
                        as: id, within: limit, at: now,
                        if: { arrival, weight, begun in
                            let before = load(arrival.inbound) + begun
                            return before == 0 || weight <= room - before
                        })
            else { return begun }
            lastID += 1
            begun.append((id, work))
        }
    }
}

/// What happened with a storage.
package enum LargeDataSignal: Hashable, Sendable {
    /// The data of a message was stored, in so long.
    case stored(bytes: Int, Duration)
    /// What a reference names was fetched, in so long.
    case fetched(bytes: Int, Duration)
    /// It could not be stored or fetched; in the latter case the reference was handed over as it came.
    case failed(SenteError)
}
