// SPDX-License-Identifier: Apache-2.0

import Foundation
public import SenteCore
import SenteTransport
import SenteWire

/// Keeps large data in a folder that both ends reach: on one machine, or on a file system they share.
///
/// A file's name is the SHA-256 of what is in it, so that the same data is kept once, and a reference can name nothing else. It has
/// that name when it is whole and on the disk; before, and when that fails, nothing is seen of it. Nothing is ever removed: that is
/// for the app, which knows how long references are good for.
public struct FileStorage: LargeDataStorage {
    /// What references name it by.
    public let name: String
    private let folder: Folder
    private let bench = Workbench()

    /// Opens a folder, which is made if there is none.
    ///
    /// - Parameters:
    ///   - directory: The path of the folder. Later it may be moved: the storage keeps to the folder itself.
    ///   - name: What references name it by. The default is `file`.
    /// - Throws: `invalidArgument` when it can be neither made nor opened.
    public init(directory: String, name: String = "file") throws(SenteError) {
        try self.init(directory: directory, name: name, write: DownloadFile.system)
    }

    /// Writes otherwise than the system, in tests.
    package init(
        directory: String, name: String = "file", write: @escaping DownloadFile.Write
    ) throws(SenteError) {
        self.name = name
        folder = try Folder(directory, write: write)
    }

    /// Keeps bytes in a file.
    ///
    /// - Throws: `storageFailed`, also when the disk is full; nothing of them is left then.
    public func store(_ bytes: [UInt8], metadata: [String: String]) async throws(SenteError) -> String {
        try await elsewhere { [folder] () throws(SenteError) in try folder.store(bytes) }
    }

    /// Reads a file.
    ///
    /// - Throws: `invalidReference` for what names no file of this storage, `storageFailed` when it is not there or has another
    ///   size.
    public func fetch(
        _ reference: LargeDataReference, limit: Int
    ) async throws(SenteError) -> [UInt8] {
        try await elsewhere { [folder] () throws(SenteError) in
            try folder.read(reference.reference, limit: limit)
        }
    }

    /// Disks take their time, and the threads of tasks are few.
    private func elsewhere<R: Sendable>(
        _ work: @escaping @Sendable () throws(SenteError) -> R
    ) async throws(SenteError) -> R {
        let result: Result<R, SenteError> = await withCheckedContinuation { continuation in
            bench.add {
                continuation.resume(returning: Result { () throws(SenteError) in try work() })
            }
        }
        return try result.get()
    }
}

/// The folder itself, whatever becomes of its path; files in it are opened by their names alone, and never through a link.
private final class Folder: Sendable {
    private let path: String
    private let descriptor: Int32
    private let write: DownloadFile.Write

    init(_ path: String, write: @escaping DownloadFile.Write) throws(SenteError) {
        self.path = path
        self.write = write
        _ = mkdir(path, 0o755)
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw SenteError(
                .invalidArgument,
                "The folder “\(path)” can be neither made nor opened: \(String(cString: strerror(errno))).")
        }
    }

    deinit {
        close(descriptor)
    }

    // MARK: Writing

    func store(_ bytes: [UInt8]) throws(SenteError) -> String {
        let name = Base16.text(DigestFunction.system.digest(of: bytes[...]))
        // What has the name is whole, and the same.
        if size(of: name) == bytes.count { return name }
        let part = ".\(UUID().uuidString).part"
        let file = openat(descriptor, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw error("A file cannot be made in “\(path)”") }
        do throws(SenteError) {
            defer { close(file) }
            try append(bytes, to: file)
            guard fsync(file) == 0 else { throw error("A file in “\(path)” cannot be brought to the disk") }
            guard renameat(descriptor, part, descriptor, name) == 0 else {
                throw error("A file in “\(path)” cannot be given its name")
            }
        } catch {
            unlinkat(descriptor, part, 0)
            throw error
        }
        // So that the name outlives a loss of power too, where the file system has a way to see to that.
        _ = fsync(descriptor)
        return name
    }

    private func append(_ bytes: [UInt8], to file: Int32) throws(SenteError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw error("A file in “\(path)” cannot be written") }
            rest = rest.dropFirst(count)
        }
    }

    private func size(of name: String) -> Int? {
        var status = stat()
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
            status.st_mode & S_IFMT == S_IFREG
        else { return nil }
        return Int(status.st_size)
    }

    // MARK: Reading

    func read(_ name: String, limit: Int) throws(SenteError) -> [UInt8] {
        guard name.utf8.count == 64, name.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) else {
            throw SenteError(
                .invalidReference,
                "A reference names no file of this storage, whose names are 64 hexadecimal digits: its sender must be mended."
            )
        }
        // What is no file must not hold up who opens it.
        let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw error("“\(name)” in “\(path)” cannot be opened") }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SenteError(.storageFailed, "“\(name)” in “\(path)” is no file.")
        }
        guard status.st_size <= off_t(limit) else {
            throw SenteError(
                .storageFailed,
                "“\(name)” in “\(path)” has \(status.st_size) bytes, and its reference says \(limit).")
        }
        return try contents(of: file, Int(status.st_size), name)
    }

    private func contents(of file: Int32, _ size: Int, _ name: String) throws(SenteError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size, let base = buffer.baseAddress {
                let read = pread(file, base + count, size - count, off_t(count))
                if read < 0, errno == EINTR { continue }
                if read < 0 { failure = errno }
                guard read > 0 else { return }
                count += read
            }
        }
        guard failure == 0 else {
            errno = failure
            throw error("“\(name)” in “\(path)” cannot be read")
        }
        return bytes
    }

    private func error(_ what: String) -> SenteError {
        let code = errno
        if code == ENOSPC || code == EDQUOT || code == EFBIG {
            return SenteError(.storageFailed, "\(what), for the disk is full: make room.")
        }
        return SenteError(.storageFailed, "\(what): \(String(cString: strerror(code))).")
    }
}
