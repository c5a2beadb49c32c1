// SPDX-License-Identifier: Apache-2.0

import CSenteAtomics

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Android)
import Android
#endif

/// How often the process was sent `SIGHUP` since somebody listens.
package enum Hangups {
    /// A word that lives as long as the process, since a signal may come at any time.
    private struct Word: @unchecked Sendable {
        let address = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)

        init() { address.initialize(to: 0) }
    }

    private static let word = Word()

    package static var count: UInt64 { sente_load_relaxed(word.address) }

    static func listen() {
        // The word is made here: within a signal nothing may be allocated.
        _ = count
        signal(SIGHUP) { _ in _ = sente_add_relaxed(Hangups.word.address, 1) }
    }
}
