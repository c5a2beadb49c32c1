// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// What becomes a signal, and which.
extension ClientSignal {
    /// What the session records.
    package init(_ signal: SessionSignal, at now: Moment) {
        switch signal {
        case .attemptStarted:
            self.init(.debug, "attempt-started", at: now, "An attempt to connect begins.")
        case .opened(let time, let isReconnect):
            self.init(
                .info, "opened", at: now,
                "\(isReconnect ? "Connected again" : "Connected") in \(time.readable).",
                ["time-to-open-ms": time.field, "reconnect?": Value(isReconnect)])
        case .linkEnded(let error?):
            self.init(.warn, "link-ended", at: now, error.message, error: error)
        case .linkEnded(nil):
            self.init(.info, "link-ended", at: now, "The connection was closed by this client.")
        case .received(let messages, let bytes, _):
            self.init(
                .trace, "received", at: now, "\(messages) messages came.",
                ["messages": Value(messages), "bytes": Value(bytes)])
        case .transmitted(let messages, let bytes, _):
            self.init(
                .trace, "transmitted", at: now, "\(messages) messages were handed to the network.",
                ["messages": Value(messages), "bytes": Value(bytes)])
        case .dropped(let reason):
            self.init(
                .warn, "message-dropped", at: now, "A message left the outbox without being sent.",
                ["reason": Value(reason.rawValue)])
        case .failed(let code):
            self.init(
                code == .cancelled ? .debug : .warn, "call-failed", at: now,
                "A call failed with \(code.rawValue).", ["code": Value(code.rawValue)])
        case .refused(let code):
            self.init(
                .warn, "call-refused", at: now, "A call was refused at once with \(code.rawValue).",
                ["code": Value(code.rawValue)])
        case .missed(let count):
            self.init(
                .warn, "inbox-overflow", at: now,
                "\(count) messages were lost: their consumer is too slow for the inbox.",
                ["count": Value(count)])
        case .roundTrip(let time):
            self.init(
                .trace, "round-trip", at: now, "The server answered within \(time.readable).",
                ["rtt-ms": time.field])
        case .undecodable(let why, let reason):
            self.init(.warn, "undecodable", at: now, why, ["reason": Value(reason.rawValue)])
        case .serverError(let text):
            self.init(
                .warn, "server-error", at: now, text, ["text": Value(text)])
        case .responderFailed(let channel, let id, let text):
            self.init(
                .warn, "responder-failed", at: now, "A handler of “\(channel)” failed: \(text)",
                ["channel-id": Value(channel), "id": Value(id), "text": Value(text)])
        case .ignored(let reason):
            self.init(
                .debug, "ignored", at: now, "Something came that was understood, and went to nobody.",
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
        let data = ["channel-id": Value(channel)]
        switch state {
        case .subscribing:
            self.init(.debug, "subscribing", at: now, "“\(channel)” is to be subscribed.", data)
        case .subscribed:
            self.init(.debug, "subscribed", at: now, "“\(channel)” is subscribed.", data)
        case .refused(let error):
            self.init(
                .warn, "subscription-refused", at: now, "“\(channel)” was refused. \(error.message)", data,
                error: error)
        case .gap(let gap):
            let filled =
                switch gap.filling {
                case .nothing: "nothing of it came afterwards"
                case .some: "some of it came afterwards"
                case .all: "all of it came afterwards"
                }
            self.init(
                gap.filling == .all ? .info : .warn, "gap", at: now,
                "“\(channel)” was out of reach for \(gap.duration.readable), and \(filled).",
                data.merging(
                    ["duration-ms": gap.duration.field, "filling": Value(gap.filling.rawValue)]) { $1 })
        case .ended:
            self.init(.debug, "subscription-ended", at: now, "“\(channel)” is not subscribed any more.", data)
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
