// SPDX-License-Identifier: Apache-2.0

/// Gives bytes that are there already.
package struct BytesSource: StreamSource {
    private let all: [UInt8]

    package init(_ bytes: [UInt8]) {
        all = bytes
    }

    package var canGoBack: Bool { true }

    package func bytes(at place: UInt64, most: Int) -> StreamSupply {
        guard place < UInt64(all.count) else { return .end }
        return .bytes(all[Int(place)...].prefix(most))
    }
}
