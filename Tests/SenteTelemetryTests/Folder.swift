// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry
import SenteWire

/// A folder of a test's own, its clock and what its handlers complain of.
final class Folder: Sendable {
    let clock = TestClock()
    private let root: String
    private let heard = Mutexed<[String]>([])

    init() {
        root = NSTemporaryDirectory() + "sente-telemetry-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    var complaints: [String] { heard.withLock { $0 } }

    func handler(
        _ name: String, rotation: FileRotation = .none, keep: Int = 8, sync: FileHandler.Sync = .never,
        compressor: Compressor? = nil
    ) throws -> FileHandler {
        try FileHandler(
            path(name), format: .text, rotation: rotation, keep: keep, sync: sync, compressor: compressor,
            clock: { [clock] in clock.now },
            complain: { [heard] line in heard.withLock { $0.append(line) } })
    }

    func path(_ name: String) -> String { root + "/" + name }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted() }

    func lines(_ name: String) -> [Substring] {
        let text = (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? ""
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    }

    /// What stands behind the dash of each line.
    func texts(_ name: String) -> [String] {
        lines(name).map { line in
            line.range(of: "[a] - ").map { String(line[$0.upperBound...]) } ?? "?" + line
        }
    }

    func size(_ name: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path(name))[.size] as? Int) ?? 0
    }

    func permissions(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path(name))[.posixPermissions] as? Int
    }

    func move(_ name: String, to other: String) throws {
        try FileManager.default.moveItem(atPath: path(name), toPath: path(other))
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
    }

    func make(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    }

    /// Makes a file larger, without writing anything.
    func extend(_ name: String, to size: UInt64) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path(name)))
        try file.truncate(atOffset: size)
        try file.close()
    }

    func setChanged(_ name: String, days: Int) throws {
        let date = Date(timeIntervalSince1970: Double(days) * 86_400)
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path(name))
    }

    func write(_ text: String, _ name: String) throws {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
    }

    /// Writes behind what is there.
    func append(_ text: String, _ name: String) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path(name)))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }
}

/// A clock that stands still until it is moved.
final class TestClock: Sendable {
    private let nanoseconds = Mutexed<Int64>(0)

    var now: Int64 { nanoseconds.withLock { $0 } }

    func set(days: Int64) { nanoseconds.withLock { $0 = days * 86_400_000_000_000 } }

    func advance(_ duration: Duration) {
        nanoseconds.withLock { $0 += Int64(duration / .nanoseconds(1)) }
    }
}

private final class Mutexed<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<R>(_ body: (inout Value) -> R) -> R {
        lock.lock()
        defer { lock.unlock() }
        return body(&value)
    }
}
