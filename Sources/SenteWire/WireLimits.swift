// SPDX-License-Identifier: Apache-2.0

/// How deep and how large a document may be, both when it is read and when it is written.
public struct WireLimits: Hashable, Sendable {
    /// How many lists, vectors, maps, sets and tags may stand inside one another.
    ///
    /// The default is 512. Values are released recursively, so what a deeper limit lets in takes stack: at most 1,024 counts.
    public var maximumDepth: Int {
        didSet { maximumDepth = Self.clamped(maximumDepth) }
    }
    /// How many bytes a document may have.
    ///
    /// The default is 64 MiB.
    public var maximumBytes: Int

    /// Makes limits; each that is left out has its default.
    public init(maximumDepth: Int = 512, maximumBytes: Int = 64 << 20) {
        self.maximumDepth = Self.clamped(maximumDepth)
        self.maximumBytes = maximumBytes
    }

    private static func clamped(_ depth: Int) -> Int { min(max(depth, 0), 1024) }
}
