// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteTransport
import SenteWire

/// What the client does, as state map and events.
extension ReceiveHub {
    /// Followed on the loop, told among the closures.
    struct Following {
        var tracker = ChannelSocketTracker()
        /// What each change of the status brought, until it is told.
        var untold: [[ChannelSocketTracker.Notice]] = []
    }

    /// How many changes wait for a closure that does not return; then the oldest are told as one with the next.
    private static let bound = 256

    /// The attempt that is under way, or the last one.
    var attempt: Int { following.withLock { $0.tracker.status.attempt } }

    private func tellNext() {
        let notices = following.withLock { following -> [ChannelSocketTracker.Notice] in
            following.untold.isEmpty ? [] : following.untold.removeFirst()
        }
        for notice in notices { tell(notice) }
    }

    private func tell(_ notice: ChannelSocketTracker.Notice) {
        switch notice {
        case .changed(let change):
            state.tell(change.old, change.new)
            let data: Value = [change.old.value, change.new.value, Value(change.openChanged)]
            dispatch(Event(id: "chsk/state", data: data), stateChange: change)
        case .handshake(let uid, let data, let isFirst):
            dispatch(
                Event(
                    id: "chsk/handshake", data: [uid ?? .null, .null, data ?? .null, Value(isFirst)]))
        case .failed(let error, let operation, let attempt):
            report(error, operation, attempt: attempt)
            dispatch(Self.event(of: error, ErrorContext(operation, attempt: attempt)))
        case .ended(let error):
            endOnce(error)
        }
    }
}

extension ReceiveHub: ClientObserver {
    func statusChanged(to status: ConnectionStatus, at now: Moment) -> (@Sendable () -> Void)? {
        let token = token.value
        let (current, isNews) = following.withLock { following in
            if let token { following.tracker.noteToken(token) }
            let notices = following.tracker.follow(status, at: now)
            guard !notices.isEmpty else { return (following.tracker.state, false) }
            guard following.untold.count < Self.bound else {
                let last = following.untold.count - 1
                following.untold[last] = (following.untold[last] + notices).suffix(Self.bound)
                return (following.tracker.state, false)
            }
            following.untold.append(notices)
            return (following.tracker.state, true)
        }
        state.set(current)
        guard isNews else { return nil }
        return { [weak self] in self?.tellNext() }
    }

    func recorded(_ signal: SessionSignal) {
        switch signal {
        case .undecodable(let why, _):
            reportLater(SenteError(.undecodable, "A message cannot be read. \(why)"), .receive)
        case .serverError(let text):
            reportLater(SenteError(.serverError, text), .receive)
        case .storeFailed(let text): reportLater(SenteError(.storeFailed, text), .send)
        case .attemptStarted, .opened, .linkEnded, .received, .transmitted, .dropped, .failed, .missed,
            .refused, .roundTrip, .responderFailed, .ignored, .resumed, .sessionLost, .flow, .largeData,
            .requestSent,
            .requestEnded, .responseSent:
            break
        }
    }
}
