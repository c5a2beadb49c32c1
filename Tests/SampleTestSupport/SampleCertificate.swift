// SPDX-License-Identifier: Apache-2.0

public import SenteLite
import SenteTestSupport

/// A server's certificate for this machine, and what the command lines of clients say of it.
public struct SampleCertificate: Sendable {
    /// The certificate and its key, for the server.
    public let identity: TLSConfiguration.Identity
    /// The file of the authority that vouches for it.
    public let authority: String
    /// A folder with that file as OpenSSL looks it up.
    public let authorityFolder: String
    /// The SHA-256 of its public key, in base64.
    public let pin: String

    /// Why there is none; nil where it can be made.
    public static var problem: String? { Certificates.problem }

    /// Makes it with the `openssl` command, or takes the one that this process has.
    public init() throws {
        let certificates = try Certificates.made.get()
        let server = certificates.server
        identity = TLSConfiguration.Identity(certificates: server.certificate, key: server.key)
        authority = certificates.authorityPath
        authorityFolder = try certificates.folderOfAuthority()
        pin = try certificates.pin(server.certificate)
    }
}
