// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Turns signals into numbers.
///
/// A pure value: the time comes with each signal.
package struct MetricsCollector: Sendable {
    /// What the session knows without counting.
    package struct Gauges: Hashable, Sendable {
        package var outboxMessages = 0
        package var outboxBytes = 0
        package var outboxOldestAge: Duration?
        package var subscriptionsWished = 0
        package var subscriptionsConfirmed = 0
        package var pendingRequests = 0

        package init() {}
    }

    /// How many messages, how much they weigh together, and how many of them are large.
    package struct Volume: Sendable {
        package var messages = 0
        package var bytes = 0
        package var large = 0

        mutating func add(_ size: Int, largeFrom limit: Int) {
            messages += 1
            bytes += size
            if size >= limit { large += 1 }
        }

        mutating func add(_ other: Volume) {
            messages += other.messages
            bytes += other.bytes
            large += other.large
        }
    }

    /// How many round trips are kept, and how many waits for company: the last ones, the oldest of which the next one replaces.
    package static let maximumSamples = 256
    /// Over how long rates are counted.
    package static let window: Duration = .seconds(10)

    private let createdAt: Instant
    private var openedAt: Instant?
    /// Everything but the gauges, the uptime and the rates.
    private var totals = ClientMetrics()
    private var rates: Rates
    private var oldestRoundTrip = 0
    private var oldestWait = 0
    /// How far each stream is that has not ended.
    private var streams: [String: StreamProgress] = [:]

    package init(at now: Instant) {
        createdAt = now
        rates = Rates(start: now)
    }

    package mutating func record(_ signal: SessionSignal, at now: Instant) {
        switch signal {
        case .received(let messages, let bytes, let large):
            count(received: Volume(messages: messages, bytes: bytes, large: large), at: now)
        case .transmitted(let messages, let bytes, let large):
            count(sent: Volume(messages: messages, bytes: bytes, large: large), at: now)
        case .attemptStarted: totals.connection.attempts += 1
        case .opened(let timeToOpen, let isReconnect, _):
            endConnectedTime(at: now)
            openedAt = now
            totals.connection.timeToOpen = timeToOpen
            if isReconnect { totals.connection.reconnects += 1 }
        case .linkEnded(let error):
            let wasOpen = openedAt != nil
            endConnectedTime(at: now)
            // What was unfinished is gone with the link.
            totals.chunking.incomplete = 0
            totals.chunking.memory = 0
            guard let error else { return }
            totals.errors[error.code, default: 0] += 1
            if wasOpen { totals.connection.losses[error.code, default: 0] += 1 }
        case .dropped(let reason): totals.outbox.drops[reason, default: 0] += 1
        case .failed(let code): totals.errors[code, default: 0] += 1
        case .refused(let code):
            totals.refusedCalls += 1
            totals.errors[code, default: 0] += 1
        case .missed(let count): totals.missed += count
        case .roundTrip(let duration): Self.keep(duration, in: &totals.roundTrips, at: &oldestRoundTrip)
        case .undecodable(_, let reason):
            totals.undecodable += 1
            totals.undecodableReasons[reason, default: 0] += 1
        case .serverError: totals.serverErrors += 1
        case .responderFailed: totals.failedResponders += 1
        case .storeFailed: totals.errors[.storeFailed, default: 0] += 1
        case .ignored(let reason): totals.ignored.add(reason)
        case .resumed(let replayedIn, let replayedOut, let skipped, let missed):
            totals.resumption.resumed += 1
            totals.resumption.replayedIn += replayedIn
            totals.resumption.replayedOut += replayedOut
            totals.resumption.skipped += skipped
            totals.resumption.missed += missed
        case .sessionLost: totals.resumption.fresh += 1
        case .flow(.lingered(let wait)): Self.keep(wait, in: &totals.batching.waits, at: &oldestWait)
        case .flow(.stream(let signal)): totals.streaming.add(signal, to: &streams)
        case .flow(let signal): totals.add(signal)
        case .largeData(let signal): totals.largeData.add(signal)
        case .requestSent, .requestEnded, .responseSent: break
        }
    }

    mutating func count(received volume: Volume, at now: Instant) {
        totals.received.add(volume)
        rates.roll(to: now)
        rates.current.received += volume.messages
    }

    mutating func count(sent volume: Volume, at now: Instant) {
        totals.sent.add(volume)
        rates.roll(to: now)
        rates.current.sent += volume.messages
    }

    package func snapshot(at now: Instant, gauges: Gauges) -> ClientMetrics {
        var metrics = totals
        metrics.connection.uptime = createdAt.duration(to: now)
        if let openedAt { metrics.connection.connectedTime += openedAt.duration(to: now) }
        var rates = rates
        rates.roll(to: now)
        metrics.received.messagesPerSecond = rates.perSecond(at: now, \.received)
        metrics.sent.messagesPerSecond = rates.perSecond(at: now, \.sent)
        metrics.streaming.throughput = streams.values.reduce(0) { $0 + $1.throughput }
        metrics.outbox.messages = gauges.outboxMessages
        metrics.outbox.bytes = gauges.outboxBytes
        metrics.outbox.oldestAge = gauges.outboxOldestAge
        metrics.subscriptions.wished = gauges.subscriptionsWished
        metrics.subscriptions.confirmed = gauges.subscriptionsConfirmed
        metrics.pendingRequests = gauges.pendingRequests
        return metrics
    }

    private mutating func endConnectedTime(at now: Instant) {
        guard let start = openedAt else { return }
        totals.connection.connectedTime += start.duration(to: now)
        openedAt = nil
    }

    /// Keeps one of the last durations; `oldest` is where the oldest stands.
    private static func keep(_ duration: Duration, in samples: inout [Duration], at oldest: inout Int) {
        guard samples.count == maximumSamples else { return samples.append(duration) }
        samples[oldest] = duration
        oldest = (oldest + 1) % maximumSamples
    }
}

extension MetricsCollector {
    /// Messages counted in windows that follow one another from the client's start.
    private struct Rates: Sendable {
        struct Count: Sendable {
            var received = 0
            var sent = 0
        }

        /// When the current window ends.
        var end: Instant
        var current = Count()
        /// The window before; nil in the first one.
        var last: Count?

        init(start: Instant) {
            end = start.advanced(by: MetricsCollector.window)
        }

        /// Over the last 10 s, of which those that lie in the window before count by their part of it; until there is one, over
        /// the time since the start, one second at least.
        func perSecond(at now: Instant, _ direction: KeyPath<Count, Int>) -> Double {
            let length = Double(MetricsCollector.window.wholeNanoseconds) / 1e9
            let elapsed = max(0, length - Double(now.duration(to: end).wholeNanoseconds) / 1e9)
            let count = Double(current[keyPath: direction])
            guard let last else { return count / max(1, elapsed) }
            return (count + Double(last[keyPath: direction]) * (1 - elapsed / length)) / length
        }

        /// Moves on to the window that holds `now`.
        mutating func roll(to now: Instant) {
            guard now >= end else { return }
            let length = MetricsCollector.window.wholeNanoseconds
            let skipped = end.duration(to: now).wholeNanoseconds / length
            last = skipped == 0 ? current : Count()
            current = Count()
            end = end.advanced(by: .nanoseconds((skipped + 1) * length))
        }
    }
}

extension ClientMetrics {
    fileprivate mutating func add(_ signal: FlowSignal) {
        switch signal {
        case .batched(let messages, let reason):
            batching.batches += 1
            batching.messages += messages
            batching.reasons[reason.rawValue, default: 0] += 1
        case .lingered, .stream: break
        case .compressed(let result, let time):
            compression.time += time
            compression.add(result)
        case .partsSent(let count): chunking.chunksSent += count
        case .chunked: chunking.messages += 1
        case .partsHeld(let holding):
            chunking.incomplete = holding.messages
            chunking.memory = holding.bytes
            chunking.peakMemory = max(chunking.peakMemory, holding.peakBytes)
        case .partsLost(let losses):
            chunking.timeouts += losses.timeouts
            chunking.evictions += losses.evictions
            chunking.aborts += losses.aborts
        }
    }
}

extension ClientMetrics.LargeData {
    fileprivate mutating func add(_ signal: LargeDataSignal) {
        switch signal {
        case .stored(let bytes, _):
            stored += 1
            storedBytes += bytes
        case .fetched(let bytes, _):
            fetched += 1
            fetchedBytes += bytes
        case .failed: failures += 1
        }
    }
}

extension ClientMetrics.Streaming {
    fileprivate mutating func add(_ signal: StreamSignal, to streams: inout [String: StreamProgress]) {
        switch signal {
        case .active(let count): active = count
        case .started: break
        case .progress(let progress):
            let before = streams.updateValue(progress, forKey: progress.id)
            // Of what went before this process began nothing went here.
            let start = before?.bytes ?? (progress.bytes - min(progress.bytes, progress.movedBytes))
            if progress.bytes > start { bytes += Int(clamping: progress.bytes - start) }
            creditStalls += max(0, progress.creditStalls - (before?.creditStalls ?? 0))
            rewinds += max(0, progress.rewinds - (before?.rewinds ?? 0))
        case .ended(let id, let ending):
            streams[id] = nil
            if case .completed = ending { completed += 1 } else { failed += 1 }
        }
    }
}

extension ClientMetrics.Compression {
    fileprivate mutating func add(_ result: Packing.Compressed) {
        switch result {
        case .done(let before, let after):
            messages += 1
            bytesBefore += before
            bytesAfter += after
        case .skippedSmall: skippedSmall += 1
        case .skippedIncompressible: skippedIncompressible += 1
        case .off: break
        }
    }
}

extension ClientMetrics.Ignored {
    fileprivate mutating func add(_ reason: IgnoredReason) {
        switch reason {
        case .lateReply: lateReplies += 1
        case .repeated: repeated += 1
        case .overdueRequest: overdueRequests += 1
        case .unservedRequest: unservedRequests += 1
        case .surplusPing: surplusPings += 1
        case .unheard: unheard += 1
        case .malformedTrace: malformedTraces += 1
        }
    }
}

extension ClientMetrics.Traffic {
    fileprivate mutating func add(_ volume: MetricsCollector.Volume) {
        messages += volume.messages
        bytes += volume.bytes
        largeMessages += volume.large
    }
}
