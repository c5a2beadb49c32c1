// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Which stream it is, from where it is handed over, and whether it is the one that was followed before.
extension ChannelFollower {
    /// Asks from the start, under a new number: what still comes to an older one is nobody's.
    mutating func begin(at now: Instant, into actions: inout [Action]) {
        tries &+= 1
        confirm(false, into: &actions)
        isListening = true
        actions.append(.say(.listen(number)))
        if let stream {
            askForConsumer(of: stream, at: now, into: &actions)
        } else {
            ask(.names(channel: channel), .naming, at: now, into: &actions)
        }
    }

    private mutating func ask(
        _ request: JetStreamRequest, _ phase: Phase, at now: Instant, into actions: inout [Action]
    ) {
        self.phase = phase
        deadline = now.advanced(by: Self.patience)
        actions.append(.say(.ask(request, token: number)))
    }

    private mutating func askForConsumer(
        of stream: String, at now: Instant, into actions: inout [Action]
    ) {
        let request = JetStreamRequest.consumer(
            stream: stream, channel: channel, from: consumerStart, number: number)
        ask(request, .creating, at: now, into: &actions)
    }

    private var consumerStart: ConsumerStart {
        if isSweeping { return .lastOfEach }
        if let last { return .sequence(last + 1) }
        if case .time(let time) = start { return .time(time) }
        return .new
    }

    package mutating func answered(
        _ answer: JetStreamAnswer, room: Room, at now: Instant, using random: inout Generator,
        into actions: inout [Action]
    ) {
        switch (phase, answer) {
        case (.naming, .names(let names)):
            if names.count == 1 {
                stream = names[0]
                return askForConsumer(of: names[0], at: now, into: &actions)
            }
            fail(Self.streams(names, of: channel), at: now, using: &random, into: &actions)
        case (.creating, .consumer(let delivered, let pending)):
            guard let stream else { return }
            ask(
                .info(stream: stream), .checking(Beginning(delivered: delivered, pending: pending)), at: now,
                into: &actions)
        case (.checking(let beginning), .info(let info)):
            checked(beginning, info, room: room, at: now, using: &random, into: &actions)
        case (.naming, .refused(let error)), (.creating, .refused(let error)),
            (.checking, .refused(let error)):
            fail(error, at: now, using: &random, into: &actions)
        case (.naming, .failed(let code, let number, let text)),
            (.creating, .failed(let code, let number, let text)),
            (.checking, .failed(let code, let number, let text)):
            // Gone (10059), or another by now: it is looked for anew.
            if code == 404 { stream = nil }
            guard code == 404 || code >= 500 else {
                let error = SenteError(
                    .rejected,
                    "The stream of “\(channel.excerpt())” cannot be followed: \(text) (error \(number)).",
                    outcome: .acknowledged)
                return fail(error, at: now, using: &random, into: &actions)
            }
            rest(at: now, using: &random, into: &actions)
        case (.naming, .unavailable), (.creating, .unavailable), (.checking, .unavailable),
            (.naming, .unreadable), (.creating, .unreadable), (.checking, .unreadable):
            rest(at: now, using: &random, into: &actions)
        // Asked by an earlier phase, or by nobody.
        case (.naming, _), (.creating, _), (.checking, _), (.idle, _), (.full, _), (.resting, _),
            (.following, _),
            (.over, _):
            break
        }
    }

    private static func streams(_ names: [String], of channel: String) -> SenteError {
        SenteError(
            .rejected,
            names.isEmpty
                ? "No stream keeps “\(channel.excerpt())”: have one made whose subjects hold it, or leave `from` out."
                : "Several streams keep “\(channel.excerpt())” (\(names.prefix(4).joined(separator: ", "))): subscribe to what one of them keeps.",
            outcome: .acknowledged)
    }

    /// The consumer stands; the stream may be another than the one that was followed before.
    private mutating func checked(
        _ beginning: Beginning, _ info: StreamInfo, room: Room, at now: Instant,
        using random: inout Generator,
        into actions: inout [Action]
    ) {
        if let last, created == info.created, info.last < last, !hasStayedBehind(at: now) {
            return rest(at: now, using: &random, into: &actions)
        }
        behindSince = nil
        if let last, created.map({ $0 != info.created }) ?? false || info.last < last {
            // A stream made anew numbers its messages anew; an old place in it would be silence for ever, or its end.
            missing(nil, isOtherStream: true, at: now, into: &actions)
            created = info.created
            self.last = 0
            keptUpTo = 0
            isSweeping = false
            stopListening(into: &actions)
            return begin(at: now, into: &actions)
        }
        // Of what the stream had when the consumer began nothing lies behind its end: else it was made anew meanwhile.
        let early = consumer.held.prefix(Int(clamping: beginning.pending))
        guard !early.contains(where: { $0.place.sequence > info.last }) else {
            return rest(at: now, using: &random, into: &actions)
        }
        let isSweep = isSweeping
        guard isSweep || beginning.delivered <= info.last || beginning.delivered == last else {
            return rest(at: now, using: &random, into: &actions)
        }
        if !isSweep {
            if let last, beginning.delivered > last {
                missing(last + 1...beginning.delivered, at: now, into: &actions)
            }
            last = max(last ?? 0, beginning.delivered)
        }
        hasFollowed = true
        created = info.created
        keptUpTo = info.last
        if isSweep, beginning.pending == 0 {
            // There is none up to where the consumer begins; the stream's end may be a later one.
            last = max(last ?? 0, min(beginning.delivered, info.last))
            isSweeping = false
        }
        isWhole = info.subjects == [channel]
        heard(at: now)
        phase = .following
        confirm(true, into: &actions)
        handOn(room, at: now, into: &actions)
    }

    /// Whether the stream has been short of what it had handed over for so long that it was set back.
    ///
    /// A node that has just become its leader says so too: it has all that was kept, and has not read all of it yet.
    private mutating func hasStayedBehind(at now: Instant) -> Bool {
        let since = behindSince ?? now
        behindSince = since
        return since.duration(to: now) >= Self.catchUp
    }
}
