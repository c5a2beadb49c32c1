// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// Signals from other threads than the loop's, and how often each came: however many they are, it stays small.
struct SignalTally: Sendable {
    private(set) var counts: [(signal: SessionSignal, count: Int)] = []

    mutating func add(_ signal: SessionSignal) {
        if let index = counts.firstIndex(where: { $0.signal == signal }) {
            counts[index].count += 1
        } else {
            counts.append((signal, 1))
        }
    }

    /// As the session does for a message that leaves its outbox.
    mutating func addDrop(_ reason: SenteError.Code, isRefusal: Bool = false) {
        add(.dropped(reason: reason))
        add(isRefusal ? .refused(reason) : .failed(reason))
    }
}
