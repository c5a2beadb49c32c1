// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a file has, and then what is added to it, as long as somebody asks.
///
/// Which system tells of changes differs, so the end is looked at ten times a second. A file that was cut begins anew.
struct GrowingFile: AsyncSequence, Sendable {
    typealias Element = Data

    let url: URL

    func makeAsyncIterator() -> Iterator { Iterator(url: url) }

    struct Iterator: AsyncIteratorProtocol {
        let url: URL
        private var handle: FileHandle?
        private var place: UInt64 = 0

        init(url: URL) { self.url = url }

        mutating func next() async throws -> Data? {
            let handle = try self.handle ?? FileHandle(forReadingFrom: url)
            self.handle = handle
            while !Task.isCancelled {
                let size = try handle.seekToEnd()
                if size < place { place = 0 }
                try handle.seek(toOffset: place)
                if size > place, let data = try handle.read(upToCount: 65_536), !data.isEmpty {
                    place += UInt64(data.count)
                    return data
                }
                try await Task.sleep(for: .milliseconds(100))
            }
            return nil
        }
    }
}
