// SPDX-License-Identifier: Apache-2.0

public import SenteWire

/// How single messages are compressed, where the connection as a whole is not.
public struct MessageCompression: Sendable {
    /// A way to compress, by the name that servers give it.
    public enum Algorithm: String, Sendable, CaseIterable {
        /// RFC 1952.
        case gzip
        /// RFC 1950.
        case deflate
    }

    /// How hard it tries.
    public enum Level: Sendable, Equatable {
        /// zlib's, from 1 (fast) to 9 (small).
        case fixed(Int)
        /// 9 on a bad network, 3 on a good one, else 6, by round trips and losses.
        case adaptive
    }

    /// What the client offers, the best first.
    ///
    /// The default is both.
    public var algorithms: [Algorithm]
    /// How hard it tries.
    ///
    /// The default is 6.
    public var level: Level
    /// What has fewer bytes goes as it is.
    ///
    /// The default is 512.
    public var minimumBytes: Int
    /// Whether it is also used on a connection that has permessage-deflate, which does the same with a memory that lasts.
    ///
    /// The default is false.
    public var isUsedBesideDeflate: Bool
    /// Whether a message is not worth trying, by its channel or its event's id and its data; nil skips what is compressed already
    /// (PNG, JPEG, gzip, zip, MP4 by their first bytes).
    ///
    /// The default is nil.
    public var skips: (@Sendable (_ name: String, _ data: Value) -> Bool)?

    /// Makes a policy.
    public init(
        algorithms: [Algorithm] = [.gzip, .deflate], level: Level = .fixed(6), minimumBytes: Int = 512,
        isUsedBesideDeflate: Bool = false, skips: (@Sendable (_ name: String, _ data: Value) -> Bool)? = nil
    ) {
        self.algorithms = algorithms
        self.level = level
        self.minimumBytes = minimumBytes
        self.isUsedBesideDeflate = isUsedBesideDeflate
        self.skips = skips
    }
}
