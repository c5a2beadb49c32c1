// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Android)
import Android
#endif

/// An error number of the system.
struct SystemError: Error, Hashable {
    var number: Int32

    static var last: SystemError { SystemError(number: errno) }

    static let notFound = SystemError(number: ENOENT)
    static let isDirectory = SystemError(number: EISDIR)
    static let notDirectory = SystemError(number: ENOTDIR)
    static let denied: Set<SystemError> = [.init(number: EACCES), .init(number: EPERM), .init(number: EROFS)]
    static let full: Set<SystemError> = [.init(number: ENOSPC), .init(number: EDQUOT), .init(number: EFBIG)]
    static let invalid = SystemError(number: EINVAL)
    static let exists = SystemError(number: EEXIST)

    var text: String { String(cString: strerror(number)) }
}

/// What the system knows of a file.
struct FileStatus {
    /// The same file has the same identity, whatever its name is.
    struct Identity: Hashable {
        var device: UInt64
        var node: UInt64
    }

    enum Kind: Hashable {
        case file, directory, device, other
    }

    var identity: Identity
    var kind: Kind
    var size: Int
    /// Nanoseconds since 1970, whole seconds.
    var changedAt: Int64

    init(_ path: String) throws(SystemError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .last }
        self.init(status)
    }

    fileprivate init(_ status: stat) {
        identity = Identity(
            device: UInt64(truncatingIfNeeded: status.st_dev), node: UInt64(truncatingIfNeeded: status.st_ino)
        )
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFCHR: .device
            default: .other
            }
        size = Int(status.st_size)
        #if canImport(Darwin)
        changedAt = Int64(status.st_mtimespec.tv_sec) * 1_000_000_000
        #else
        changedAt = Int64(status.st_mtim.tv_sec) * 1_000_000_000
        #endif
    }
}

/// An open file that is only appended to; closed when it goes.
struct FileDescriptor: ~Copyable {
    /// One of those that a process begins with.
    enum Standard: Sendable {
        case output, error

        var descriptor: FileDescriptor {
            FileDescriptor(borrowing: self == .output ? STDOUT_FILENO : STDERR_FILENO)
        }
    }

    private let number: Int32
    private let isOwned: Bool

    private init(borrowing number: Int32) {
        (self.number, isOwned) = (number, false)
    }

    /// Opens a file, which is made if there is none.
    init(appendingTo path: String, permissions: UInt16) throws(SystemError) {
        guard !path.utf8.contains(0) else { throw .invalid }
        // A pipe without a reader must not hold the thread up.
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        let opened = open(path, flags, mode_t(permissions))
        guard opened >= 0 else { throw .last }
        (number, isOwned) = (opened, true)
    }

    deinit {
        guard isOwned else { return }
        // A process that another thread starts has a copy until it runs, which would keep the lock.
        _ = flock(number, LOCK_UN)
        close(number)
    }

    var status: FileStatus {
        get throws(SystemError) {
            var status = stat()
            guard fstat(number, &status) == 0 else { throw .last }
            return FileStatus(status)
        }
    }

    var isTerminal: Bool { isatty(number) == 1 }

    /// Locks the file as one who writes it alone; false if others who write it have locked it.
    ///
    /// Where the system keeps no locks, nobody has.
    func lockAlone() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK }

    /// Locks the file as one of those who write it, until it is closed.
    func lockShared() { _ = flock(number, LOCK_SH | LOCK_NB) }

    /// Writes all bytes, in one call if the system takes them so.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var position = 0
        while position < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            let count = systemWrite(number, rest)
            if count >= 0 {
                position += count
                continue
            }
            switch errno {
            case EINTR: break
            case EAGAIN: waitUntilWritable()
            default: throw .last
            }
        }
    }

    func write(_ text: String) throws(SystemError) {
        var result: Result<Void, SystemError> = .success(())
        var text = text
        text.withUTF8 { bytes in
            do throws(SystemError) { try write(UnsafeRawBufferPointer(bytes)) } catch {
                result = .failure(error)
            }
        }
        try result.get()
    }

    private func waitUntilWritable() {
        var entry = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        poll(&entry, 1, -1)
    }

    /// Returns when what was written is on the disk.
    func synchronize() throws(SystemError) {
        #if canImport(Darwin)
        let result = fsync(number)
        #else
        let result = fdatasync(number)
        #endif
        // Devices and pipes have nothing to bring to a disk.
        guard result == 0 || errno == EINVAL || errno == ENOTSUP else { throw .last }
    }
}

/// What is done to files by their names.
enum FileSystem {
    /// The last byte of a file; nil when it is empty or must not be read.
    static func lastByte(of path: String, size: Int) -> UInt8? {
        guard size > 0 else { return nil }
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else { return nil }
        defer { close(number) }
        var byte: UInt8 = 0
        return pread(number, &byte, 1, off_t(size - 1)) == 1 ? byte : nil
    }

    /// All of a file; nil when it is larger or cannot be read.
    static func contents(of path: String, atMost limit: Int) -> [UInt8]? {
        guard let size = (try? FileStatus(path))?.size, size <= limit else { return nil }
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else { return nil }
        defer { close(number) }
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size, let base = buffer.baseAddress {
                let more = read(number, base + count, size - count)
                guard more > 0 else { return }
                count += more
            }
        }
        return bytes.count == size ? bytes : nil
    }

    /// Renames a file if there is one.
    static func move(_ path: String, to other: String) throws(SystemError) {
        guard rename(path, other) == 0 || errno == ENOENT else { throw .last }
    }

    /// Removes a file if there is one.
    static func remove(_ path: String) throws(SystemError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .last }
    }

    /// Makes the folders above a file, those that are not there.
    static func makeFolders(above path: String) throws(SystemError) {
        guard !path.utf8.contains(0) else { throw .invalid }
        for index in path.indices.dropFirst() where path[index] == "/" {
            guard
                mkdir(String(path[..<index]), 0o755) == 0 || errno == EEXIST || errno == EROFS
                    || errno == EACCES
            else { throw .last }
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}

/// A variable of the process' environment.
func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}
