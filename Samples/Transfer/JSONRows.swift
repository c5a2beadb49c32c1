// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A JSON array that is made while it is sent: nobody ever holds the whole of it.
struct JSONRows: AsyncSequence, Sendable {
    typealias Element = [UInt8]

    let count: Int

    func makeAsyncIterator() -> Iterator { Iterator(count: count) }

    struct Iterator: AsyncIteratorProtocol {
        let count: Int
        private var made = 0
        private var isClosed = false

        init(count: Int) { self.count = count }

        mutating func next() async throws -> [UInt8]? {
            guard !isClosed else { return nil }
            var text = ""
            for row in made..<Swift.min(made + 1_000, count) {
                text += row == 0 ? "[\n" : ",\n"
                text += #"{"id":\#(row),"name":"row \#(row)","square":\#(row * row)}"#
            }
            made = Swift.min(made + 1_000, count)
            if made == count {
                text += "\n]\n"
                isClosed = true
            }
            return Array(text.utf8)
        }
    }
}
