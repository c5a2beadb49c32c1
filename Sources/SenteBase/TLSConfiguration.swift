// SPDX-License-Identifier: Apache-2.0

/// How `wss:` connections are secured, and whom they trust.
///
/// TLS 1.2 or later, with the server's name or address checked against its certificate, always. Nothing here
/// concerns `ws:` connections. On Linux the system's OpenSSL does the work; it is loaded when the first `wss:`
/// connection is attempted, and looked for again at the next one if it was not there. What only it can judge (unreadable
/// PEM, a key that belongs to another certificate) is therefore found at an attempt, which then fails with
/// `.invalidArgument` and the name of the setting.
public struct TLSConfiguration: Hashable, Sendable {
    /// Certificates or a private key in PEM form (`-----BEGIN …-----`).
    public enum PEM: Hashable, Sendable {
        /// The text itself, in UTF-8.
        case bytes([UInt8])
        /// The path of a file, which is read at every attempt: what is replaced there counts from the next one.
        case file(String)
    }

    /// The authorities that may vouch for a server.
    public enum Roots: Hashable, Sendable {
        /// Those of the system: the ones OpenSSL was set up with, else the usual bundles of Linux distributions.
        ///
        /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name others. They are read once in the life of the process, but for those of
        /// the folder in `SSL_CERT_DIR`, which are read when a server's certificate first asks for them.
        case system
        /// These alone, for instance a company's own authority or one self-signed certificate.
        case only(PEM)
        /// These beside those of the system.
        case systemAnd(PEM)
    }

    /// Whether the server's certificate is checked.
    public enum Verification: Hashable, Sendable {
        /// The certificate must be valid now, be vouched for by one of the roots, and name the server.
        case full
        /// Any certificate is taken, so anyone on the way can read and change everything; for experiments only.
        ///
        /// Pinned keys are still compared, with the server's own certificate.
        case dangerouslyDisabled
    }

    /// What the client shows a server that asks who it is.
    public struct Identity: Hashable, Sendable {
        /// The client's certificate, and behind it those that lead to the authority the server trusts.
        public var certificates: PEM
        /// The private key of the first certificate.
        public var key: PEM
        /// What the key is encrypted with; nil for a key that is not.
        public var passphrase: String?

        /// Puts certificates and their key together.
        public init(certificates: PEM, key: PEM, passphrase: String? = nil) {
            self.certificates = certificates
            self.key = key
            self.passphrase = passphrase
        }
    }

    /// Whom to trust.
    ///
    /// The default is `.system`.
    public var roots: Roots
    /// Public keys of which one must stand in the server's verified chain; empty asks for none.
    ///
    /// Each is the SHA-256 of a certificate's SubjectPublicKeyInfo in base64, as in RFC 7469 §2.4, with or without
    /// `sha256/` before it. Give a second one that is kept in reserve: a server that changes its key locks
    /// its clients out. The default is empty.
    public var pinnedKeys: [String]
    /// The client's certificate, for servers that ask for one.
    ///
    /// The default is nil.
    public var identity: Identity?
    /// Whether the server's certificate is checked.
    ///
    /// The default is `.full`.
    public var verification: Verification

    /// The defaults, or others.
    public init(
        roots: Roots = .system, pinnedKeys: [String] = [], identity: Identity? = nil,
        verification: Verification = .full
    ) {
        self.roots = roots
        self.pinnedKeys = pinnedKeys
        self.identity = identity
        self.verification = verification
    }
}

extension TLSConfiguration {
    /// The first pinned key that cannot be one, as a sentence that says what would be right; nil when all can.
    package var pinProblem: String? {
        for (index, pin) in pinnedKeys.enumerated() where Self.digest(of: pin) == nil {
            return "`tls.pinnedKeys[\(index)]` is \(pin.debugDescription): give the SHA-256 of a public key "
                + "(SubjectPublicKeyInfo) in base64, 44 characters that end in “=”."
        }
        return nil
    }

    /// The pinned keys in base64 alone; what cannot be one is left out.
    package var pinnedDigests: [String] { pinnedKeys.compactMap(Self.digest) }

    /// 32 bytes in base64: 43 characters, of which the last carries four bits, and one of padding (RFC 4648 §4).
    private static func digest(of pin: String) -> String? {
        var text = pin[...]
        if text.hasPrefix("sha256/") {
            text = text.dropFirst(7)
            if text.hasPrefix("/") { text = text.dropFirst() }
        }
        let bytes = Array(text.utf8)
        guard bytes.count == 44, bytes[43] == UInt8(ascii: "="), "AEIMQUYcgkosw048".utf8.contains(bytes[42])
        else { return nil }
        let isBase64 = bytes[..<43].allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return isBase64 ? String(text) : nil
    }
}
