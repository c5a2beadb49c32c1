// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What of note happens to streams.
package enum StreamSignal: Hashable, Sendable {
    /// So many have not ended.
    case active(Int)
    /// Both ends have it.
    case started(id: String, StreamOpening)
    case progress(StreamProgress)
    case ended(id: String, StreamEnding)

    init?(_ output: StreamTable.Output) {
        switch output.effect {
        case .started(let opening): self = .started(id: output.id, opening)
        case .progress(let progress): self = .progress(progress)
        case .ended(let ending): self = .ended(id: output.id, ending)
        case .say, .offered, .wantsBytes, .seek, .hasPieces, .startsOver, .control, .changed: return nil
        }
    }

    /// How much it matters; known before anything is made of it.
    var level: ClientSignal.Level {
        switch self {
        case .active, .progress: .trace
        case .started, .ended(_, .cancelled(isRemote: false, _)): .debug
        case .ended(_, .completed): .info
        case .ended: .warn
        }
    }
}

extension ClientSignal {
    /// What happens to streams, as others hear of it.
    init(_ signal: StreamSignal, _ level: Level, at now: Moment) {
        switch signal {
        case .active(let count):
            self.init(
                level, "streams-active", at: now, "\(count) streams have not ended.", ["count": Value(count)])
        case .started(let id, let opening):
            var data: [String: Value] = ["stream-id": Value(id), "stream-type": Value(opening.kind.rawValue)]
            data["channel-id"] = opening.channel.map { Value($0) }
            data["total-bytes"] = opening.totalSize.map { Value(clamping: $0) }
            self.init(level, "stream-started", at: now, "A stream began (\(opening.kind.rawValue)).", data)
        case .progress(let progress):
            var data: [String: Value] = [
                "stream-id": Value(progress.id), "state": Value(progress.state.rawValue),
                "bytes": Value(clamping: progress.bytes), "throughput": .double(progress.throughput),
            ]
            data["total-bytes"] = progress.totalBytes.map { Value(clamping: $0) }
            data["percentage"] = progress.percentage.map { .double($0) }
            self.init(
                level, "stream-progress", at: now, "\(progress.bytes) bytes of a stream have moved.", data)
        case .ended(let id, .completed(let receipt)):
            self.init(
                level, "stream-complete", at: now, "A stream of \(receipt.bytes) bytes is complete.",
                [
                    "stream-id": Value(id), "bytes": Value(clamping: receipt.bytes),
                    "duration-ms": Value(receipt.milliseconds),
                ])
        case .ended(let id, let ending):
            let error = ending.error
            self.init(
                level, "stream-failed", at: now, error?.message ?? "", ["stream-id": Value(id)], error: error)
        }
    }
}
