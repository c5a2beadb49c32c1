// SPDX-License-Identifier: Apache-2.0

/// When a file of lines is put aside and a new one begins.
public enum FileRotation: Hashable, Sendable {
    /// Never.
    case none
    /// Before the line that would make it larger than so many bytes; a line that is larger alone has a file of its own.
    case size(Int)
    /// Before the first line of another day (UTC).
    case daily
}

/// Decides when a file is put aside, and what is renamed then: `app.log` to `app.log.1`, what was there to `app.log.2`, and so on.
///
/// Times are nanoseconds since 1970, of a clock that may be set back: then the file goes on.
package struct RotationPlan: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
        case rename(String, to: String)
        case remove(String)
        /// Makes a compressed file of one that is no longer written, and takes that away; one that cannot be stays.
        case compress(String, to: String)
    }

    private static let ending = ".gz"
    private static let day: Int64 = 86_400_000_000_000

    private let rotation: FileRotation
    private let keep: Int
    private let compresses: Bool
    /// Bytes in the file, counted and not asked for.
    private var size = 0
    /// The day of the file's lines, in days since 1970.
    private var day: Int64 = 0

    package init(_ rotation: FileRotation, keep: Int, compresses: Bool = false) {
        self.rotation = rotation
        self.compresses = compresses
        self.keep = keep
    }

    /// Begins with a file that holds something, last written at that time, or with an empty one.
    package mutating func opened(size: Int, changedAt time: Int64) {
        self.size = size
        day = Self.day(of: time)
    }

    /// Counts a line, and says whether a new file must begin before it.
    package mutating func add(_ bytes: Int, at now: Int64) -> Bool {
        let today = Self.day(of: now)
        let rotates =
            switch rotation {
            case .none: false
            case .size(let limit): bytes > max(1, limit) - size
            case .daily: today > day
            }
        day = today
        guard rotates, size > 0 else {
            size += bytes
            return false
        }
        size = bytes
        return true
    }

    /// What puts a file aside, in this order; what is not there needs no renaming.
    package func steps(_ path: String) -> [Step] {
        guard keep > 0 else { return [.remove(path)] }
        // What could not be compressed stands among what was.
        let endings = compresses ? ["", Self.ending] : [""]
        let oldest = compresses ? endings.map { Step.remove("\(path).\(keep)\($0)") } : []
        let older = (1..<keep).reversed().flatMap { number in
            endings.map { Step.rename("\(path).\(number)\($0)", to: "\(path).\(number + 1)\($0)") }
        }
        let last = compresses ? [Step.compress(path + ".1", to: path + ".1" + Self.ending)] : []
        return oldest + older + [.rename(path, to: path + ".1")] + last
    }

    private static func day(of time: Int64) -> Int64 {
        time >= 0 ? time / day : (time + 1) / day - 1
    }
}
