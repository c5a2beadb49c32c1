// SPDX-License-Identifier: Apache-2.0

import CSenteSystem
package import SenteBase

/// What all connections with the same configuration share: an SSL_CTX, and the sessions to resume.
///
/// To make one reads files and parses certificates: do it off the loop. Afterwards it does not change.
package final class TLSContext: @unchecked Sendable {
    let library: TLSLibrary
    let pointer: OpaquePointer
    /// Whether the peer's certificate is checked.
    let isVerifying: Bool
    /// Whether the client has a certificate to show.
    let hasIdentity: Bool
    /// Base64 of the SHA-256 of keys of which the peer's chain must hold one; empty asks for none.
    let pinnedDigests: [String]
    let sessions: TLSSessions

    private init(
        _ library: TLSLibrary, isClient: Bool, isVerifying: Bool, hasIdentity: Bool,
        pinnedDigests: [String] = []
    ) throws(LinkFailure) {
        let method = isClient ? library.TLS_client_method() : library.TLS_server_method()
        guard let context = library.SSL_CTX_new(method) else {
            throw LinkFailure(.unavailable, "OpenSSL has no memory for a context.")
        }
        self.library = library
        pointer = context
        self.isVerifying = isVerifying
        self.hasIdentity = hasIdentity
        self.pinnedDigests = pinnedDigests
        sessions = TLSSessions(library)
    }

    deinit {
        library.SSL_CTX_free(pointer)
    }

    // MARK: For each role

    /// Tests have other authorities of the system than its own.
    package static func client(
        _ configuration: TLSConfiguration,
        system: (TLSLibrary) throws(LinkFailure) -> OpaquePointer = SystemRoots.load
    ) throws(LinkFailure) -> TLSContext {
        let library = try TLSLibrary.shared.get()
        let isVerifying = configuration.verification == .full
        let context = try TLSContext(
            library, isClient: true, isVerifying: isVerifying, hasIdentity: configuration.identity != nil,
            pinnedDigests: configuration.pinnedDigests)
        context.setUp()
        if isVerifying {
            try context.trust(configuration.roots, beside: system, "tls.roots")
            library.SSL_CTX_set_verify(context.pointer, TLSNumber.verifyPeer, TLSFilter.noteCertificate)
        }
        if let identity = configuration.identity {
            try context.use(
                identity.certificates, identity.key, passphrase: identity.passphrase, "tls.identity")
        } else {
            library.SSL_CTX_set_client_cert_cb(context.pointer, TLSFilter.noteRequest)
        }
        let names = TLSNumber.protocolNames
        _ = library.SSL_CTX_set_alpn_protos(context.pointer, names, UInt32(names.count))
        let mode = TLSNumber.cacheClient | TLSNumber.cacheOutside
        _ = library.SSL_CTX_ctrl(context.pointer, TLSNumber.setCacheMode, mode, nil)
        library.SSL_CTX_sess_set_new_cb(context.pointer, TLSFilter.keepSession)
        return context
    }

    package static func server(_ settings: ServerTLS) throws(LinkFailure) -> TLSContext {
        let library = try TLSLibrary.shared.get()
        let context = try TLSContext(
            library, isClient: false, isVerifying: settings.clientRoots != nil, hasIdentity: true)
        context.setUp()
        try context.use(settings.certificates, settings.key, passphrase: nil, "tls")
        if let roots = settings.clientRoots {
            try context.trust(.only(roots), beside: SystemRoots.load, "tls.clientRoots")
            library.SSL_CTX_set_verify(
                context.pointer, TLSNumber.verifyPeer | TLSNumber.failWithoutCertificate,
                TLSFilter.noteCertificate)
        }
        if settings.isLimitedToVersion12 {
            _ = library.SSL_CTX_ctrl(context.pointer, TLSNumber.setMaximum, TLSNumber.version12, nil)
        }
        if !settings.givesSessions {
            _ = library.SSL_CTX_set_num_tickets(context.pointer, 0)
            if MemoryLayout<UInt>.size == 8 {
                _ = library.SSL_CTX_set_options(context.pointer, TLSNumber.noTicket)
            }
        }
        library.SSL_CTX_set_alpn_select_cb(context.pointer, chooseProtocol, nil)
        // Sessions live in the tickets that clients keep; the server remembers nothing.
        _ = library.SSL_CTX_ctrl(context.pointer, TLSNumber.setCacheMode, 0, nil)
        _ = library.SSL_CTX_set_session_id_context(context.pointer, [0x73], 1)
        return context
    }

    private func setUp() {
        _ = library.SSL_CTX_ctrl(pointer, TLSNumber.setMinimum, TLSNumber.version12, nil)
        _ = library.SSL_CTX_ctrl(pointer, TLSNumber.setMode, TLSNumber.mode, nil)
        if MemoryLayout<UInt>.size == 8 {
            _ = library.SSL_CTX_set_options(pointer, TLSNumber.noRenegotiation)
        }
    }

    // MARK: Certificates

    private func trust(
        _ roots: TLSConfiguration.Roots, beside system: (TLSLibrary) throws(LinkFailure) -> OpaquePointer,
        _ setting: String
    ) throws(LinkFailure) {
        switch roots {
        case .system:
            library.SSL_CTX_set_cert_store(pointer, try SystemRoots.shared.retained(library))
        case .only(let source):
            try trust(source, besideThoseOf: library.X509_STORE_new(), setting)
        case .systemAnd(let source):
            // A store of its own, not a copy: a folder's authorities come into a store when they are asked for.
            try trust(source, besideThoseOf: try system(library), setting)
        }
    }

    private func trust(
        _ source: TLSConfiguration.PEM, besideThoseOf store: OpaquePointer?, _ setting: String
    ) throws(LinkFailure) {
        guard let store else {
            throw LinkFailure(.unavailable, "OpenSSL has no memory for certificates.")
        }
        // From now on it is the context's.
        library.SSL_CTX_set_cert_store(pointer, store)
        let certificates = try PEMReader(library: library).certificates(source, setting)
        for certificate in certificates.pointers { _ = library.X509_STORE_add_cert(store, certificate) }
        // What a user names as a root is one, whether or not it has signed itself.
        _ = library.X509_VERIFY_PARAM_set_flags(
            library.SSL_CTX_get0_param(pointer), TLSNumber.partialChain)
        library.ERR_clear_error()
    }

    /// Shows the certificates, and signs with the key.
    private func use(
        _ certificates: TLSConfiguration.PEM, _ key: TLSConfiguration.PEM, passphrase: String?,
        _ setting: String
    ) throws(LinkFailure) {
        let reader = PEMReader(library: library)
        let chain = try reader.certificates(certificates, "\(setting).certificates")
        let key = try reader.key(key, passphrase: passphrase, "\(setting).key")
        defer { library.ERR_clear_error() }
        guard let first = chain.pointers.first, library.SSL_CTX_use_certificate(pointer, first) == 1 else {
            throw LinkFailure(
                .misconfigured,
                "`\(setting).certificates` begins with a certificate that cannot be used (\(reason)).")
        }
        for certificate in chain.pointers.dropFirst() {
            _ = library.SSL_CTX_ctrl(
                pointer, TLSNumber.addToChain, TLSNumber.addReference, UnsafeMutableRawPointer(certificate))
        }
        guard library.SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1,
            library.SSL_CTX_check_private_key(pointer) == 1
        else {
            throw LinkFailure(
                .misconfigured,
                "`\(setting).key` is not the key of the first certificate in `\(setting).certificates`.")
        }
    }

    private var reason: String {
        library.ERR_reason_error_string(library.ERR_peek_error()).map { String(cString: $0) } ?? "no reason"
    }

    /// Servers: takes http/1.1 if it is offered, else refuses (RFC 7301 §3.2).
    private static let chooseProtocol: sente_alpn_select_cb = { _, out, outCount, offered, count, _ in
        let wanted = TLSNumber.protocolNames
        var rest = UnsafeBufferPointer(start: offered, count: Int(count))[...]
        while let length = rest.first, rest.count > Int(length) {
            let name = rest.dropFirst().prefix(Int(length))
            if name.elementsEqual(wanted.dropFirst()) {
                out?.pointee = offered.map { $0 + name.startIndex }
                outCount?.pointee = length
                return 0
            }
            rest = rest.dropFirst(1 + Int(length))
        }
        return TLSNumber.fatalAlert
    }
}
