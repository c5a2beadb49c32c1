// SPDX-License-Identifier: Apache-2.0

import CSenteSystem
import SenteSocket

extension TLSLibrary {
    /// Base64 of the SHA-256 of a certificate's SubjectPublicKeyInfo (RFC 7469 §2.4).
    func keyDigest(_ certificate: OpaquePointer) -> String {
        let key = X509_get_X509_PUBKEY(certificate)
        var bytes = [UInt8](repeating: 0, count: max(0, Int(i2d_X509_PUBKEY(key, nil))))
        var digest = [UInt8](repeating: 0, count: 32)
        bytes.withUnsafeMutableBufferPointer { buffer in
            var target = buffer.baseAddress
            _ = i2d_X509_PUBKEY(key, &target)
            _ = EVP_Digest(buffer.baseAddress, buffer.count, &digest, nil, EVP_sha256(), nil)
        }
        return Base64.encode(digest)
    }

    /// What a person wants to know of a certificate.
    func describe(_ certificate: OpaquePointer) -> TLSFailure.Certificate {
        TLSFailure.Certificate(
            subject: text(X509_get_subject_name(certificate)),
            issuer: text(X509_get_issuer_name(certificate)),
            validFrom: date(X509_get0_notBefore(certificate)),
            validUntil: date(X509_get0_notAfter(certificate)))
    }

    /// A name in one line, printable and cut: whoever is at the other end has written it.
    private func text(_ name: OpaquePointer?) -> String {
        var buffer = [CChar](repeating: 0, count: 200)
        guard let name, X509_NAME_oneline(name, &buffer, Int32(buffer.count)) != nil else { return "no name" }
        let bytes = buffer.prefix { $0 != 0 }.map {
            (0x20..<0x7F).contains($0) ? UInt8($0) : UInt8(ascii: "?")
        }
        return bytes.isEmpty ? "no name" : String(decoding: bytes, as: UTF8.self)
    }

    private func date(_ time: OpaquePointer?) -> String {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return "an unknown date" }
        func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(Int(parts.tm_year) + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
    }
}
