// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Packs messages, and says how long compressing took where somebody measures it.
struct TimedPacking: Sendable {
    var packing: Packing
    var stopwatch: (@Sendable () -> Instant)?

    func pack(
        _ message: Message, isCompressedAlready: Bool
    ) -> (packed: Packing.Packed, Packing.Compressed, Duration) {
        let began = packing.compression == nil ? nil : stopwatch?()
        let (packed, compressed) = packing.pack(message, isCompressedAlready: isCompressedAlready)
        guard let began, let end = stopwatch?() else { return (packed, compressed, .zero) }
        return (packed, compressed, began.duration(to: end))
    }
}
