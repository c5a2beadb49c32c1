// SPDX-License-Identifier: Apache-2.0

import SampleOptions

/// Makes lines of bytes that come in pieces.
struct LineSplitter {
    private let longestLine: Int
    private var pending: [UInt8] = []
    private var isTooLong = false

    init(longestLine: Int) {
        self.longestLine = longestLine
    }

    /// The lines that these bytes end.
    mutating func feed(_ bytes: ArraySlice<UInt8>) -> [InputLines.Line] {
        var lines: [InputLines.Line] = []
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            keep(rest[..<end])
            lines.append(take())
            rest = rest[(end + 1)...]
        }
        keep(rest)
        return lines
    }

    /// What stands after the last line's end, if anything.
    mutating func finish() -> InputLines.Line? {
        pending.isEmpty && !isTooLong ? nil : take()
    }

    private mutating func keep(_ bytes: ArraySlice<UInt8>) {
        if isTooLong || pending.count + bytes.count > longestLine {
            isTooLong = true
            pending = []
        } else {
            pending += bytes
        }
    }

    private mutating func take() -> InputLines.Line {
        defer {
            pending.removeAll(keepingCapacity: pending.capacity <= 1 << 16)
            isTooLong = false
        }
        guard !isTooLong else {
            return .failure(UsageError("The line has more than \(longestLine) bytes: write a shorter one."))
        }
        if pending.last == UInt8(ascii: "\r") { pending.removeLast() }
        let text = String(decoding: pending, as: UTF8.self)
        // Repairing is no reading: whoever sends other bytes is told.
        guard text.utf8.elementsEqual(pending) else {
            return .failure(UsageError("The line is not UTF-8: write it in that encoding."))
        }
        return .success(text)
    }
}
