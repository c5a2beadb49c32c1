// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What a fault of TLS means, as a failure that says what to do.
///
/// The numbers are OpenSSL's (`x509_vfy.h`) and those of alerts (RFC 8446 §6).
package struct TLSFailure {
    /// The server's name or address; nil for a server, whose peer is a client.
    let host: String?
    /// Whether the client has a certificate to show.
    let hasIdentity: Bool

    /// What is known of the certificate that was not accepted.
    package struct Certificate: Hashable {
        package var subject: String
        package var issuer: String
        /// Dates such as 2026-11-21.
        package var validFrom: String
        package var validUntil: String

        package init(subject: String, issuer: String, validFrom: String, validUntil: String) {
            self.subject = subject
            self.issuer = issuer
            self.validFrom = validFrom
            self.validUntil = validUntil
        }
    }

    package init(host: String?, hasIdentity: Bool) {
        self.host = host
        self.hasIdentity = hasIdentity
    }

    private var peer: String { host ?? "the client" }

    /// A certificate was checked and not accepted.
    package func verification(_ code: Int, _ reason: String, _ certificate: Certificate?) -> LinkFailure {
        let subject = certificate.map { " (\($0.subject))" } ?? ""
        switch code {
        case 10:
            let date = certificate.map { " on \($0.validUntil)" } ?? ""
            return LinkFailure(
                .tls(.certificateExpired),
                "A certificate of \(peer)\(subject) expired\(date). The server needs a new one, unless the clock "
                    + "here is wrong.")
        case 9:
            let date = certificate.map { " before \($0.validFrom)" } ?? " yet"
            return LinkFailure(
                .tls(.certificateNotYetValid),
                "A certificate of \(peer)\(subject) is not valid\(date). Check the clock here, then the "
                    + "certificate.")
        case 18:
            return LinkFailure(
                .tls(.selfSigned),
                "The certificate of \(peer)\(subject) is signed by itself alone. If it is the right one, give it in "
                    + "`tls.roots`.")
        case 2, 19, 20, 21, 27:
            let issuer = certificate.map { ", \($0.issuer)," } ?? ""
            return LinkFailure(
                .tls(.unknownAuthority),
                "No authority that is trusted here vouches for \(peer). Add the issuer\(issuer) to `tls.roots`, or "
                    + "let the server send its intermediate certificates.")
        case 62, 64:
            let name = code == 62 ? "name" : "address"
            return LinkFailure(
                .tls(.wrongHost),
                "The certificate\(subject) does not hold the \(name) \(peer) as subjectAltName, which alone counts. "
                    + "Connect to a name it holds, or give the server a certificate for this one.")
        default:
            return LinkFailure(
                .tls(.untrusted), "The certificate of \(peer)\(subject) is not accepted: \(reason).")
        }
    }

    package func pinnedKeyDiffers(found: [String]) -> LinkFailure {
        LinkFailure(
            .tls(.pinnedKeyDiffers),
            "None of `tls.pinnedKeys` is in the certificates of \(peer), whose keys are "
                + "\(found.map { "sha256/\($0)" }.joined(separator: ", ")). Someone may be listening in, or the server "
                + "has a new key.")
    }

    /// The peer ended TLS with a fatal alert.
    ///
    /// What came of the client's certificate in TLS 1.3 is known to the client only after its own handshake; in TLS 1.2
    /// a server that gets none may say 40, as for anything else.
    package func alert(_ number: Int, lacksIdentity: Bool = false, isSecured: Bool) -> LinkFailure {
        guard host != nil else {
            return LinkFailure(.tls(.failed), "The client ended TLS with alert \(number).")
        }
        switch number {
        case 42...46, 48, 49, 116,
            _ where lacksIdentity && number == 40:
            let text =
                hasIdentity
                ? "\(peer) did not accept the certificate in `tls.identity` (alert \(number))."
                : "\(peer) wants a client certificate: set `tls.identity` (alert \(number))."
            return LinkFailure(.tls(.clientCertificateRefused), text)
        case 80, 90: return LinkFailure(.lost, "\(peer) ended TLS for a reason of its own (alert \(number)).")
        case _ where isSecured: return LinkFailure(.lost, "\(peer) ended TLS with alert \(number).")
        case 70:
            return LinkFailure(.tls(.failed), "\(peer) does not speak TLS 1.2 or later (alert 70).")
        case 112:
            return LinkFailure(
                .tls(.failed), "\(peer) serves no host of that name (alert 112): check the URL.")
        case 120:
            return LinkFailure(.tls(.failed), "\(peer) does not speak HTTP/1.1 on this port (alert 120).")
        default:
            return LinkFailure(.tls(.failed), "\(peer) refused the TLS handshake (alert \(number)).")
        }
    }

    /// OpenSSL gave up by itself: what came was wrong.
    package func fault(_ reason: String, number: Int, firstByte: UInt8?, isSecured: Bool) -> LinkFailure {
        // SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE
        if host == nil, number == 199 {
            return LinkFailure(.tls(.clientCertificateRefused), "The client showed no certificate.")
        }
        if isSecured { return LinkFailure(.lost, "TLS with \(peer) broke: \(reason).") }
        // The first byte of every record is its type, 20 to 24 (RFC 8446 §5.1).
        if let firstByte, !(20...24).contains(firstByte) {
            let advice = host == nil ? "" : " Use ws: if the server offers nothing else, or check the port."
            return LinkFailure(.tls(.failed), "\(peer) does not speak TLS.\(advice)")
        }
        // SSL_R_UNSUPPORTED_PROTOCOL
        if number == 258 {
            return LinkFailure(.tls(.failed), "\(peer) does not speak TLS 1.2 or later.")
        }
        return LinkFailure(.tls(.failed), "The TLS handshake with \(peer) failed: \(reason).")
    }
}
