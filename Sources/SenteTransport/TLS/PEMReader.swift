// SPDX-License-Identifier: Apache-2.0

import CSenteSystem
import SenteBase

/// Reads certificates and keys from PEM, or says which setting holds none.
struct PEMReader {
    /// Certificates, freed with their holder.
    final class Certificates {
        let pointers: [OpaquePointer]
        private let library: TLSLibrary

        fileprivate init(_ pointers: [OpaquePointer], _ library: TLSLibrary) {
            self.pointers = pointers
            self.library = library
        }

        deinit {
            for pointer in pointers { library.X509_free(pointer) }
        }
    }

    /// A private key, freed with its holder.
    final class Key {
        let pointer: OpaquePointer
        private let library: TLSLibrary

        fileprivate init(_ pointer: OpaquePointer, _ library: TLSLibrary) {
            self.pointer = pointer
            self.library = library
        }

        deinit {
            library.EVP_PKEY_free(pointer)
        }
    }

    /// PEM_R_NO_START_LINE: nothing more in the text.
    private static let noStartLine: UInt = 108

    let library: TLSLibrary

    /// All the certificates of `source`, at least one.
    func certificates(_ source: TLSConfiguration.PEM, _ setting: String) throws(LinkFailure) -> Certificates {
        let bytes = try source.bytes(setting)
        var found: [OpaquePointer] = []
        var isWhole = false
        try withBIO(bytes) { bio in
            library.ERR_clear_error()
            // The user pointer "" keeps OpenSSL from asking a person for a password.
            while let next = "".withCString({
                library.PEM_read_bio_X509(bio, nil, nil, UnsafeMutableRawPointer(mutating: $0))
            }) {
                found.append(next)
            }
            isWhole = library.ERR_peek_last_error() & 0xFFF == Self.noStartLine
            library.ERR_clear_error()
        }
        let certificates = Certificates(found, library)
        guard !found.isEmpty, isWhole else {
            throw LinkFailure(
                .misconfigured,
                "`\(setting)` holds \(found.isEmpty ? "no certificate" : "a damaged certificate"): "
                    + "give PEM text with -----BEGIN CERTIFICATE-----.")
        }
        return certificates
    }

    func key(
        _ source: TLSConfiguration.PEM, passphrase: String?, _ setting: String
    ) throws(LinkFailure) -> Key {
        let bytes = try source.bytes(setting)
        var key: OpaquePointer?
        try withBIO(bytes) { bio in
            key = (passphrase ?? "").withCString {
                library.PEM_read_bio_PrivateKey(bio, nil, nil, UnsafeMutableRawPointer(mutating: $0))
            }
            library.ERR_clear_error()
        }
        guard let key else {
            let advice =
                passphrase == nil
                ? "give PEM text with a private key, and the passphrase if it is encrypted."
                : "give PEM text with a private key, and the passphrase it is encrypted with."
            throw LinkFailure(.misconfigured, "`\(setting)` holds no key that can be read: \(advice)")
        }
        return Key(key, library)
    }

    private func withBIO(_ bytes: [UInt8], _ body: (OpaquePointer) -> Void) throws(LinkFailure) {
        let hasMemory = bytes.withUnsafeBytes { buffer in
            guard !buffer.isEmpty else { return true }
            guard let bio = library.BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else {
                return false
            }
            body(bio)
            _ = library.BIO_free(bio)
            return true
        }
        if !hasMemory { throw LinkFailure(.unavailable, "OpenSSL has no memory for certificates.") }
    }
}
