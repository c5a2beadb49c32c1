// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import SenteWire

/// A file that lines are appended to, under its path whatever happens to it there: put aside by its own plan, renamed by
/// `logrotate`, removed with its folder.
struct LogFile: ~Copyable {
    private static let second: Int64 = 1_000_000_000

    private let path: String
    private let permissions: UInt16
    private let compressor: Compressor?
    private var plan: RotationPlan
    private var descriptor: FileDescriptor?
    private var identity: FileStatus.Identity?
    private var isDevice = false
    /// When the path was last compared with what is open.
    private var lookedAt: Int64 = 0
    /// What went wrong last, and when.
    private var failure: (error: FileError, at: Int64)?

    init(
        _ path: String, _ rotation: FileRotation, keep: Int, permissions: UInt16,
        compressor: Compressor? = nil, at now: Int64
    ) throws(FileError) {
        self.path = path
        self.permissions = permissions
        self.compressor = compressor
        plan = RotationPlan(rotation, keep: keep, compresses: compressor != nil)
        try attempt(at: now) { file throws(SystemError) in
            try FileSystem.makeFolders(above: path)
            try file.open(at: now)
        }
    }

    var isOpen: Bool { descriptor != nil }

    /// Makes sure that what is open stands under the path.
    ///
    /// After a failure it throws the same again for a second, without trying.
    mutating func prepare(at now: Int64, reopen: Bool) throws(FileError) {
        if let failure, Self.isWithinSecond(now, after: failure.at) { throw failure.error }
        if isOpen, !reopen {
            if Self.isWithinSecond(now, after: lookedAt) { return }
            lookedAt = now
            if standsUnderPath { return }
        }
        try attempt(at: now) { file throws(SystemError) in try file.open(at: now) }
    }

    /// Counts a line, and says whether a new file must begin before it.
    mutating func add(_ bytes: Int, at now: Int64) -> Bool {
        plan.add(bytes, at: now) && !isDevice
    }

    /// Writes whole lines.
    mutating func write(_ lines: UnsafeRawBufferPointer, at now: Int64) throws(FileError) {
        guard !lines.isEmpty else { return }
        try attempt(at: now) { file throws(SystemError) in try file.descriptor?.write(lines) }
    }

    /// Puts the file aside and begins a new one with a line that was counted; another process may have done so already.
    ///
    /// A file that cannot be renamed stays open.
    mutating func rotate(before bytes: Int, at now: Int64) throws(FileError) {
        if standsUnderPath {
            do throws(SystemError) { try putAside() } catch { throw FileError(path, error) }
        }
        try attempt(at: now) { file throws(SystemError) in try file.open(at: now) }
        _ = plan.add(bytes, at: now)
    }

    mutating func synchronize(at now: Int64) throws(FileError) {
        try attempt(at: now) { file throws(SystemError) in try file.descriptor?.synchronize() }
    }

    mutating func close() {
        descriptor = nil
    }

    // MARK: -

    /// After a failure the file is closed: opening it again also ends a line of which only a part was written.
    private mutating func attempt(
        at now: Int64, _ body: (inout LogFile) throws(SystemError) -> Void
    ) throws(FileError) {
        do throws(SystemError) {
            try body(&self)
            failure = nil
        } catch {
            let failure = FileError(path, error)
            descriptor = nil
            self.failure = (failure, now)
            throw failure
        }
    }

    private mutating func open(at now: Int64) throws(SystemError) {
        descriptor = nil
        let opened = try FileDescriptor(appendingTo: path, permissions: permissions)
        let kind = try opened.status.kind
        guard kind == .file || kind == .device else { throw .isDirectory }
        let isAlone = kind == .file && opened.lockAlone()
        let status = try opened.status
        var size = status.size
        // What a killed process left unfinished, or this one when it failed, gets its end, so that the next line is one. What
        // others have open may end in a line that one of them is just writing.
        if isAlone || failure != nil,
            let last = FileSystem.lastByte(of: path, size: size), last != UInt8(ascii: "\n")
        {
            try opened.write("\n")
            size += 1
        }
        if kind == .file { opened.lockShared() }
        plan.opened(size: size, changedAt: size > 0 ? status.changedAt : now)
        (identity, isDevice, lookedAt) = (status.identity, kind == .device, now)
        descriptor = consume opened
    }

    private func putAside() throws(SystemError) {
        for step in plan.steps(path) {
            switch step {
            case .rename(let old, let new): try FileSystem.move(old, to: new)
            case .remove(let old): try FileSystem.remove(old)
            case .compress(let old, let new): try? compress(old, to: new)
            }
        }
    }

    /// A file that is read whole; a larger one stays as it is.
    private static let maximumCompressed = 64 << 20

    private func compress(_ path: String, to new: String) throws {
        guard let compressor, let plain = FileSystem.contents(of: path, atMost: Self.maximumCompressed) else {
            return
        }
        var packed: [UInt8] = []
        try plain.withUnsafeBytes { try compressor.compress($0, &packed) }
        // Under its own name it is never half a file.
        let part = new + ".part"
        try FileSystem.remove(part)
        do {
            let file = try FileDescriptor(appendingTo: part, permissions: permissions)
            try packed.withUnsafeBytes { try file.write($0) }
            try FileSystem.move(part, to: new)
        } catch {
            try FileSystem.remove(part)
            throw error
        }
        try FileSystem.remove(path)
    }

    private var standsUnderPath: Bool {
        (try? FileStatus(path))?.identity == identity
    }

    /// A clock that was set back ends the second, too.
    private static func isWithinSecond(_ now: Int64, after start: Int64) -> Bool {
        now >= start && now - start < second
    }
}
