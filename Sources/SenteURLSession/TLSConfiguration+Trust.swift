// SPDX-License-Identifier: Apache-2.0

#if canImport(Security)

import CryptoKit
import Foundation
import SenteBase
import SenteTransport
import Security

extension TLSConfiguration {
    /// Judges a server by what it shows: why it is not trusted, or nil when it is.
    ///
    /// The system has set up `trust` with the name that the certificate must hold. Not to be called on the main thread.
    func refusal(of trust: SecTrust, host: String) -> LinkFailure? {
        do throws(LinkFailure) {
            if verification == .full { try verify(trust, host) }
            try comparePins(trust, host)
            return nil
        } catch {
            return error
        }
    }

    private func verify(_ trust: SecTrust, _ host: String) throws(LinkFailure) {
        switch roots {
        case .system: break
        case .only(let pem): try anchor(trust, pem, alone: true)
        case .systemAnd(let pem): try anchor(trust, pem, alone: false)
        }
        var error: CFError?
        guard !SecTrustEvaluateWithError(trust, &error) else { return }
        let text = (error as (any Error)?)?.localizedDescription ?? "the system gives no reason"
        throw TLSFailure(host: host, hasIdentity: false)
            .verification(Self.number(error.map { CFErrorGetCode($0) }), text, nil)
    }

    /// The system's number as OpenSSL's, whose explanations are the better ones.
    private static func number(_ code: Int?) -> Int {
        switch code {
        case Int(errSecHostNameMismatch): 62
        case Int(errSecCertificateExpired): 10
        case Int(errSecCertificateNotValidYet): 9
        case Int(errSecNotTrusted), Int(errSecCreateChainFailed): 20
        default: 1
        }
    }

    private func anchor(_ trust: SecTrust, _ pem: PEM, alone: Bool) throws(LinkFailure) {
        let certificates = try pem.certificates("tls.roots").compactMap {
            SecCertificateCreateWithData(nil, $0 as CFData)
        }
        SecTrustSetAnchorCertificates(trust, certificates as CFArray)
        SecTrustSetAnchorCertificatesOnly(trust, alone)
    }

    private func comparePins(_ trust: SecTrust, _ host: String) throws(LinkFailure) {
        let pins = pinnedDigests
        guard !pins.isEmpty else { return }
        let chain = SecTrustCopyCertificateChain(trust) as? [SecCertificate] ?? []
        // Of a chain that nobody verified only the first key is proven to be the server's.
        let proven = verification == .full ? chain : Array(chain.prefix(1))
        let found = proven.compactMap { certificate -> String? in
            let key = SubjectPublicKeyInfo.bytes(in: Array(SecCertificateCopyData(certificate) as Data))
            return key.map { Data(CryptoKit.SHA256.hash(data: $0)).base64EncodedString() }
        }
        guard !found.contains(where: pins.contains) else { return }
        throw TLSFailure(host: host, hasIdentity: false).pinnedKeyDiffers(found: found)
    }
}

#endif
