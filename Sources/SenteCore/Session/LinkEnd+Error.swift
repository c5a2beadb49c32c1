// SPDX-License-Identifier: Apache-2.0

package import SenteBase

extension LinkEnd {
    /// The error a link's end stands for, what the close frame said, and whether trying the same again can mend it.
    package var meaning: (error: SenteError, close: ConnectionStatus.Close?, isMendable: Bool) {
        switch self {
        case .closed(let code, let reason):
            let why = reason.isEmpty ? "" : ": \(reason)"
            let error = SenteError(
                .connectionLost, "The server closed the connection\(why).", closeCode: code)
            return (error, ConnectionStatus.Close(code: code, reason: reason), true)
        case .failed(let failure):
            var error = SenteError(failure.kind.code, failure.message, closeCode: failure.closeCode)
            if case .proxy(let reason) = failure.kind {
                error.proxy = reason
                if case .status(let status) = reason { error.httpStatus = status }
            }
            let close = failure.kind.close(telling: failure.closeCode)
            return (error, close, failure.kind.isMendable)
        }
    }
}

extension LinkFailure.Kind {
    fileprivate var code: SenteError.Code {
        switch self {
        case .nameNotFound, .unreachable: .unreachable
        case .timedOut: .timedOut
        case .proxy(let reason): reason.code
        case .badHandshake: .protocolMismatch
        case .tls(let problem): SenteError.Code(rawValue: problem.rawValue)
        case .misconfigured: .invalidArgument
        case .protocolViolation: .protocolViolation
        case .lost: .connectionLost
        case .unavailable, .missingLibrary: .unavailable
        }
    }

    fileprivate var isMendable: Bool {
        switch self {
        case .proxy(let reason): reason.isMendable
        case .nameNotFound, .unreachable, .timedOut, .protocolViolation, .lost, .unavailable: true
        case .badHandshake, .tls, .misconfigured, .missingLibrary: false
        }
    }

    /// What a failure means for `lastClose` (RFC 6455 §7.1.5, §7.4.1): 1006 when a link ended without a close frame, 1015
    /// when TLS failed, and what we told a peer that broke the protocol or sent too much.
    fileprivate func close(telling code: CloseCode?) -> ConnectionStatus.Close? {
        switch self {
        case .lost: ConnectionStatus.Close(code: .abnormal, reason: "")
        case .protocolViolation: ConnectionStatus.Close(code: code ?? .abnormal, reason: "")
        case .tls: ConnectionStatus.Close(code: .tlsFailed, reason: "")
        case .nameNotFound, .unreachable, .timedOut, .proxy, .badHandshake, .unavailable, .misconfigured,
            .missingLibrary:
            nil
        }
    }
}
