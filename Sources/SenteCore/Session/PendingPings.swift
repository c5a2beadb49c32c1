// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Our pings on one link that are not answered.
///
/// A pong says by its stamp which it answers; of servers that leave that out (`areStamped`), it answers the oldest.
struct PendingPings: Sendable {
    struct Ping: Sendable {
        var call: CallID?
        var sentAt: Instant
        /// Up to where its pong clears.
        var limit: UInt64?
    }

    /// How many pings behind which no call stands are remembered; a later one proves what an earlier one would have.
    private static let maximumOwn = 256
    /// How many pings without stamps may be out; the pongs of those beyond are not told apart.
    private static let maximumUnstamped = 1_024

    private let areStamped: Bool
    private var pings: [Int64: Ping] = [:]
    /// The last of those behind which no call stands.
    private var own = Queue<Int64>()
    /// Those without stamps in the order of writing, with up to where their pongs clear.
    private var unstamped = Queue<(stamp: Int64, limit: UInt64)>()
    private var uncounted = 0
    /// Up to where a ping that is out will clear.
    private(set) var fencedUpTo: UInt64 = 0

    init(areStamped: Bool) {
        self.areStamped = areStamped
    }

    /// As on a new link.
    var renewed: PendingPings { PendingPings(areStamped: areStamped) }

    mutating func add(
        stamp: Int64, for call: CallID?, clearing limit: UInt64, isFence: Bool, at now: Instant
    ) {
        guard areStamped || (uncounted == 0 && unstamped.count < Self.maximumUnstamped) else {
            uncounted += 1
            return
        }
        let clears = isFence || !areStamped
        if clears { fencedUpTo = limit }
        if !areStamped { unstamped.append((stamp, limit)) }
        pings[stamp] = Ping(call: call, sentAt: now, limit: clears ? limit : nil)
        guard call == nil else { return }
        own.append(stamp)
        if own.count > Self.maximumOwn, let oldest = own.popFirst() { pings[oldest] = nil }
    }

    /// The call gives up.
    mutating func leave(_ stamp: Int64) {
        pings[stamp] = nil
    }

    /// The ping that a pong answers, nil when nobody waits for it any more, and up to where it clears; nil when it answers
    /// none.
    mutating func take(_ stamp: Int64?) -> (ping: Ping?, limit: UInt64?)? {
        if areStamped {
            guard let stamp, let ping = pings.removeValue(forKey: stamp) else { return nil }
            return (ping, ping.limit)
        }
        guard let (stamp, limit) = unstamped.popFirst() else {
            uncounted = max(0, uncounted - 1)
            return nil
        }
        return (pings.removeValue(forKey: stamp), limit)
    }
}
