// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTransport
import SenteWire

/// The file of a store: a first line that says what it is, then records one after the other.
///
/// ```
/// sente-outbox 1⏎ │ length (4 bytes) │ checksum (4 bytes) │ Transit over MessagePack │ length …
/// ```
///
/// Numbers have their least byte first; the checksum is the CRC-32 of IEEE 802.3. A record that does not fit whole is cut off again
/// at once, so that the file always ends with a whole one unless the process died within a write.
final class OutboxFile {
    enum Record {
        case message(StoredMessage)
        case end(StoredMessage.ID)
    }

    private static let header = Array("sente-outbox 1\n".utf8)
    private static let format = WireFormat.transitMessagePack

    private let directory: String
    private let synchronizes: Bool
    private let lock: FolderLock
    private var descriptor: Int32
    private var size: Int
    /// How many records the file holds.
    private var records: Int

    private init(_ directory: String, synchronizes: Bool, lock: FolderLock, descriptor: Int32) {
        self.directory = directory
        self.synchronizes = synchronizes
        self.lock = lock
        self.descriptor = descriptor
        size = 0
        records = 0
    }

    deinit {
        close(descriptor)
    }

    // MARK: Opening

    /// Opens the file of a folder, and reads it.
    static func open(
        in directory: String, synchronizes: Bool
    ) throws(OutboxStoreError) -> (OutboxFile, [Record], damage: OutboxStoreError?) {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw OutboxStoreError(
                .failed, "The folder “\(directory)” cannot be made: name one that this process may write in.")
        }
        let file = OutboxFile(
            directory, synchronizes: synchronizes, lock: try FolderLock.take(directory),
            descriptor: try descriptor(directory + "/outbox", O_RDWR | O_CREAT))
        let (records, damage) = try file.read()
        return (file, records, damage)
    }

    fileprivate static func descriptor(_ path: String, _ flags: Int32) throws(OutboxStoreError) -> Int32 {
        let number = Foundation.open(path, flags | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw failure("“\(path)” cannot be opened") }
        return number
    }

    /// Reads the whole file, and cuts off what is no record.
    private func read() throws(OutboxStoreError) -> ([Record], OutboxStoreError?) {
        let bytes = try contents()
        let header = Self.header
        guard bytes.count >= header.count else {
            // The process died while the first line was written.
            guard header.starts(with: bytes) else { throw foreign }
            try empty()
            synchronizeFolder()
            return ([], nil)
        }
        guard bytes.starts(with: header) else { throw foreign }
        var found: [Record] = []
        var position = header.count
        var damaged = 0
        while let end = Self.end(of: position, in: bytes) {
            let payload = bytes[(position + 8)..<end]
            if CRC32.checksum(payload) == Self.number(at: position + 4, of: bytes),
                let record = Self.record(payload)
            {
                found.append(record)
            } else {
                damaged += end - position
            }
            records += 1
            position = end
        }
        size = position
        damaged += bytes.count - position
        guard damaged > 0 else { return (found, nil) }
        try setAside(bytes)
        try cut(to: position)
        return (
            found,
            OutboxStoreError(
                .damaged,
                "\(damaged) bytes of “\(directory)/outbox” were no whole message, as after a crash; the file as it was is "
                    + "“outbox.damaged”.")
        )
    }

    private var foreign: OutboxStoreError {
        OutboxStoreError(
            .foreign, "“\(directory)/outbox” is no file of this store: move it away, or name another folder.")
    }

    private func contents() throws(OutboxStoreError) -> [UInt8] {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw foreign }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var position = 0
        while position < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                pread(
                    descriptor, $0.baseAddress?.advanced(by: position), $0.count - position, off_t(position))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("“\(directory)/outbox” cannot be read") }
            if count == 0 { break }
            position += count
        }
        return Array(bytes.prefix(position))
    }

    /// Keeps what is about to be cut off.
    private func setAside(_ bytes: [UInt8]) throws(OutboxStoreError) {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: directory + "/outbox.damaged"))
        } catch {
            throw OutboxStoreError(
                .failed,
                "The damaged file “\(directory)/outbox” cannot be copied: make room, or move it away.")
        }
    }

    // MARK: Writing

    func append(_ record: Record) throws(OutboxStoreError) {
        try write(Self.bytes(of: record))
        records += 1
    }

    /// Whether writing it anew is worth it.
    func isMostlyDone(messages: Int) -> Bool { size > 1 << 20 && records > 4 * messages }

    /// Begins the file anew.
    func empty() throws(OutboxStoreError) {
        try cut(to: 0)
        records = 0
        try write(Self.header)
    }

    /// Replaces the file by one that holds these; it stays as it is when that fails.
    func rewrite(_ messages: [StoredMessage]) throws(OutboxStoreError) {
        let path = directory + "/outbox"
        var bytes = Self.header
        for message in messages { bytes += try Self.bytes(of: .message(message)) }
        let fresh = OutboxFile(
            directory, synchronizes: synchronizes, lock: lock,
            descriptor: try Self.descriptor(path + ".new", O_RDWR | O_CREAT | O_TRUNC))
        try fresh.write(bytes)
        guard rename(path + ".new", path) == 0 else { throw Self.failure("“\(path)” cannot be replaced") }
        synchronizeFolder()
        swap(&descriptor, &fresh.descriptor)
        size = bytes.count
        records = messages.count
    }

    /// Writes at the end, all or nothing.
    private func write(_ bytes: [UInt8]) throws(OutboxStoreError) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress, $0.count, off_t(size + written))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let failure = Self.failure("“\(directory)/outbox” cannot be written")
                try? cut(to: size)
                throw failure
            }
            written += count
        }
        if synchronizes, !Self.synchronize(descriptor) {
            let failure = Self.failure("“\(directory)/outbox” cannot be brought to the disk")
            try? cut(to: size)
            throw failure
        }
        size += written
    }

    /// On Apple's systems `fsync` leaves it with the drive, which may lose it (fsync(2)); not every file system knows the other.
    private static func synchronize(_ descriptor: Int32) -> Bool {
        #if canImport(Darwin)
        if fcntl(descriptor, F_FULLFSYNC) == 0 { return true }
        #endif
        return fsync(descriptor) == 0
    }

    /// So that the file's name outlives a loss of power too, where the file system has a way to see to that.
    private func synchronizeFolder() {
        guard synchronizes, let folder = try? Self.descriptor(directory, O_RDONLY) else { return }
        _ = Self.synchronize(folder)
        close(folder)
    }

    private func cut(to length: Int) throws(OutboxStoreError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else {
            throw Self.failure("“\(directory)/outbox” cannot be cut")
        }
        size = length
    }

    private static func failure(_ what: String) -> OutboxStoreError {
        let code = errno
        if code == ENOSPC || code == EDQUOT || code == EFBIG {
            return OutboxStoreError(
                .full, "\(what), for the disk is full: make room; what was kept is there.")
        }
        return OutboxStoreError(.failed, "\(what): \(String(cString: strerror(code))).")
    }

    // MARK: Records

    private static func bytes(of record: Record) throws(OutboxStoreError) -> [UInt8] {
        let value: Value =
            switch record {
            case .message(let message): message.value
            case .end(let id): ["end": Value(id)]
            }
        do throws(WireError) {
            let payload = try format.encode(value, limits: WireLimits(maximumBytes: .max))
            return number(UInt32(payload.count)) + number(CRC32.checksum(payload[...])) + payload
        } catch {
            throw OutboxStoreError(.failed, "The message cannot be written as \(format.name): \(error)")
        }
    }

    private static func record(_ payload: ArraySlice<UInt8>) -> Record? {
        guard let value = try? format.decode(payload, limits: WireLimits(maximumBytes: .max)) else {
            return nil
        }
        if let id = value["end"]?.stringValue { return .end(id) }
        return StoredMessage(value).map(Record.message)
    }

    /// Where the record at a position ends; nil when it is not whole.
    private static func end(of position: Int, in bytes: [UInt8]) -> Int? {
        guard position + 8 <= bytes.count else { return nil }
        let end = position + 8 + Int(number(at: position, of: bytes))
        return end <= bytes.count ? end : nil
    }

    private static func number(at position: Int, of bytes: [UInt8]) -> UInt32 {
        bytes[position..<position + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func number(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}

/// The lock of a folder, which one store at a time holds.
private final class FolderLock {
    private let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        // A process that another thread starts has a copy until it runs, and closing ours alone would leave that one the lock.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    static func take(_ directory: String) throws(OutboxStoreError) -> FolderLock {
        let lock = FolderLock(try OutboxFile.descriptor(directory + "/lock", O_RDWR | O_CREAT))
        guard flock(lock.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw OutboxStoreError(
                .inUse,
                "Another process, or another store, has “\(directory)”: give each a folder of its own.")
        }
        return lock
    }
}

/// The checksum of IEEE 802.3.
private enum CRC32 {
    private static let table = (0..<256).map { byte -> UInt32 in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }
}
