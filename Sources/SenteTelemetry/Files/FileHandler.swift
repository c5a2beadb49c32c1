// SPDX-License-Identifier: Apache-2.0

public import SenteSignals
public import SenteWire

/// Writes signals into a file, a line each.
///
///     let file = try FileHandler("logs/app.log")
///     Telemetry.default.add(file, as: "file")
///
/// Lines of a batch go out in one write to the end of the file, so several processes may share one: their lines stay whole. When
/// the file was renamed or removed by others, such as `logrotate`, the handler notices within a second and begins a new one. A
/// line that a killed process left unfinished is ended when the file is opened and nobody else has it open (`flock(2)`).
///
/// When the file cannot be written, signals count as failed, one line on standard error says why, and the handler tries again
/// after a second.
public final class FileHandler: LightHandler {
    /// When lines must have reached the disk, and not only the system, before the handler goes on.
    public enum Sync: Hashable, Sendable {
        /// Whenever the system thinks fit: they survive the process, not the machine.
        case never
        /// After a batch, when so much time has passed since the last time.
        case interval(Duration)
        /// After a batch that holds a signal of at least this level.
        case level(SignalLevel)
    }

    /// The file.
    public let path: String
    private let sync: Sync
    private let clock: @Sendable () -> Int64
    private let complain: @Sendable (String) -> Void
    private let state: Gate<State>

    /// Opens a file, and makes it and its folders if they are not there.
    /// - Parameters:
    ///   - path: The file.
    ///   - format: How signals are written. The default is `.json`.
    ///   - rotation: When the file is put aside as `path.1`. The default is at 4 MiB.
    ///   - keep: How many of those that were put aside are kept. The default is 8.
    ///   - sync: When lines must be on the disk. The default is `.never`.
    ///   - permissions: Those of files it makes. The default is 0600.
    ///   - compressor: What compresses files that were put aside, to `path.1.gz`, on the handler's thread; `.gzip` of `SenteLite`. Files
    ///     of more than 64 MiB stay as they are, as do all when it fails. The default is nil: none are compressed.
    /// - Throws: ``FileError`` if the file cannot be opened.
    public convenience init(
        _ path: String, format: LineFormat = .json, rotation: FileRotation = .size(4 << 20), keep: Int = 8,
        sync: Sync = .never, permissions: UInt16 = 0o600, compressor: Compressor? = nil
    ) throws(FileError) {
        try self.init(
            path, format: format, rotation: rotation, keep: keep, sync: sync, permissions: permissions,
            compressor: compressor, clock: { Clock.wall }
        ) { line in try? FileDescriptor.Standard.error.descriptor.write(line + "\n") }
    }

    /// The same on a clock in nanoseconds since 1970, and with another place for complaints.
    package init(
        _ path: String, format: LineFormat = .json, rotation: FileRotation = .none, keep: Int = 8,
        sync: Sync = .never, permissions: UInt16 = 0o600, compressor: Compressor? = nil,
        clock: @escaping @Sendable () -> Int64,
        complain: @escaping @Sendable (String) -> Void
    ) throws(FileError) {
        self.path = path
        self.sync = sync
        self.clock = clock
        self.complain = complain
        let now = clock()
        let file = try LogFile(
            path, rotation, keep: keep, permissions: permissions, compressor: compressor, at: now)
        state = Gate(State(file: file, LineWriter(format), SyncPlan(sync, at: now)))
    }

    /// Writes the lines of a batch.
    /// - Throws: ``FileError`` when they could not all be written.
    public func handle(_ batch: SignalBatch) throws {
        let now = clock()
        try state.withLock { state in
            do {
                try state.write(batch, at: now, complain)
                if state.syncs.isDue(at: now) { try state.file.synchronize(at: now) }
                state.hasComplained = false
            } catch {
                state.writer.removeAll()
                if !state.hasComplained { complain("\(error)") }
                state.hasComplained = true
                throw error
            }
        }
    }

    /// Returns when all lines are on the disk, if `sync` asks for that at all.
    /// - Throws: ``FileError`` when the disk refuses.
    public func flush() throws {
        guard sync != .never else { return }
        let now = clock()
        try state.withLock { try $0.file.synchronize(at: now) }
    }

    /// Closes the file.
    public func stop() {
        try? flush()
        state.withLock { $0.file.close() }
    }

    /// Opens the path anew with the next batch, as `logrotate` asks for with a signal.
    public func reopen() {
        state.withLock { $0.mustReopen = true }
    }

    /// Has all handlers open their paths anew when the process is sent `SIGHUP`, which then does not end it.
    ///
    /// It replaces what the process did at `SIGHUP` before. Without it renamed files are noticed, too, within a second.
    public static func reopenOnHangup() {
        Hangups.listen()
    }
}

extension FileHandler {
    private struct State: ~Copyable {
        /// Lines are written when there are so many bytes of them, so that a great batch takes no great memory.
        ///
        /// Fewer bytes ask more of the system for each, more cost twice as much: its pages come in pieces that grow with the
        /// write, and large ones are rarely at hand (ext4, Linux 6.18: 170 ns a line by 4 KiB, 60 by 128 KiB, 160 by 256 KiB).
        private static let chunk = 1 << 17

        var file: LogFile
        var writer: LineWriter
        var syncs: SyncPlan
        var mustReopen = false
        /// Whether it was already told what goes wrong.
        var hasComplained = false
        private var hangups = Hangups.count

        init(file: consuming LogFile, _ writer: consuming LineWriter, _ syncs: SyncPlan) {
            self.file = file
            self.writer = writer
            self.syncs = syncs
        }

        mutating func write(
            _ batch: SignalBatch, at now: Int64, _ complain: (String) -> Void
        ) throws {
            try file.prepare(at: now, reopen: takeReopening())
            try batch.forEachRecord { record in
                syncs.add(record.level)
                let size = writer.write(record)
                if file.add(size, at: now) {
                    let start = writer.count - size
                    try file.write(UnsafeRawBufferPointer(rebasing: writer.bytes[..<start]), at: now)
                    writer.removeFirst(start)
                    try rotate(before: writer.count, at: now, complain)
                } else if writer.count >= Self.chunk {
                    try writeLines(at: now)
                }
            }
            try writeLines(at: now)
        }

        private mutating func writeLines(at now: Int64) throws {
            try file.write(writer.bytes, at: now)
            writer.removeAll()
        }

        /// A file that cannot be put aside is better too large than without its lines.
        private mutating func rotate(
            before bytes: Int, at now: Int64, _ complain: (String) -> Void
        ) throws {
            do {
                try file.rotate(before: bytes, at: now)
            } catch {
                guard file.isOpen else { throw error }
                complain("\(error)")
            }
        }

        private mutating func takeReopening() -> Bool {
            let now = Hangups.count
            defer { (mustReopen, hangups) = (false, now) }
            return mustReopen || hangups != now
        }
    }
}
