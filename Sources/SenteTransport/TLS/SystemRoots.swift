// SPDX-License-Identifier: Apache-2.0

import CSenteSystem
package import SenteBase

/// The certificate authorities of the system, read once: some 20 ms and 750 KiB, shared by all contexts.
///
/// It reads files: ask off the loop.
package final class SystemRoots: @unchecked Sendable {
    static let shared = SystemRoots()

    /// Where distributions keep their bundle, for a library that was built for another layout: Debian and Arch,
    /// Fedora (two), openSUSE, Alpine, FreeBSD.
    private static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
        "/usr/local/share/certs/ca-root-nss.crt",
    ]

    private let made = MadeOnce<OpaquePointer>()

    /// An X509_STORE; the caller frees its reference.
    func retained(_ library: TLSLibrary) throws(LinkFailure) -> OpaquePointer {
        let store = try made.get { () throws(LinkFailure) in try Self.load(library) }
        _ = library.X509_STORE_up_ref(store)
        return store
    }

    /// A store of the caller's own, which may add to it.
    package static func load(_ library: TLSLibrary) throws(LinkFailure) -> OpaquePointer {
        try load(library, ownPlaces: .builtIn, bundles: bundles, environment: environment)
    }

    /// Where OpenSSL looks by itself.
    package enum OwnPlaces: Sendable {
        /// In those it was built with, which `SSL_CERT_FILE` and `SSL_CERT_DIR` replace.
        case builtIn
        /// In a folder that has certificates under the hashes of their names, or nowhere: for tests.
        case folder(String?)
    }

    /// Reads the library's own places, else the first bundle that holds any.
    package static func load(
        _ library: TLSLibrary, ownPlaces: OwnPlaces, bundles: [String], environment: (String) -> String?
    ) throws(LinkFailure) -> OpaquePointer {
        let action = "Reading the certificate authorities"
        try Platform.needDescriptor(for: action)
        library.ERR_clear_error()
        guard let store = library.X509_STORE_new() else {
            throw LinkFailure(.unavailable, "There is no memory for the certificate authorities.")
        }
        switch ownPlaces {
        case .builtIn: _ = library.X509_STORE_set_default_paths(store)
        case .folder(let folder): _ = library.X509_STORE_load_locations(store, nil, folder)
        }
        let (file, folder) = (environment("SSL_CERT_FILE"), environment("SSL_CERT_DIR"))
        if count(store, library) == 0, file == nil, folder == nil {
            for bundle in bundles where count(store, library) == 0 {
                _ = library.X509_STORE_load_locations(store, bundle, nil)
            }
        }
        let shortage = library.takeShortage()
        // A folder is searched when a server's certificate asks for it.
        if count(store, library) > 0 || folder != nil && shortage == nil { return store }
        library.X509_STORE_free(store)
        if let shortage { throw Platform.failure(shortage, action) }
        if let file {
            throw LinkFailure(
                .misconfigured, "SSL_CERT_FILE names the file \(file), which holds no certificate authority.")
        }
        throw LinkFailure(
            .missingLibrary,
            "This system has no certificate authorities that could vouch for a server. Install ca-certificates, "
                + "set SSL_CERT_FILE, or give `tls.roots`.")
    }

    package static func count(_ store: OpaquePointer, _ library: TLSLibrary) -> Int {
        Int(library.OPENSSL_sk_num(library.X509_STORE_get0_objects(store)))
    }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }
}
