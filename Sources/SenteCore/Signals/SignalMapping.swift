// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// What becomes a signal, and which.
extension ClientSignal {
    /// What the session records.
    package init(_ signal: SessionSignal, at now: Moment) {
        let level = signal.level
        switch signal {
        case .attemptStarted:
            self.init(level, "attempt-started", at: now, "An attempt to connect begins.")
        case .opened(let time, let isReconnect, _):
            self.init(
                level, "opened", at: now,
                "\(isReconnect ? "Connected again" : "Connected") in \(time.readable).",
                ["time-to-open-ms": time.field, "reconnect?": Value(isReconnect)])
        case .linkEnded(let error?):
            self.init(level, "link-ended", at: now, error.message, error: error)
        case .linkEnded(nil):
            self.init(level, "link-ended", at: now, "The connection was closed by this client.")
        case .resumed(let replayedIn, let replayedOut, let skipped, let missed):
            self.init(
                level, "session-resumed", at: now,
                "The session went on: \(replayedIn) messages came again, \(replayedOut) went again, \(missed) were let go by the server.",
                [
                    "replayed-in": Value(replayedIn), "replayed-out": Value(replayedOut),
                    "skipped": Value(skipped), "missed": Value(missed),
                ])
        case .sessionLost:
            self.init(
                level, "session-lost", at: now,
                "The session of the connection before is gone: what was in flight is unknown.")
        case .flow(let signal): self.init(signal, level, at: now)
        case .received(let messages, let bytes, _):
            self.init(
                level, "received", at: now, "\(messages) messages came.",
                ["messages": Value(messages), "bytes": Value(bytes)])
        case .transmitted(let messages, let bytes, _):
            self.init(
                level, "transmitted", at: now, "\(messages) messages were handed to the network.",
                ["messages": Value(messages), "bytes": Value(bytes)])
        case .dropped(let reason):
            self.init(
                level, "message-dropped", at: now, "A message left the outbox without being sent.",
                ["reason": Value(reason.rawValue)])
        case .failed(let code):
            self.init(
                level, "call-failed", at: now,
                "A call failed with \(code.rawValue).", ["code": Value(code.rawValue)])
        case .refused(let code):
            self.init(
                level, "call-refused", at: now, "A call was refused at once with \(code.rawValue).",
                ["code": Value(code.rawValue)])
        case .missed(let count):
            self.init(
                level, "inbox-overflow", at: now,
                "\(count) messages were lost: their consumer is too slow for the inbox.",
                ["count": Value(count)])
        case .requestSent(let id, let channel, let count, let remaining, let trace):
            var data = ["request-id": Value(id), "target-channel-id": Value(channel)]
            data["timeout-ms"] = remaining?.field
            if let count { data["delivery-result"] = .map([.keyword("delivered-to"): Value(count)]) }
            self.init(
                level, "rpc-request-sent", at: now, "A request on “\(channel)” was taken by the server.", data
            )
            self.trace = trace
        case .requestEnded(let id, let time, .timedOut?, let trace):
            self.init(
                level, "rpc-request-expired", at: now, "A request had no answer within \(time.readable).",
                ["request-id": Value(id), "age-ms": time.field])
            self.trace = trace
        case .requestEnded(let id, let time, let code, let trace):
            var data = [
                "request-id": Value(id), "duration-ms": time.field, "error?": Value(code != nil),
            ]
            data["code"] = code.map { Value($0.rawValue) }
            let how = code.map { "ended with \($0.rawValue)" } ?? "was answered"
            self.init(
                level, "rpc-correlation", at: now, "A request \(how) after \(time.readable).", data)
            self.trace = trace
        case .responseSent(let id, let isError, let trace):
            self.init(
                level, "rpc-response-sent", at: now, "A request of another was answered.",
                ["request-id": Value(id), "error?": Value(isError)])
            self.trace = trace
        case .roundTrip(let time):
            self.init(
                level, "round-trip", at: now, "The server answered within \(time.readable).",
                ["rtt-ms": time.field])
        case .undecodable(let why, let reason):
            self.init(level, "undecodable", at: now, why, ["reason": Value(reason.rawValue)])
        case .serverError(let text):
            self.init(
                level, "server-error", at: now, text, ["text": Value(text)])
        case .responderFailed(let channel, let id, let text):
            self.init(
                level, "responder-failed", at: now, "A handler of “\(channel)” failed: \(text)",
                ["channel-id": Value(channel), "id": Value(id), "text": Value(text)])
        case .storeFailed(let text): self.init(level, "store-failed", at: now, text)
        case .largeData(let signal): self.init(signal, level, at: now)
        case .ignored(let reason):
            self.init(
                level, "ignored", at: now, "Something came that was understood, and went to nobody.",
                ["reason": Value(reason.rawValue)])
        }
    }

    /// The status changed.
    package static func signals(
        of new: ConnectionStatus, after old: ConnectionStatus, at now: Moment
    ) -> [ClientSignal] {
        guard new.state != old.state || new.retryAt != old.retryAt else { return [] }
        var signals: [ClientSignal] = []
        if new.state != old.state {
            let data: [String: Value] = [
                "from": Value(old.state.rawValue), "to": Value(new.state.rawValue),
                "attempt": Value(new.attempt),
            ]
            signals.append(
                ClientSignal(
                    .debug, "state-changed", at: now, "The client is \(new.state.rawValue).", data))
        }
        if new.state == .reconnecting, let retryAt = new.retryAt {
            let delay = now.instant.duration(to: retryAt)
            signals.append(
                ClientSignal(
                    .info, "reconnect-scheduled", at: now,
                    "Attempt \(new.attempt) follows in \(delay.readable).",
                    ["attempt": Value(new.attempt), "delay-ms": delay.field], error: new.lastError))
        }
        if new.state == .failed {
            let why = new.lastError?.message ?? "No attempt is left."
            signals.append(
                ClientSignal(
                    .error, "gave-up", at: now, "The client gave up. \(why)",
                    ["attempt": Value(new.attempt)], error: new.lastError))
        }
        return signals
    }

    /// A subscription stands otherwise.
    package init(_ state: SubscriptionState, of channel: String, at now: Moment) {
        let level = state.level
        let data = ["channel-id": Value(channel)]
        switch state {
        case .subscribing:
            self.init(level, "subscribing", at: now, "“\(channel)” is to be subscribed.", data)
        case .subscribed:
            self.init(level, "subscribed", at: now, "“\(channel)” is subscribed.", data)
        case .refused(let error):
            self.init(
                level, "subscription-refused", at: now, "“\(channel)” was refused. \(error.message)", data,
                error: error)
        case .gap(let gap):
            let filled =
                switch gap.filling {
                case .nothing: "nothing of it came afterwards"
                case .some: "some of it came afterwards"
                case .all: "all of it came afterwards"
                }
            self.init(
                level, "gap", at: now,
                "“\(channel)” was out of reach for \(gap.duration.readable), and \(filled).",
                data.merging(
                    ["duration-ms": gap.duration.field, "filling": Value(gap.filling.rawValue)]) { $1 })
        case .ended:
            self.init(level, "subscription-ended", at: now, "“\(channel)” is not subscribed any more.", data)
        }
    }
}

extension SessionSignal {
    /// How much it matters; known before anything is made of it.
    package var level: ClientSignal.Level {
        switch self {
        case .received, .transmitted, .roundTrip: .trace
        case .attemptStarted, .ignored, .requestSent, .responseSent: .debug
        case .requestEnded(_, _, let code, _): code == .timedOut ? .warn : .debug
        case .failed(let code): code == .cancelled ? .debug : .warn
        case .opened, .linkEnded(nil): .info
        case .resumed(_, _, _, let missed): missed == 0 ? .info : .warn
        case .sessionLost: .warn
        case .flow(.partsLost): .warn
        case .flow(.stream(let signal)): signal.level
        case .flow: .trace
        case .largeData(.failed): .warn
        case .largeData: .debug
        case .linkEnded, .dropped, .refused, .missed, .undecodable, .serverError, .responderFailed,
            .storeFailed:
            .warn
        }
    }
}

extension SubscriptionState {
    /// How much it matters; known before anything is made of it.
    package var level: ClientSignal.Level {
        switch self {
        case .subscribing, .subscribed, .ended: .debug
        case .gap(let gap): gap.filling == .all ? .info : .warn
        case .refused: .warn
        }
    }
}

extension Duration {
    /// In milliseconds, as the data of signals has it.
    fileprivate var field: Value { Value(wholeMilliseconds) }

    /// As a person says it: `85 ms`, `1.2 s`, `3 min`.
    package var readable: String {
        let milliseconds = max(0, wholeMilliseconds)
        switch milliseconds {
        case ..<1_000: return "\(milliseconds) ms"
        case ..<10_000: return "\(milliseconds / 1_000).\(milliseconds % 1_000 / 100) s"
        case ..<120_000: return "\(milliseconds / 1_000) s"
        default: return "\(milliseconds / 60_000) min"
        }
    }
}
