// SPDX-License-Identifier: Apache-2.0

import SenteTransport
package import SenteWire

extension DigestFunction {
    /// SHA-256 by the system's OpenSSL, which is loaded when it is first used; where there is none, our own.
    package static let system = DigestFunction {
        guard let library = try? DigestLibrary.shared.get(), let digest = SystemDigest(library) else {
            return SHA256()
        }
        return LibraryDigest(digest: digest)
    }
}

/// A digest of the system's library; copies are the same one.
private struct LibraryDigest: IncrementalDigest {
    let digest: SystemDigest

    func update(_ bytes: UnsafeRawBufferPointer) { digest.update(bytes) }
    func finish() -> [UInt8] { digest.finish() }
}
