// SPDX-License-Identifier: Apache-2.0

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
    private static let word = SharedWord(0)

    package static var count: UInt64 { word.value }

    static func listen() {
        // The word is made here: within a signal nothing may be allocated.
        _ = count
        signal(SIGHUP) { _ in Hangups.word.add(1) }
    }
}
