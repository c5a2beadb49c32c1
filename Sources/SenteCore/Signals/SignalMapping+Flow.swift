// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

extension ClientSignal {
    /// How messages travelled, as others hear of it.
    init(_ signal: FlowSignal, _ level: Level, at now: Moment) {
        switch signal {
        case .batched(let messages, let reason):
            self.init(
                level, "batch-sent", at: now, "\(messages) messages went as one.",
                ["messages": Value(messages), "reason": .string(reason.rawValue)])
        case .lingered(let wait):
            self.init(
                level, "batch-waited", at: now, "Messages waited \(wait.readable) for company.",
                ["waited-ms": Value(wait.wholeMilliseconds)])
        case .compressed(.done(let before, let after), let time):
            self.init(
                level, "message-compressed", at: now, "A message of \(before) bytes went as \(after).",
                ["before": Value(before), "after": Value(after), "took-ms": Value(time.wholeMilliseconds)])
        case .compressed(let why, _):
            self.init(
                level, "message-not-compressed", at: now, "A message went as it is.",
                ["why": .string(why == .skippedSmall ? "small" : "incompressible")])
        case .partsSent(let count):
            self.init(level, "parts-sent", at: now, "\(count) parts went.", ["parts": Value(count)])
        case .partsHeld(let holding):
            self.init(
                level, "parts-held", at: now,
                "\(holding.messages) messages of the server in parts are unfinished.",
                ["messages": Value(holding.messages), "bytes": Value(holding.bytes)])
        case .stream(let signal): self.init(signal, level, at: now)
        case .chunked:
            self.init(level, "message-chunked", at: now, "A message went in parts.")
        case .partsLost(let losses):
            self.init(
                level, "parts-lost", at: now,
                "Messages of the server in parts were given up: \(losses.timeouts) for want of parts, \(losses.evictions) for want of room, \(losses.aborts) by its own word.",
                [
                    "timeouts": Value(losses.timeouts), "evictions": Value(losses.evictions),
                    "aborts": Value(losses.aborts),
                ])
        }
    }
}
