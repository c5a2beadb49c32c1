// SPDX-License-Identifier: Apache-2.0

import CSenteSystem
import SenteBase
import SenteSocket

/// TLS as a filter of bytes between a socket and its link, which the link's owner puts there.
///
/// Never used by two threads at once: it lives under its socket's lock.
///
/// ```
/// handshake ─ .done ─► secured ─► ended: close_notify came, or end()
///     └─────── a fault of either side ──────┴──► broken: nothing but what is to be sent
/// ```
final class TLSFilter {
    /// What is encrypted in one go at most.
    private static let chunk = 128 << 10
    /// What one record holds (RFC 8446 §5.1), and the most that it is longer once encrypted, with its header (§5.2).
    private static let record = (content: 16 << 10, overhead: 5 + 256)

    private let context: TLSContext
    private let library: TLSLibrary
    private let target: TLSTarget?
    private let ssl: OpaquePointer
    private let wire: UnsafeMutablePointer<TLSWire>
    private(set) var isSecured = false
    private var isBroken = false
    private var hasEnded = false
    private var firstByte: UInt8?
    /// A session that came before the peer was found to be the right one.
    private var earlySession: OpaquePointer?
    private var gotSession = false
    private var refused: TLSFailure.Certificate?
    /// The server asked for a certificate, and there is none.
    private var lacksIdentity = false
    /// How much of the link's output is encrypted, and not wholly taken by the kernel.
    private var unsettled = 0

    /// Connects to `target`, or accepts when it is nil; nil when there is no memory.
    init?(_ context: TLSContext, target: TLSTarget?) {
        let library = context.library
        guard let ssl = library.SSL_new(context.pointer) else { return nil }
        let wire = UnsafeMutablePointer<TLSWire>.allocate(capacity: 1)
        wire.initialize(to: TLSWire())
        guard let bio = TLSWireBIO.make(library, on: wire) else {
            library.SSL_free(ssl)
            wire.deinitialize(count: 1)
            wire.deallocate()
            return nil
        }
        self.context = context
        self.library = library
        self.target = target
        self.ssl = ssl
        self.wire = wire
        library.SSL_set_bio(ssl, bio, bio)
        _ = library.SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        if let target { connect(to: target) } else { library.SSL_set_accept_state(ssl) }
    }

    private func connect(to target: TLSTarget) {
        library.SSL_set_connect_state(ssl)
        if Dialer.Address(literal: target.host, port: 0) != nil {
            // RFC 6066 §3: addresses are not sent as server names.
            _ = library.X509_VERIFY_PARAM_set1_ip_asc(library.SSL_get0_param(ssl), target.host)
        } else {
            // The root's dot belongs to DNS; neither certificates nor server names have it.
            let name = target.host.hasSuffix(".") ? String(target.host.dropLast()) : target.host
            library.SSL_set_hostflags(ssl, TLSNumber.noPartialWildcards | TLSNumber.neverSubject)
            _ = library.SSL_set1_host(ssl, name)
            name.withCString {
                _ = library.SSL_ctrl(ssl, TLSNumber.setServerName, 0, UnsafeMutableRawPointer(mutating: $0))
            }
        }
        if let session = context.sessions.take(for: target) {
            _ = library.SSL_set_session(ssl, session)
            library.SSL_SESSION_free(session)
        }
    }

    deinit {
        if let earlySession { library.SSL_SESSION_free(earlySession) }
        // Else OpenSSL would forbid to resume the session of a connection that was cut.
        if isSecured, !isBroken { library.SSL_set_shutdown(ssl, TLSNumber.shutDownBothWays) }
        library.SSL_free(ssl)
        wire.deinitialize(count: 1)
        wire.deallocate()
    }

    // MARK: Bytes of the socket

    /// Hands over what was received; read on until `wouldBlock`, before the memory is used for something else.
    func give(_ bytes: UnsafeRawBufferPointer) {
        if firstByte == nil { firstByte = bytes.first }
        wire.pointee.input = bytes
    }

    /// Whether anything is to be sent.
    var hasOutput: Bool { wire.pointee.hasOutput }

    /// What is to be sent.
    var output: ArraySlice<UInt8> { wire.pointee.output }

    /// Counts what was sent; how much of the link's output has thereby left, all that it became.
    func wrote(_ count: Int) -> Int {
        wire.pointee.wrote(count)
        guard !hasOutput else { return 0 }
        defer { unsettled = 0 }
        return unsettled
    }

    // MARK: Bytes of the link

    /// Goes on with the handshake.
    func shakeHands() -> Transfer {
        guard !isBroken else { return .end }
        library.ERR_clear_error()
        let result = library.SSL_do_handshake(ssl)
        guard result == 1 else { return step(after: result) }
        if let failure = checkPins() {
            isBroken = true
            return .failed(failure)
        }
        isSecured = true
        keepEarlySession()
        return .bytes(0)
    }

    /// Decrypts into `region` until it is full or nothing is left.
    ///
    /// What came before an end or a fault is returned first.
    func read(into region: UnsafeMutableRawBufferPointer) -> Transfer {
        guard !isBroken else { return .end }
        var count = 0
        while count < region.count, let base = region.baseAddress {
            library.ERR_clear_error()
            let got = library.SSL_read(ssl, base + count, Int32(clamping: region.count - count))
            guard got > 0 else { return count > 0 ? .bytes(count) : step(after: got) }
            count += Int(got)
        }
        return .bytes(count)
    }

    /// Encrypts the front of `bytes`, which `wrote` counts when all of it has left; how much of it.
    func write(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        guard !isBroken, !hasEnded else { return .end }
        let whole = min(bytes.count, Self.chunk)
        wire.pointee.reserve(whole + (whole / Self.record.content + 1) * Self.record.overhead)
        while unsettled < whole, let base = bytes.baseAddress {
            library.ERR_clear_error()
            let put = library.SSL_write(ssl, base + unsettled, Int32(clamping: whole - unsettled))
            guard put > 0 else { return unsettled > 0 ? .bytes(unsettled) : step(after: put) }
            unsettled += Int(put)
        }
        return .bytes(unsettled)
    }

    /// Says that nothing more will be sent (close_notify, RFC 8446 §6.1).
    func end() {
        guard isSecured, !isBroken, !hasEnded else { return }
        hasEnded = true
        library.ERR_clear_error()
        _ = library.SSL_shutdown(ssl)
    }

    private func step(after result: Int32) -> Transfer {
        switch library.SSL_get_error(ssl, result) {
        case TLSNumber.wantsRead: return .wouldBlock
        case TLSNumber.zeroReturn: return .end
        default:
            isBroken = true
            return .failed(failure())
        }
    }

    // MARK: Faults

    private var words: TLSFailure { TLSFailure(host: target?.host, hasIdentity: context.hasIdentity) }

    private func failure() -> LinkFailure {
        defer { library.ERR_clear_error() }
        let verification = library.SSL_get_verify_result(ssl)
        if !isSecured, context.isVerifying, verification != 0 {
            // A folder of authorities is read when a certificate asks for one; without descriptors it seems empty.
            if let code = library.takeShortage() {
                return Platform.failure(code, "Reading the certificate authorities")
            }
            let reason =
                library.X509_verify_cert_error_string(verification).map { String(cString: $0) }
                ?? "no reason given"
            return words.verification(verification, reason, refused)
        }
        let code = library.ERR_peek_error()
        // ERR_GET_REASON of 1.1; the reasons of version 3 fit in as well. From 1000 they are alerts that came.
        let number = Int(code & 0xFFF)
        if (1000..<1256).contains(number) {
            return words.alert(number - 1000, lacksIdentity: lacksIdentity, isSecured: isSecured)
        }
        let reason = library.ERR_reason_error_string(code).map { String(cString: $0) } ?? "no reason given"
        return words.fault(reason, number: number, firstByte: firstByte, isSecured: isSecured)
    }

    /// The verify callback (SSL_CTX_set_verify(3)): changes nothing, and keeps what a person wants to know.
    static let noteCertificate: sente_verify_cb = { ok, store in
        guard ok == 0, let library = TLSLibrary.loaded,
            let ssl = library.X509_STORE_CTX_get_ex_data(
                store, library.SSL_get_ex_data_X509_STORE_CTX_idx()),
            let filter = find(OpaquePointer(ssl), library)
        else { return ok }
        let certificate = library.X509_STORE_CTX_get_current_cert(store)
        filter.refused = certificate.map { library.describe($0) }
        return ok
    }

    /// The callback for servers that ask for a certificate (SSL_CTX_set_client_cert_cb(3)): 0 shows none.
    static let noteRequest: sente_client_cert_cb = { ssl, _, _ in
        if let library = TLSLibrary.loaded { find(ssl, library)?.lacksIdentity = true }
        return 0
    }

    private static func find(_ ssl: OpaquePointer?, _ library: TLSLibrary) -> TLSFilter? {
        library.SSL_get_ex_data(ssl, 0).map { Unmanaged<TLSFilter>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: Pins

    /// One of the pinned keys must be in the chain (RFC 7469 §2.6); a resumed session had it.
    private func checkPins() -> LinkFailure? {
        guard !context.pinnedDigests.isEmpty, library.SSL_session_reused(ssl) == 0 else { return nil }
        var found: [String] = []
        if context.isVerifying, let chain = library.SSL_get0_verified_chain(ssl) {
            for index in 0..<library.OPENSSL_sk_num(chain) {
                guard let certificate = library.OPENSSL_sk_value(chain, index) else { continue }
                found.append(library.keyDigest(OpaquePointer(certificate)))
            }
        } else if let certificate = library.SSL_get1_peer_certificate(ssl) {
            found.append(library.keyDigest(certificate))
            library.X509_free(certificate)
        }
        let isPinned = found.contains { context.pinnedDigests.contains($0) }
        return isPinned ? nil : words.pinnedKeyDiffers(found: found)
    }

    // MARK: Sessions

    /// The callback for new sessions (SSL_CTX_sess_set_new_cb(3)): 1 takes the session over.
    static let keepSession: sente_new_session_cb = { ssl, session in
        guard let library = TLSLibrary.loaded, let filter = find(ssl, library), let session
        else { return 0 }
        filter.keep(session)
        return 1
    }

    private func keep(_ session: OpaquePointer) {
        gotSession = true
        if isSecured, let target {
            context.sessions.put(session, for: target)
        } else {
            if let earlySession { library.SSL_SESSION_free(earlySession) }
            earlySession = session
        }
    }

    private func keepEarlySession() {
        if let session = earlySession, let target {
            earlySession = nil
            context.sessions.put(session, for: target)
        } else if !gotSession, let target, library.SSL_session_reused(ssl) == 1,
            library.SSL_version(ssl) < TLSNumber.version13, let session = library.SSL_get1_session(ssl)
        {
            // TLS 1.2 resumes a session again and again, and a server need not give a new one.
            context.sessions.put(session, for: target)
        }
    }

    /// What the handshake came to.
    var agreement: TLSAgreement {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        library.SSL_get0_alpn_selected(ssl, &name, &count)
        return TLSAgreement(
            version: Int(library.SSL_version(ssl)),
            serverName: library.SSL_get_servername(ssl, 0).map { String(cString: $0) },
            applicationProtocol: String(
                decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self),
            isResumed: library.SSL_session_reused(ssl) == 1)
    }
}
