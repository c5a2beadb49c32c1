// SPDX-License-Identifier: Apache-2.0

package import Foundation
package import SenteBase

extension LinkFailure {
    static let messageTooBig = LinkFailure(
        .protocolViolation, "The server sent a message beyond the limit.", closeCode: .messageTooBig)

    /// What an error of Foundation's means for a link.
    package init(urlSession error: NSError?, isOpen: Bool) {
        guard let error else {
            self.init(.lost, "The connection ended without a close frame.")
            return
        }
        if error.domain == NSPOSIXErrorDomain, error.code == Int(EMSGSIZE) {
            self = .messageTooBig
            return
        }
        let kind = Kind(error) ?? (isOpen ? .lost : .badHandshake)
        // Foundation on Linux traps on the description of a number that is no `errno`.
        let text = Int32(exactly: error.code) == nil ? "An error" : error.localizedDescription
        self.init(kind, "\(text) (\(error.domain) \(error.code))")
    }
}

extension LinkFailure.Kind {
    /// Nil where the error says nothing that its time does not say better.
    fileprivate init?(_ error: NSError) {
        switch error.domain {
        case NSURLErrorDomain: self.init(urlCode: error.code)
        case NSPOSIXErrorDomain: self.init(number: Int32(clamping: error.code))
        default: return nil
        }
    }

    private init?(urlCode: Int) {
        switch urlCode {
        case NSURLErrorTimedOut: self = .timedOut
        case NSURLErrorCannotFindHost, NSURLErrorDNSLookupFailed: self = .nameNotFound
        case NSURLErrorCannotConnectToHost, NSURLErrorNotConnectedToInternet, NSURLErrorDataNotAllowed,
            NSURLErrorCallIsActive, NSURLErrorInternationalRoamingOff:
            self = .unreachable
        case NSURLErrorNetworkConnectionLost, NSURLErrorCancelled: self = .lost
        case NSURLErrorSecureConnectionFailed: self = .tls(.failed)
        case NSURLErrorServerCertificateHasBadDate: self = .tls(.certificateExpired)
        case NSURLErrorServerCertificateNotYetValid: self = .tls(.certificateNotYetValid)
        case NSURLErrorServerCertificateHasUnknownRoot: self = .tls(.unknownAuthority)
        // That of a wrong name, too.
        case NSURLErrorServerCertificateUntrusted: self = .tls(.untrusted)
        case NSURLErrorClientCertificateRejected, NSURLErrorClientCertificateRequired:
            self = .tls(.clientCertificateRefused)
        // Linux, without a libcurl that has WebSocket; and Apple's App Transport Security, which wants `wss:`.
        case NSURLErrorUnsupportedURL, NSURLErrorBadURL,
            NSURLErrorAppTransportSecurityRequiresSecureConnection:
            self = .unavailable
        default: return nil
        }
    }

    private init?(number: Int32) {
        switch number {
        case ECONNREFUSED, ENETDOWN, ENETUNREACH, EHOSTUNREACH, EHOSTDOWN: self = .unreachable
        case ETIMEDOUT: self = .timedOut
        case EPIPE, ECONNABORTED, ECONNRESET, ENOTCONN: self = .lost
        default: return nil
        }
    }
}
