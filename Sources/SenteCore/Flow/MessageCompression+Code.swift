// SPDX-License-Identifier: Apache-2.0

extension MessageCompression.Algorithm {
    /// The byte that names it where bytes are all there is.
    var code: UInt8 {
        switch self {
        case .gzip: 1
        case .deflate: 2
        }
    }

    init?(code: UInt8) {
        switch code {
        case 1: self = .gzip
        case 2: self = .deflate
        default: return nil
        }
    }
}
