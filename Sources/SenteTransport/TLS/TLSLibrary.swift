// SPDX-License-Identifier: Apache-2.0

import CSenteSystem
package import SenteBase

/// The system's OpenSSL, loaded at run time so that nothing is needed to build, nor to run without TLS.
///
/// The functions have the names of their manual pages.
package final class TLSLibrary: Sendable {
    #if canImport(Darwin)
    package static let names = [
        "libssl.3.dylib", "/opt/homebrew/opt/openssl@3/lib/libssl.3.dylib",
        "/usr/local/opt/openssl@3/lib/libssl.3.dylib",
    ]
    #else
    package static let names = ["libssl.so.3", "libssl.so.1.1"]
    #endif

    /// The library, loaded once it is there; ask off the loop.
    package static var shared: Result<TLSLibrary, LinkFailure> {
        made.result { () throws(LinkFailure) in
            let library = try TLSLibrary(names: names)
            loaded = library
            return library
        }
    }
    private static let made = MadeOnce<TLSLibrary>()

    /// The shared library, for OpenSSL's callbacks, which have no other way to it.
    ///
    /// Written once, before there is anything that could call back, and therefore read without a lock.
    nonisolated(unsafe) private(set) static var loaded: TLSLibrary?

    // libssl
    let OPENSSL_init_ssl: sente_OPENSSL_init_ssl
    let TLS_client_method: sente_TLS_client_method
    let TLS_server_method: sente_TLS_server_method
    let SSL_CTX_new: sente_SSL_CTX_new
    let SSL_CTX_free: sente_SSL_CTX_free
    let SSL_CTX_ctrl: sente_SSL_CTX_ctrl
    let SSL_CTX_set_options: sente_SSL_CTX_set_options
    let SSL_CTX_set_verify: sente_SSL_CTX_set_verify
    let SSL_CTX_set_client_cert_cb: sente_SSL_CTX_set_client_cert_cb
    let SSL_CTX_set_cert_store: sente_SSL_CTX_set_cert_store
    let SSL_CTX_get0_param: sente_SSL_CTX_get0_param
    let SSL_CTX_set_alpn_protos: sente_SSL_CTX_set_alpn_protos
    let SSL_CTX_set_alpn_select_cb: sente_SSL_CTX_set_alpn_select_cb
    let SSL_CTX_set_num_tickets: sente_SSL_CTX_set_num_tickets
    let SSL_CTX_sess_set_new_cb: sente_SSL_CTX_sess_set_new_cb
    let SSL_CTX_set_session_id_context: sente_SSL_CTX_set_session_id_context
    let SSL_CTX_use_certificate: sente_SSL_CTX_use_certificate
    let SSL_CTX_use_PrivateKey: sente_SSL_CTX_use_PrivateKey
    let SSL_CTX_check_private_key: sente_SSL_CTX_check_private_key
    let SSL_new: sente_SSL_new
    let SSL_free: sente_SSL_free
    let SSL_ctrl: sente_SSL_ctrl
    let SSL_set1_host: sente_SSL_set1_host
    let SSL_set_hostflags: sente_SSL_set_hostflags
    let SSL_get0_param: sente_SSL_get0_param
    let SSL_set_bio: sente_SSL_set_bio
    let SSL_set_connect_state: sente_SSL_set_connect_state
    let SSL_set_accept_state: sente_SSL_set_accept_state
    let SSL_do_handshake: sente_SSL_do_handshake
    let SSL_read: sente_SSL_read
    let SSL_write: sente_SSL_write
    let SSL_shutdown: sente_SSL_shutdown
    let SSL_set_shutdown: sente_SSL_set_shutdown
    let SSL_get_error: sente_SSL_get_error
    let SSL_get_verify_result: sente_SSL_get_verify_result
    let SSL_get1_peer_certificate: sente_SSL_get1_peer_certificate
    let SSL_get0_verified_chain: sente_SSL_get0_verified_chain
    let SSL_set_session: sente_SSL_set_session
    let SSL_get1_session: sente_SSL_get1_session
    let SSL_session_reused: sente_SSL_session_reused
    let SSL_SESSION_free: sente_SSL_SESSION_free
    let SSL_version: sente_SSL_version
    let SSL_set_ex_data: sente_SSL_set_ex_data
    let SSL_get_ex_data: sente_SSL_get_ex_data
    let SSL_get_ex_data_X509_STORE_CTX_idx: sente_SSL_get_ex_data_X509_STORE_CTX_idx
    let SSL_get_servername: sente_SSL_get_servername
    let SSL_get0_alpn_selected: sente_SSL_get0_alpn_selected

    // libcrypto, on which libssl depends, so that its functions are found by way of libssl
    let ERR_get_error: sente_ERR_get_error
    let ERR_peek_error: sente_ERR_peek_error
    let ERR_peek_last_error: sente_ERR_peek_last_error
    let ERR_clear_error: sente_ERR_clear_error
    let ERR_reason_error_string: sente_ERR_reason_error_string
    let BIO_get_new_index: sente_BIO_get_new_index
    let BIO_meth_new: sente_BIO_meth_new
    let BIO_meth_set_read: sente_BIO_meth_set_read
    let BIO_meth_set_write: sente_BIO_meth_set_write
    let BIO_meth_set_ctrl: sente_BIO_meth_set_ctrl
    let BIO_new: sente_BIO_new
    let BIO_new_mem_buf: sente_BIO_new_mem_buf
    let BIO_free: sente_BIO_free
    let BIO_set_data: sente_BIO_set_data
    let BIO_get_data: sente_BIO_get_data
    let BIO_set_flags: sente_BIO_set_flags
    let BIO_clear_flags: sente_BIO_clear_flags
    let PEM_read_bio_X509: sente_PEM_read_bio_X509
    let PEM_read_bio_PrivateKey: sente_PEM_read_bio_PrivateKey
    let EVP_PKEY_free: sente_EVP_PKEY_free
    let EVP_Digest: sente_EVP_Digest
    let EVP_sha256: sente_EVP_sha256
    let OPENSSL_sk_num: sente_OPENSSL_sk_num
    let OPENSSL_sk_value: sente_OPENSSL_sk_value
    let X509_free: sente_X509_free
    let X509_get_subject_name: sente_X509_get_subject_name
    let X509_get_issuer_name: sente_X509_get_issuer_name
    let X509_NAME_oneline: sente_X509_NAME_oneline
    let X509_get0_notBefore: sente_X509_get0_notBefore
    let X509_get0_notAfter: sente_X509_get0_notAfter
    let ASN1_TIME_to_tm: sente_ASN1_TIME_to_tm
    let X509_get_X509_PUBKEY: sente_X509_get_X509_PUBKEY
    let i2d_X509_PUBKEY: sente_i2d_X509_PUBKEY
    let X509_STORE_new: sente_X509_STORE_new
    let X509_STORE_free: sente_X509_STORE_free
    let X509_STORE_up_ref: sente_X509_STORE_up_ref
    let X509_STORE_add_cert: sente_X509_STORE_add_cert
    let X509_STORE_set_default_paths: sente_X509_STORE_set_default_paths
    let X509_STORE_load_locations: sente_X509_STORE_load_locations
    let X509_STORE_get0_objects: sente_X509_STORE_get0_objects
    let X509_STORE_CTX_get_current_cert: sente_X509_STORE_CTX_get_current_cert
    let X509_STORE_CTX_get_ex_data: sente_X509_STORE_CTX_get_ex_data
    let X509_VERIFY_PARAM_set1_ip_asc: sente_X509_VERIFY_PARAM_set1_ip_asc
    let X509_VERIFY_PARAM_set_flags: sente_X509_VERIFY_PARAM_set_flags
    let X509_verify_cert_error_string: sente_X509_verify_cert_error_string

    /// The method of every BIO on a `TLSWire`; never freed.
    nonisolated(unsafe) let wireMethod: OpaquePointer

    /// OPENSSL_init_ssl(3): the library would take itself apart when the program exits, under the loop's feet.
    private static let withoutExitHandler: UInt64 = 0x80000

    /// Loads the first of the libraries that is there; it stays loaded.
    package init(
        names: [String], load: (String) -> SharedLibrary.Attempt = SharedLibrary.load
    ) throws(LinkFailure) {
        guard let library = try SharedLibrary(names, load: load) else {
            throw LinkFailure(
                .missingLibrary,
                "wss: needs OpenSSL, and \(names.joined(separator: " or ")) cannot be loaded. Install libssl3 "
                    + "(Debian, Ubuntu, Alpine), openssl-libs (Fedora) or openssl (Arch).")
        }
        func function<F>(_ name: String, _ type: F.Type = F.self) throws(LinkFailure) -> F {
            // Version 3 has the name that says who frees, 1.1 the old one for the same (SSL_get_peer_certificate(3)).
            let olderName = name == "SSL_get1_peer_certificate" ? "SSL_get_peer_certificate" : name
            guard let function = library.function(name) ?? library.function(olderName, as: F.self) else {
                throw LinkFailure(
                    .missingLibrary,
                    "The library named OpenSSL has no function \(name); install OpenSSL 1.1.1 or 3.")
            }
            return function
        }
        OPENSSL_init_ssl = try function("OPENSSL_init_ssl")
        TLS_client_method = try function("TLS_client_method")
        TLS_server_method = try function("TLS_server_method")
        SSL_CTX_new = try function("SSL_CTX_new")
        SSL_CTX_free = try function("SSL_CTX_free")
        SSL_CTX_ctrl = try function("SSL_CTX_ctrl")
        SSL_CTX_set_options = try function("SSL_CTX_set_options")
        SSL_CTX_set_verify = try function("SSL_CTX_set_verify")
        SSL_CTX_set_client_cert_cb = try function("SSL_CTX_set_client_cert_cb")
        SSL_CTX_set_cert_store = try function("SSL_CTX_set_cert_store")
        SSL_CTX_get0_param = try function("SSL_CTX_get0_param")
        SSL_CTX_set_alpn_protos = try function("SSL_CTX_set_alpn_protos")
        SSL_CTX_set_alpn_select_cb = try function("SSL_CTX_set_alpn_select_cb")
        SSL_CTX_set_num_tickets = try function("SSL_CTX_set_num_tickets")
        SSL_CTX_sess_set_new_cb = try function("SSL_CTX_sess_set_new_cb")
        SSL_CTX_set_session_id_context = try function("SSL_CTX_set_session_id_context")
        SSL_CTX_use_certificate = try function("SSL_CTX_use_certificate")
        SSL_CTX_use_PrivateKey = try function("SSL_CTX_use_PrivateKey")
        SSL_CTX_check_private_key = try function("SSL_CTX_check_private_key")
        SSL_new = try function("SSL_new")
        SSL_free = try function("SSL_free")
        SSL_ctrl = try function("SSL_ctrl")
        SSL_set1_host = try function("SSL_set1_host")
        SSL_set_hostflags = try function("SSL_set_hostflags")
        SSL_get0_param = try function("SSL_get0_param")
        SSL_set_bio = try function("SSL_set_bio")
        SSL_set_connect_state = try function("SSL_set_connect_state")
        SSL_set_accept_state = try function("SSL_set_accept_state")
        SSL_do_handshake = try function("SSL_do_handshake")
        SSL_read = try function("SSL_read")
        SSL_write = try function("SSL_write")
        SSL_shutdown = try function("SSL_shutdown")
        SSL_set_shutdown = try function("SSL_set_shutdown")
        SSL_get_error = try function("SSL_get_error")
        SSL_get_verify_result = try function("SSL_get_verify_result")
        SSL_get1_peer_certificate = try function("SSL_get1_peer_certificate")
        SSL_get0_verified_chain = try function("SSL_get0_verified_chain")
        SSL_set_session = try function("SSL_set_session")
        SSL_get1_session = try function("SSL_get1_session")
        SSL_session_reused = try function("SSL_session_reused")
        SSL_SESSION_free = try function("SSL_SESSION_free")
        SSL_version = try function("SSL_version")
        SSL_set_ex_data = try function("SSL_set_ex_data")
        SSL_get_ex_data = try function("SSL_get_ex_data")
        SSL_get_ex_data_X509_STORE_CTX_idx = try function("SSL_get_ex_data_X509_STORE_CTX_idx")
        SSL_get_servername = try function("SSL_get_servername")
        SSL_get0_alpn_selected = try function("SSL_get0_alpn_selected")
        ERR_get_error = try function("ERR_get_error")
        ERR_peek_error = try function("ERR_peek_error")
        ERR_peek_last_error = try function("ERR_peek_last_error")
        ERR_clear_error = try function("ERR_clear_error")
        ERR_reason_error_string = try function("ERR_reason_error_string")
        BIO_get_new_index = try function("BIO_get_new_index")
        BIO_meth_new = try function("BIO_meth_new")
        BIO_meth_set_read = try function("BIO_meth_set_read")
        BIO_meth_set_write = try function("BIO_meth_set_write")
        BIO_meth_set_ctrl = try function("BIO_meth_set_ctrl")
        BIO_new = try function("BIO_new")
        BIO_new_mem_buf = try function("BIO_new_mem_buf")
        BIO_free = try function("BIO_free")
        BIO_set_data = try function("BIO_set_data")
        BIO_get_data = try function("BIO_get_data")
        BIO_set_flags = try function("BIO_set_flags")
        BIO_clear_flags = try function("BIO_clear_flags")
        PEM_read_bio_X509 = try function("PEM_read_bio_X509")
        PEM_read_bio_PrivateKey = try function("PEM_read_bio_PrivateKey")
        EVP_PKEY_free = try function("EVP_PKEY_free")
        EVP_Digest = try function("EVP_Digest")
        EVP_sha256 = try function("EVP_sha256")
        OPENSSL_sk_num = try function("OPENSSL_sk_num")
        OPENSSL_sk_value = try function("OPENSSL_sk_value")
        X509_free = try function("X509_free")
        X509_get_subject_name = try function("X509_get_subject_name")
        X509_get_issuer_name = try function("X509_get_issuer_name")
        X509_NAME_oneline = try function("X509_NAME_oneline")
        X509_get0_notBefore = try function("X509_get0_notBefore")
        X509_get0_notAfter = try function("X509_get0_notAfter")
        ASN1_TIME_to_tm = try function("ASN1_TIME_to_tm")
        X509_get_X509_PUBKEY = try function("X509_get_X509_PUBKEY")
        i2d_X509_PUBKEY = try function("i2d_X509_PUBKEY")
        X509_STORE_new = try function("X509_STORE_new")
        X509_STORE_free = try function("X509_STORE_free")
        X509_STORE_up_ref = try function("X509_STORE_up_ref")
        X509_STORE_add_cert = try function("X509_STORE_add_cert")
        X509_STORE_set_default_paths = try function("X509_STORE_set_default_paths")
        X509_STORE_load_locations = try function("X509_STORE_load_locations")
        X509_STORE_get0_objects = try function("X509_STORE_get0_objects")
        X509_STORE_CTX_get_current_cert = try function("X509_STORE_CTX_get_current_cert")
        X509_STORE_CTX_get_ex_data = try function("X509_STORE_CTX_get_ex_data")
        X509_VERIFY_PARAM_set1_ip_asc = try function("X509_VERIFY_PARAM_set1_ip_asc")
        X509_VERIFY_PARAM_set_flags = try function("X509_VERIFY_PARAM_set_flags")
        X509_verify_cert_error_string = try function("X509_verify_cert_error_string")
        // OpenSSL keeps for the life of the process that it could not open its configuration.
        try Platform.needDescriptor(for: "Beginning OpenSSL")
        guard OPENSSL_init_ssl(Self.withoutExitHandler, nil) == 1 else {
            throw LinkFailure(.missingLibrary, "OpenSSL could not begin; its configuration may be broken.")
        }
        guard let method = BIO_meth_new(BIO_get_new_index() | TLSWireBIO.sourceAndSink, "sente wire") else {
            throw LinkFailure(.unavailable, "OpenSSL has no memory to begin with.")
        }
        _ = BIO_meth_set_read(method, TLSWireBIO.readBytes)
        _ = BIO_meth_set_write(method, TLSWireBIO.writeBytes)
        _ = BIO_meth_set_ctrl(method, TLSWireBIO.control)
        wireMethod = method
    }

    /// Takes all faults out of this thread's queue; the first that was a want of descriptors or memory.
    func takeShortage() -> Int32? {
        var shortage: Int32?
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return shortage }
            // Version 3 marks the system's numbers with the highest bit of 32, 1.1 counts them as library 2.
            let number: UInt? =
                code & 0x8000_0000 != 0
                ? code & 0x7FFF_FFFF : code >> 24 == 2 ? code & 0xFFF : nil
            if shortage == nil { shortage = Platform.shortages.first { number == UInt($0) } }
        }
    }
}
