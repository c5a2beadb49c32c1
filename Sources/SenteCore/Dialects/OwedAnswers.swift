// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What a sente-lite server owes on one link for what was written there, in the order of writing.
///
/// Its answers do not say what they answer: one acknowledgement serves subscribing and unsubscribing, a pong carries no
/// stamp, an echo no callback id. But it answers in order. So each answer is for the oldest that fits, and a pong proves
/// that whatever was written before its ping is answered or never will be, and is owed no more.
struct OwedAnswers {
    enum Deed {
        case subscribe
        case unsubscribe
    }

    /// An event that awaits an answer.
    struct Question {
        let callback: WireName
        let event: Event
        let sequence: UInt64

        var requestID: Value? { Self.requestID(in: event.data) }

        static func requestID(in data: Value) -> Value? {
            guard let map = data.mapValue else { return nil }
            return MapFrame(map)[.requestID]
        }
    }

    static let maximumAcknowledgements = 65_536
    static let maximumQuestions = 4_096
    /// How many pings may be; the pongs of those beyond are not told apart.
    static let maximumPings = 1_024

    private var sequence: UInt64 = 0
    private var acknowledgements: [WireName: Queue<(deed: Deed, sequence: UInt64)>] = [:]
    private var acknowledgementCount = 0
    private var pings = Queue<(stamp: Int64?, upTo: UInt64)>()
    private var uncountedPings = 0
    private var questions: [Question] = []

    /// Why nothing more may be asked, if so.
    func refusal(_ outbound: Outbound) -> SenteError? {
        let owed: Int
        switch outbound {
        case .subscribe, .unsubscribe:
            owed = acknowledgementCount
            guard owed >= Self.maximumAcknowledgements else { return nil }
        case .event(_, callback: _?):
            owed = questions.count
            guard owed >= Self.maximumQuestions else { return nil }
        case .event, .publish, .ping, .pong, .request, .answer, .listChannels, .listSubscriptions: return nil
        }
        return SenteError(
            .busy, "The server owes \(owed) answers already: wait for them before asking for more.",
            outcome: .notSent)
    }

    mutating func wrote(_ outbound: Outbound) {
        sequence += 1
        switch outbound {
        case .subscribe(let channel): add(.subscribe, WireName(channel))
        case .unsubscribe(let channel): add(.unsubscribe, WireName(channel))
        case .event(let event, let callback?):
            questions.append(Question(callback: WireName(callback), event: event, sequence: sequence))
        case .ping(let stamp):
            if uncountedPings == 0, pings.count < Self.maximumPings {
                pings.append((stamp, sequence))
            } else {
                uncountedPings += 1
            }
        case .event, .publish, .pong, .request, .answer, .listChannels, .listSubscriptions: break
        }
    }

    private mutating func add(_ deed: Deed, _ channel: WireName) {
        acknowledgements[channel, default: Queue()].append((deed, sequence))
        acknowledgementCount += 1
    }

    /// What the server acknowledges by a word on this channel; nil when it owes none.
    mutating func acknowledged(_ channel: WireName) -> Deed? {
        guard let first = acknowledgements[channel]?.popFirst() else { return nil }
        if acknowledgements[channel]?.isEmpty == true { acknowledgements[channel] = nil }
        acknowledgementCount -= 1
        return first.deed
    }

    /// The stamp of the ping that a pong answers.
    mutating func pong(_ isPending: (Correlation) -> Bool) -> Int64? {
        guard let (stamp, upTo) = pings.popFirst() else {
            uncountedPings = max(0, uncountedPings - 1)
            return nil
        }
        clear(upTo: upTo, isPending)
        return stamp
    }

    private mutating func clear(upTo limit: UInt64, _ isPending: (Correlation) -> Bool) {
        // A server that copies a `request-id` may take its time; that is as good as a name.
        questions.removeAll {
            $0.sequence < limit && ($0.requestID == nil || !isPending(.id(.event, $0.callback)))
        }
        guard acknowledgementCount > 0 else { return }
        for (channel, queue) in acknowledgements {
            var queue = queue
            while let first = queue.first, first.sequence < limit {
                _ = queue.popFirst()
                acknowledgementCount -= 1
            }
            acknowledgements[channel] = queue.isEmpty ? nil : queue
        }
    }

    /// The server answered this one by its name.
    mutating func answered(_ callback: WireName) {
        questions.removeAll { $0.callback == callback }
    }

    /// The callback of the question that an event answers, if it answers one: by the `request-id` they have in common.
    mutating func answered(by event: Event) -> WireName? {
        guard !questions.isEmpty, let id = Question.requestID(in: event.data) else { return nil }
        return take { $0.requestID == id }
    }

    /// The callback of the question that came back as an echo: the oldest just like it, or else the oldest of its id,
    /// for formats may change data a little on its way.
    mutating func echoed(_ event: Event) -> WireName? {
        take { $0.event == event } ?? take { $0.event.id == event.id }
    }

    private mutating func take(where fits: (Question) -> Bool) -> WireName? {
        guard let index = questions.firstIndex(where: fits) else { return nil }
        return questions.remove(at: index).callback
    }
}
