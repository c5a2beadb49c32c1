// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import SampleOptions

/// The lines of a descriptor, read on a thread of their own a few lines ahead of who takes them.
struct InputLines: Sendable {
    typealias Line = Result<String, UsageError>

    /// A longer line is refused, and skipped up to its end.
    static let longestLine = 16 << 20
    private static let ahead = 64

    /// Each line without its end; the last one needs none.
    let lines: AsyncStream<Line>
    private let room = DispatchSemaphore(value: Self.ahead)

    /// `heard` gets each line at once, whenever it is taken.
    init(of descriptor: Int32 = STDIN_FILENO, _ heard: @escaping @Sendable (String) -> Void = { _ in }) {
        let (lines, continuation) = AsyncStream.makeStream(of: Line.self)
        self.lines = lines
        Thread.detachNewThread { [room] in
            var splitter = LineSplitter(longestLine: Self.longestLine)
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while let count = Self.read(descriptor, into: &buffer) {
                for line in splitter.feed(buffer[..<count]) {
                    heard((try? line.get()) ?? "")
                    room.wait()
                    continuation.yield(line)
                }
            }
            if let line = splitter.finish() { continuation.yield(line) }
            continuation.finish()
        }
    }

    /// A line was taken: another may be read.
    func taken() {
        room.signal()
    }

    /// How many bytes came; nil at the end.
    private static func read(_ descriptor: Int32, into buffer: inout [UInt8]) -> Int? {
        while true {
            let count = buffer.withUnsafeMutableBytes {
                Foundation.read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            return count > 0 ? count : nil
        }
    }
}
