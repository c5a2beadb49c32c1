// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// Kinds of bytes that hold compressed data already, by how they begin.
package enum CompressedKind: String, CaseIterable, Sendable {
    case png, jpeg, gzip, zip, mp4

    /// Whether bytes begin so.
    package static func matches(_ bytes: [UInt8]) -> Bool {
        allCases.contains { kind in
            let (offset, mark) = kind.mark
            return bytes.dropFirst(offset).starts(with: mark)
        }
    }

    /// Where its mark stands and what that is.
    private var mark: (offset: Int, bytes: [UInt8]) {
        switch self {
        case .png: (0, [0x89, 0x50, 0x4E, 0x47])
        case .jpeg: (0, [0xFF, 0xD8, 0xFF])
        case .gzip: (0, [0x1F, 0x8B])
        case .zip: (0, [0x50, 0x4B, 0x03, 0x04])
        case .mp4: (4, Array("ftyp".utf8))
        }
    }
}

extension Value {
    /// Whether it is mostly bytes that compressing makes no smaller: alone, or as the one value of a map.
    package var isCompressedAlready: Bool {
        switch self {
        case .bytes(let bytes): CompressedKind.matches(bytes)
        case .map(let map) where map.count == 1: map.values.first?.isCompressedAlready ?? false
        default: false
        }
    }
}
