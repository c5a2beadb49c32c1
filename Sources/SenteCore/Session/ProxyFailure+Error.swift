// SPDX-License-Identifier: Apache-2.0

package import SenteBase

extension ProxyFailure {
    /// The error a failure stands for: whether the proxy or the server behind it could not be reached, and who is to do something.
    package var code: SenteError.Code {
        switch self {
        case .unusable: .invalidArgument
        case .unreachable, .ended: .proxyUnreachable
        case .silent: .timedOut
        case .malformed: .protocolMismatch
        // tinyproxy answers a wrong password with 401.
        case .status(401), .status(407), .noAcceptableMethod, .credentialsRefused: .proxyUnauthorized
        case .status, .reply: isMendable ? .unreachable : .proxyRefused
        }
    }

    /// Whether trying the same again can mend it.
    package var isMendable: Bool {
        switch self {
        case .unreachable, .silent, .ended: true
        case .unusable, .malformed, .noAcceptableMethod, .credentialsRefused: false
        // A gateway that got no answer, or has too much to do (RFC 9110 §15.6).
        case .status(let status): status == 408 || status == 429 || (500...599).contains(status)
        // RFC 1928 §6: 1 says nothing, 3 to 6 are about the server; 2, 7 and 8 about what may be asked for.
        case .reply(let reply): reply == 1 || (3...6).contains(reply)
        }
    }
}
