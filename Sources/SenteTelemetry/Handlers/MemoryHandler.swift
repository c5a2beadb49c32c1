// SPDX-License-Identifier: Apache-2.0

public import SenteSignals

/// Keeps the newest signals: for tests, and for a screen of the app that shows them.
public final class MemoryHandler: LightHandler {
    private let kept = Gate(Kept())
    private let count: Int

    private struct Kept {
        /// As a ring: the oldest stands at `next` once there are as many as may be.
        var signals: [Signal] = []
        var next = 0
    }

    /// Makes one that keeps so many.
    public init(_ count: Int = 1_000) {
        self.count = max(0, count)
    }

    /// What is kept, the oldest first.
    public var signals: [Signal] {
        kept.withLock { Array($0.signals[$0.next...] + $0.signals[..<$0.next]) }
    }

    /// Forgets all.
    public func removeAll() {
        kept.withLock { $0 = Kept() }
    }

    /// Keeps the signals of a batch.
    public func handle(_ batch: SignalBatch) {
        guard count > 0 else { return }
        kept.withLock { kept in
            for signal in batch {
                if kept.signals.count < count {
                    kept.signals.append(signal)
                } else {
                    kept.signals[kept.next] = signal
                    kept.next = (kept.next + 1) % count
                }
            }
        }
    }
}
