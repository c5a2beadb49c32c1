// SPDX-License-Identifier: Apache-2.0

/// The numbers behind OpenSSL's macros (`ssl.h`, `tls1.h`, `x509_vfy.h`), the same in 1.1 and 3.
enum TLSNumber {
    // SSL_CTX_ctrl(3) and SSL_ctrl(3)
    static let setMode: Int32 = 33
    static let setCacheMode: Int32 = 44
    static let setServerName: Int32 = 55
    static let addToChain: Int32 = 89
    static let setMinimum: Int32 = 123
    static let setMaximum: Int32 = 124

    /// ENABLE_PARTIAL_WRITE, ACCEPT_MOVING_WRITE_BUFFER, AUTO_RETRY, RELEASE_BUFFERS: an idle connection owns none.
    static let mode = 0x1 | 0x2 | 0x4 | 0x10
    static let noRenegotiation: UInt = 1 << 30
    static let noTicket: UInt = 1 << 14
    static let version12 = 0x0303
    static let version13 = 0x0304
    static let cacheClient = 0x1
    /// NO_INTERNAL and NO_AUTO_CLEAR.
    static let cacheOutside = 0x0380
    static let addReference = 1

    static let verifyPeer: Int32 = 1
    static let failWithoutCertificate: Int32 = 2
    /// X509_V_FLAG_PARTIAL_CHAIN.
    static let partialChain: UInt = 0x80000
    /// X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS (RFC 6125 §6.4.3 leaves them to the application).
    static let noPartialWildcards: UInt32 = 4
    /// X509_CHECK_FLAG_NEVER_CHECK_SUBJECT (RFC 9525 §6.3: names count where they stand as subjectAltName only).
    static let neverSubject: UInt32 = 0x20

    // SSL_get_error(3)
    static let wantsRead: Int32 = 2
    static let zeroReturn: Int32 = 6

    /// SENT_SHUTDOWN and RECEIVED_SHUTDOWN.
    static let shutDownBothWays: Int32 = 3
    /// SSL_TLSEXT_ERR_ALERT_FATAL.
    static let fatalAlert: Int32 = 2

    /// The list for ALPN (RFC 7301): http/1.1 alone.
    static let protocolNames = [UInt8(8)] + Array("http/1.1".utf8)
}
