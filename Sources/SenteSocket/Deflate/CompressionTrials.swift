// SPDX-License-Identifier: Apache-2.0

/// Which long messages are worth compressing, by what became of those before them.
///
/// Files come in long messages of which none shrinks where the first did not, and zlib takes ten times as long for them as
/// the link does. So one that hardly shrank lets the next ones go as they are; then one is tried again, and each that
/// fails doubles how many follow it.
struct CompressionTrials: Sendable {
    /// What is shorter costs little, and says nothing about others.
    static let long = 4_096
    private static let fewest: UInt8 = 4
    private static let most: UInt8 = 64

    /// How many follow the last failure; 0 when the last trial went well.
    private var run: UInt8 = 0
    private var left: UInt8 = 0

    /// Whether to try the next message, which has `size` bytes.
    mutating func tries(_ size: Int) -> Bool {
        guard size >= Self.long, left > 0 else { return true }
        left -= 1
        return false
    }

    /// A message of `size` bytes was tried, and became `compressed` bytes.
    mutating func tried(_ size: Int, _ compressed: Int) {
        guard size >= Self.long else { return }
        // A tenth is the least that pays for the peer's work, as for compression of messages.
        run = compressed <= size - size / 10 ? 0 : min(Self.most, max(Self.fewest, run &* 2))
        left = run
    }
}
