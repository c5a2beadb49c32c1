// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Turns a client's statuses into Sente's state map, and says what the app is to be told of each change, in order.
///
/// Sente changes its map in more steps than the session does: a failed attempt is an error, then a close, then a time
/// for the next one. Each step is a change of its own here too, so that a handler written for Sente meets what it knows.
/// As there, the time of the next attempt stays until that attempt has failed or succeeded (sente.cljc,
/// `retry-connect-chsk!`, `chsk-state->closed`, `receive-handshake!`).
package struct ChannelSocketTracker: Sendable {
    /// Something to tell the app.
    package enum Notice: Sendable, Equatable {
        case changed(ChannelSocketChange)
        /// The server greeted; `isFirst` for the first time in this client's life.
        case handshake(uid: Value?, data: Value?, isFirst: Bool)
        /// An attempt or a connection failed.
        case failed(SenteError, ErrorContext.Operation, attempt: Int)
        /// What is awaited on this connection will not come any more.
        case ended(SenteError)
    }

    /// What `:state` holds now.
    package private(set) var state = ChannelSocketState()
    package private(set) var status = ConnectionStatus(state: .closed)

    package init() {}

    /// The token that the next attempt sends; the app hears of it with the next change.
    package mutating func noteToken(_ token: String?) {
        state.csrfToken = token
    }

    /// What to tell of a new status, in order.
    package mutating func follow(_ new: ConnectionStatus, at now: Moment) -> [Notice] {
        let old = status
        status = new
        var notices: [Notice] = []
        if new.state == .open {
            if old.state != .open || old.identity != new.identity { opened(into: &notices) }
            return notices
        }
        switch old.state {
        case .open: lost(at: now, into: &notices)
        case .connecting where failed(since: old): attemptFailed(old, at: now, into: &notices)
        case .closing where new.state == .closed: closed(old, at: now, into: &notices)
        case .connecting, .closing, .closed, .reconnecting, .failed: break
        }
        switch new.state {
        case .reconnecting: waits(at: now, into: &notices)
        case .closed, .failed: change(into: &notices) { $0.nextReconnect = nil }
        case .connecting, .open, .closing: break
        }
        if new.state == .failed, old.state == .reconnecting, let error = new.lastError {
            notices.append(.failed(error, .giveUp, attempt: old.attempt))
        }
        if old.state == .open || new.state != old.state && (new.state == .closed || new.state == .failed) {
            notices.append(.ended(ending))
        }
        return notices
    }

    // MARK: The steps

    /// As `receive-handshake!`: the map first, the event after it.
    private mutating func opened(into notices: inout [Notice]) {
        let identity = status.identity
        let uid = identity?.uid ?? identity?.connectionID.map { Value($0) }
        let isFirst = !state.everOpened
        change(into: &notices) { state in
            state.isOpen = true
            state.everOpened = true
            state.uid = uid
            state.handshakeData = identity?.handshakeData
            if let token = identity?.csrfToken { state.csrfToken = token }
            state.nextReconnect = nil
            state.reconnectCount = 0
            state.lastError = nil
        }
        notices.append(.handshake(uid: uid, data: identity?.handshakeData, isFirst: isFirst))
    }

    private mutating func lost(at now: Moment, into notices: inout [Notice]) {
        let reason = closeReason
        let error = status.lastError
        let close = socketClose(for: reason)
        let isRetried = status.state == .reconnecting
        change(into: &notices) { state in
            state.isOpen = false
            state.nextReconnect = nil
            state.lastClose = ChannelSocketState.Close(time: now.wallMilliseconds, reason: reason)
            if let close {
                state.lastWSClose = ChannelSocketState.SocketClose(
                    time: now.wallMilliseconds, code: close.code, reason: close.reason)
            }
            if reason.isFailure { state.lastError = error }
            if isRetried { state.reconnectCount += 1 }
        }
        if reason.isFailure, let error {
            notices.append(.failed(error, .connection, attempt: status.attempt))
        }
    }

    /// As `on-error` and then `on-close`.
    private mutating func attemptFailed(
        _ old: ConnectionStatus, at now: Moment, into notices: inout [Notice]
    ) {
        guard let error = status.lastError else { return }
        change(into: &notices) { state in
            state.lastWSError = ChannelSocketState.SocketError(time: now.wallMilliseconds, error: error)
            state.lastError = error
        }
        let close = error.closeCode == nil ? nil : status.lastClose
        let isRetried = status.state != .failed
        change(into: &notices) { state in
            state.nextReconnect = nil
            state.lastWSClose = ChannelSocketState.SocketClose(
                time: now.wallMilliseconds, code: close?.code ?? .abnormal, reason: close?.reason ?? "")
            if isRetried { state.reconnectCount += 1 }
        }
        let operation = isRetried ? ErrorContext.Operation.connect : .giveUp
        notices.append(.failed(error, operation, attempt: old.attempt))
    }

    private mutating func closed(_ old: ConnectionStatus, at now: Moment, into notices: inout [Notice]) {
        guard let close = status.lastClose, close != old.lastClose else { return }
        change(into: &notices) { state in
            state.lastWSClose = ChannelSocketState.SocketClose(
                time: now.wallMilliseconds, code: close.code, reason: close.reason)
        }
    }

    private mutating func waits(at now: Moment, into notices: inout [Notice]) {
        guard let due = status.retryAt else { return }
        let next = now.wallMilliseconds + now.instant.duration(to: due).wholeMilliseconds
        change(into: &notices) { $0.nextReconnect = next }
    }

    /// As `swap-chsk-state!`: nothing is told of a change that changes nothing.
    private mutating func change(
        into notices: inout [Notice], _ body: (inout ChannelSocketState) -> Void
    ) {
        let old = state
        body(&state)
        guard state != old else { return }
        var new = state
        new.isFirstOpen = state.isOpen && !old.everOpened
        notices.append(.changed(ChannelSocketChange(old: old, new: new)))
    }

    // MARK: Readings

    /// Whether an attempt came to nothing; a `disconnect()` is no failure.
    private func failed(since old: ConnectionStatus) -> Bool {
        switch status.state {
        case .reconnecting, .failed: status.lastError != nil
        // A second try with fresh credentials, at once.
        case .connecting: status.lastError != nil && status.lastError != old.lastError
        case .closed, .closing, .open: false
        }
    }

    private var closeReason: ChannelSocketState.Close.Reason {
        switch status.state {
        case .closing,
            .closed where status.lastError == nil:
            return .requestedDisconnect
        case .closed, .connecting, .open, .reconnecting, .failed: break
        }
        if status.endedBy == .reconnect { return .requestedReconnect }
        switch status.lastError {
        case let error? where error.code == .silent: return .wsPingTimeout
        case let error? where error.code == .protocolViolation: return .wsError
        case let error? where error.closeCode == .normal: return .clean
        default: return .unexpected
        }
    }

    private var ending: SenteError {
        guard closeReason != .requestedDisconnect else {
            return SenteError(.disconnected, "disconnect() was called before the event came.")
        }
        return SenteError(
            .connectionLost, "The connection was lost before the event came.",
            underlying: status.lastError?.message)
    }

    private func socketClose(for reason: ChannelSocketState.Close.Reason) -> ConnectionStatus.Close? {
        switch reason {
        case .clean, .unexpected, .wsError:
            status.endedBy == .breakConnection ? .brokenOnPurpose : status.lastClose
        // Sente closes the socket itself then, and its `on-close` comes later or not at all.
        case .requestedDisconnect, .requestedReconnect, .wsPingTimeout, .downgradingWsToAjax: nil
        }
    }
}

extension ChannelSocketState.Close.Reason {
    fileprivate var isFailure: Bool {
        switch self {
        case .requestedDisconnect, .requestedReconnect: false
        case .clean, .unexpected, .wsPingTimeout, .wsError, .downgradingWsToAjax: true
        }
    }
}

/// One change of a channel socket's state map.
public struct ChannelSocketChange: Sendable, Hashable {
    /// The map before.
    public let old: ChannelSocketState
    /// The map after, with `isFirstOpen` as it is for this change.
    public let new: ChannelSocketState
    /// Whether the socket opened or closed by it (`:open-changed?`).
    public var openChanged: Bool { old.isOpen != new.isOpen }
    /// Whether it opened (`:opened?`).
    public var opened: Bool { new.isOpen && !old.isOpen }
    /// Whether it closed (`:closed?`).
    public var closed: Bool { old.isOpen && !new.isOpen }

    package init(old: ChannelSocketState, new: ChannelSocketState) {
        self.old = old
        self.new = new
    }
}
