// SPDX-License-Identifier: Apache-2.0

package import SenteBase

extension Instant {
    /// Where the clock of every event loop stands.
    package static var ofSystem: Instant { Instant(nanoseconds: Platform.monotonicNanoseconds()) }
}
