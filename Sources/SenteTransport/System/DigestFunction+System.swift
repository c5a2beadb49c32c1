// SPDX-License-Identifier: Apache-2.0

package import SenteBase

#if canImport(CryptoKit)
import CryptoKit

extension DigestFunction {
    /// SHA-256 by the system's CryptoKit.
    package static let system = DigestFunction { CryptoKitDigest() }
}

private struct CryptoKitDigest: IncrementalDigest {
    private var hash = CryptoKit.SHA256()

    mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }
    func finish() -> [UInt8] { Array(hash.finalize()) }
}
#else
extension DigestFunction {
    /// SHA-256 by the system's OpenSSL, which is loaded when it is first used; where there is none, our own.
    package static let system = DigestFunction {
        guard let library = try? DigestLibrary.shared.get(), let digest = SystemDigest(library) else {
            return SHA256()
        }
        return digest
    }
}
#endif
