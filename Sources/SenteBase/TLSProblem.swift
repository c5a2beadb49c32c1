// SPDX-License-Identifier: Apache-2.0

/// What went wrong with TLS; each stands for the error code of the same name.
package enum TLSProblem: String, Hashable, Sendable, CaseIterable {
    /// The server's certificate is not accepted for another reason than those below.
    case untrusted
    /// No root that is trusted here vouches for the server's certificate.
    case unknownAuthority
    /// The server's certificate is signed by itself alone.
    case selfSigned
    /// The server's certificate is for other names or addresses.
    case wrongHost
    case certificateExpired
    case certificateNotYetValid
    /// None of the pinned keys stands in the server's chain.
    case pinnedKeyDiffers
    /// The server did not accept the client's certificate, or wants one.
    case clientCertificateRefused
    /// TLS could not be agreed on, or the server speaks none.
    case failed = "tlsFailed"
}
