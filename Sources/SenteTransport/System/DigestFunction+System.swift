// SPDX-License-Identifier: Apache-2.0

package import SenteBase

extension DigestFunction {
    /// SHA-256 by the system's OpenSSL, which is loaded when it is first used; where there is none, our own.
    package static let system = DigestFunction {
        guard let library = try? DigestLibrary.shared.get(), let digest = SystemDigest(library) else {
            return SHA256()
        }
        return digest
    }
}
