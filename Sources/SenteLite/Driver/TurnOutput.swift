// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire

extension Driver {
    /// How a call ended, for whoever waits.
    struct Resolution {
        let waiter: Waiter
        let result: Result<Answer, SenteError>
    }

    /// What a turn has brought for the app.
    struct TurnOutput {
        var statuses: [ConnectionStatus] = []
        var wishes: [WireName: WishStatus?] = [:]
        var channels: [(channel: WireName, state: SubscriptionState)] = []
        var ready: [InboxID] = []
        var closures: [ClosureQueue.Item] = []
        var answers: [Resolution] = []
        var signals: [SessionSignal] = []
        /// The same, and more, for those who watch.
        var shown: [ClientSignal] = []
        /// Submissions were taken, which count in the outbox's bounds until the turn's end.
        var tookEntries = false

        var isForApp: Bool {
            !(answers.isEmpty && ready.isEmpty && statuses.isEmpty && closures.isEmpty)
        }

        /// The arrays that every turn fills keep their memory.
        mutating func removeAll() {
            if !ready.isEmpty { ready.removeAll(keepingCapacity: true) }
            if !signals.isEmpty { signals.removeAll(keepingCapacity: true) }
            if !statuses.isEmpty { statuses = [] }
            if !closures.isEmpty { closures = [] }
            if !wishes.isEmpty { wishes = [:] }
            if !channels.isEmpty { channels = [] }
            tookEntries = false
        }
    }
}
