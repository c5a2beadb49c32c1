// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// Takes what is traced off the loop, and writes it as lines on a task of its own.
final class Tracer: Sendable {
    private struct Item: CountsMissed {
        var entry: TraceEntry
        var time: Int64
        var missed = 0
    }

    private let mailbox = BoundedMailbox(
        bounded: BoundedQueue<Item>(maximumCount: 4_096, maximumBytes: 16 << 20))

    init(_ trace: WireTrace) {
        Task { [mailbox] in
            while true {
                let items = await mailbox.take(isolation: nil)
                guard !items.isEmpty else { return }
                for item in items {
                    if item.missed > 0 {
                        trace.write("= \(item.missed) entries are left out: they came too fast.")
                    }
                    for line in trace.writer.lines(for: item.entry, at: item.time) { trace.write(line) }
                }
            }
        }
    }

    deinit {
        mailbox.finish()
    }

    func note(_ entry: TraceEntry, at now: Moment) {
        note(entry, time: now.wallMilliseconds)
    }

    /// What links brought; their ends are told by signals.
    func note(_ reports: [LinkReport], _ coder: (any DialectCoder)?, at now: Moment) {
        for report in reports where !report.messages.isEmpty {
            note(.received(report.messages, coder), at: now)
        }
    }

    /// `time` is in milliseconds since 1970.
    func note(_ entry: TraceEntry, time: Int64) {
        mailbox.put(Item(entry: entry, time: time), size: entry.size)
    }
}

extension TraceEntry {
    fileprivate var size: Int {
        switch self {
        case .sent(let messages, _), .received(let messages, _): messages.reduce(0) { $0 + $1.bytes.count }
        case .opening(let url): url.utf8.count
        case .signal: 0
        }
    }
}
