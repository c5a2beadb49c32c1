// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What a listener secures its connections with.
package struct ServerTLS: Hashable, Sendable {
    /// The server's certificate, and behind it those that lead to the authority its clients trust.
    package var certificates: TLSConfiguration.PEM
    /// The private key of the first certificate.
    package var key: TLSConfiguration.PEM
    /// The authorities that vouch for clients, which then must show a certificate; nil asks for none.
    ///
    /// The default is nil.
    package var clientRoots: TLSConfiguration.PEM?
    /// Whether TLS 1.3 is left out, for tests.
    ///
    /// The default is false.
    package var isLimitedToVersion12: Bool

    /// Whether clients get sessions to resume.
    ///
    /// The default is true.
    package var givesSessions = true

    package init(
        certificates: TLSConfiguration.PEM, key: TLSConfiguration.PEM,
        clientRoots: TLSConfiguration.PEM? = nil, isLimitedToVersion12: Bool = false
    ) {
        self.certificates = certificates
        self.key = key
        self.clientRoots = clientRoots
        self.isLimitedToVersion12 = isLimitedToVersion12
    }
}
