// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteURLSession
import Testing

@Suite("Foundation's errors as a link's failures")
struct LinkFailureURLSessionTests {
    static let rows: [(domain: String, code: Int, opening: LinkFailure.Kind, open: LinkFailure.Kind)] = [
        (NSURLErrorDomain, -1001, .timedOut, .timedOut),
        (NSURLErrorDomain, -1003, .nameNotFound, .nameNotFound),
        (NSURLErrorDomain, -1006, .nameNotFound, .nameNotFound),
        (NSURLErrorDomain, -1004, .unreachable, .unreachable),
        (NSURLErrorDomain, -1009, .unreachable, .unreachable),
        (NSURLErrorDomain, -1005, .lost, .lost),
        (NSURLErrorDomain, -999, .lost, .lost), (NSURLErrorDomain, -1011, .badHandshake, .lost),
        (NSURLErrorDomain, -1, .badHandshake, .lost),
        (NSURLErrorDomain, -1002, .unavailable, .unavailable),
        // By name: the numbers on Linux are others.
        (NSURLErrorDomain, NSURLErrorSecureConnectionFailed, .tls(.failed), .tls(.failed)),
        (
            NSURLErrorDomain, NSURLErrorServerCertificateHasBadDate, .tls(.certificateExpired),
            .tls(.certificateExpired)
        ),
        (NSURLErrorDomain, NSURLErrorServerCertificateUntrusted, .tls(.untrusted), .tls(.untrusted)),
        (
            NSURLErrorDomain, NSURLErrorServerCertificateHasUnknownRoot, .tls(.unknownAuthority),
            .tls(.unknownAuthority)
        ),
        (
            NSURLErrorDomain, NSURLErrorServerCertificateNotYetValid, .tls(.certificateNotYetValid),
            .tls(.certificateNotYetValid)
        ),
        (
            NSURLErrorDomain, NSURLErrorClientCertificateRequired, .tls(.clientCertificateRefused),
            .tls(.clientCertificateRefused)
        ),
        (NSURLErrorDomain, -1022, .unavailable, .unavailable),
        (NSPOSIXErrorDomain, Int(ECONNREFUSED), .unreachable, .unreachable),
        (NSPOSIXErrorDomain, Int(ENETUNREACH), .unreachable, .unreachable),
        (NSPOSIXErrorDomain, Int(ETIMEDOUT), .timedOut, .timedOut),
        (NSPOSIXErrorDomain, Int(ENOTCONN), .lost, .lost),
        (NSPOSIXErrorDomain, Int(ECONNRESET), .lost, .lost),
        (NSPOSIXErrorDomain, Int(EPIPE), .lost, .lost),
        (NSPOSIXErrorDomain, Int(ENOENT), .badHandshake, .lost),
        ("libcurl.Easy", 55, .badHandshake, .lost), ("", Int.max, .badHandshake, .lost),
        (NSPOSIXErrorDomain, Int.min, .badHandshake, .lost),
    ]

    @Test("Each has a kind, before the link is open and after", arguments: rows.indices)
    func kinds(row: Int) {
        let (domain, code, opening, open) = Self.rows[row]
        let error = NSError(domain: domain, code: code)
        #expect(LinkFailure(urlSession: error, isOpen: false).kind == opening)
        #expect(LinkFailure(urlSession: error, isOpen: true).kind == open)
        #expect(LinkFailure(urlSession: error, isOpen: true).message.contains("\(code)"))
    }

    @Test("A message beyond the limit is the server's fault, and told as 1009")
    func tooBig() {
        let error = NSError(domain: NSPOSIXErrorDomain, code: Int(EMSGSIZE))
        let failure = LinkFailure(urlSession: error, isOpen: true)
        #expect(failure.kind == .protocolViolation)
        #expect(failure.closeCode == .messageTooBig)
    }

    @Test("An end without an error is a lost connection")
    func none() {
        #expect(LinkFailure(urlSession: nil, isOpen: true).kind == .lost)
    }
}
