// SPDX-License-Identifier: Apache-2.0

import Foundation
package import SenteBase
import SenteTransport
import SenteWire

/// A folder into which uploads are written, and whose files can be downloaded.
///
/// What clients call a file is text: it leads to no other folder, to no file that begins with a dot, and through no link. An upload
/// has a temporary name until it is whole.
///
/// Files are read and written on the server's loop, 64 KiB at a time, mostly from and into the system's memory: some ten
/// microseconds. A disk that is slower holds up every connection; for a server of tests and samples that is simpler than threads.
package final class StreamFolder: Sendable {
    /// What becomes of an upload whose name another file has.
    package enum Collision: Hashable, Sendable {
        /// A number is added: `q3-1.pdf`.
        case keepsBoth
        case refuses
        case replaces
    }

    package struct Policy: Hashable, Sendable {
        /// The default keeps both.
        package var collision = Collision.keepsBoth
        /// What the folder may hold, what was there before included; the default is 1 GiB.
        package var totalBytes: UInt64 = 1 << 30
        /// How many files are open at once; the default is 256.
        ///
        /// The system allows a process so many, and connections need some too.
        package var openFiles = 256

        package init() {}
    }

    /// How many numbers are tried beside a name.
    private static let mostNumbers = 1_000

    let policy: Policy
    private let descriptor: Int32
    private let holding: LockedValue<Holding>

    private struct Holding {
        var bytes: UInt64
        var files = 0
    }

    /// Opens the folder, which is made if it is not there.
    ///
    /// Throws when that cannot be done.
    package init(_ path: String, _ policy: Policy = Policy()) throws(LinkFailure) {
        self.policy = policy
        mkdir(path, 0o755)
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw LinkFailure(
                .unavailable,
                "The folder \(path) cannot be opened (\(Self.reason(errno))). Choose another for streams.")
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let descriptor = descriptor
        for name in names where Self.isTemporary(name) { Self.removeForgotten(name, in: descriptor) }
        holding = LockedValue(
            Holding(bytes: names.reduce(0) { $0 + (Self.size(of: $1, in: descriptor) ?? 0) }))
    }

    deinit { close(descriptor) }

    private static func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(".upload-") && name.hasSuffix(".part")
    }

    /// Removes what a server that was killed has left: a living one has its temporary files locked.
    private static func removeForgotten(_ name: String, in folder: Int32) {
        let file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        if flock(file, LOCK_EX | LOCK_NB) == 0 { unlinkat(folder, name, 0) }
    }

    static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    private static func size(of name: String, in folder: Int32) -> UInt64? {
        var status = stat()
        guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFREG
        else { return nil }
        return UInt64(clamping: status.st_size)
    }

    /// What its files hold.
    package var bytes: UInt64 { holding.withLock { $0.bytes } }

    /// How many of them are open.
    package var openFiles: Int { holding.withLock { $0.files } }

    // MARK: Names

    /// The name that a file has here, whatever its client calls it.
    static func plainName(_ text: String) -> String {
        var name = ""
        for character in text {
            let isPlain = character.unicodeScalars.allSatisfy {
                $0.value >= 0x20 && $0.value != 0x7F && $0 != "/" && $0 != "\\"
            }
            let next = isPlain && !(name.isEmpty && character == ".") ? character : "_"
            // The system allows 255 bytes; there is to be room for a number.
            guard name.utf8.count + next.utf8.count <= 200 else { break }
            name.append(next)
        }
        return name.isEmpty ? "unnamed" : name
    }

    private static func numbered(_ name: String, _ number: Int) -> String {
        guard number > 0 else { return name }
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return "\(name)-\(number)" }
        return "\(name[..<dot])-\(number)\(name[dot...])"
    }

    // MARK: Files

    /// Where an upload is written, under the name that its metadata have for it.
    package func sink(for offer: StreamOffer) throws(StreamRefusal) -> FileSink {
        let name = Self.plainName(
            offer.metadata.mapValue?.value(named: "filename")?.stringValue ?? "unnamed")
        if policy.collision == .refuses, Self.exists(name, in: descriptor) { throw .taken(name) }
        if let total = offer.totalSize { try check(total) }
        let temporary = ".upload-\(UUID().uuidString).part"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = try opened { openat(descriptor, temporary, flags, 0o644) }
        guard let file else { throw .unwritable(errno) }
        // Where a system locks nothing, nothing is removed either.
        _ = flock(file, LOCK_EX | LOCK_NB)
        return FileSink(TemporaryFile(file, temporary, in: self), name: name)
    }

    /// A file to download; one that is followed goes on as long as it grows.
    ///
    /// Throws when there is no file of the name.
    package func source(of name: String, follows: Bool = false) throws(StreamRefusal) -> FileSource {
        guard name == Self.plainName(name) else { throw .missing(name) }
        // A pipe would hold the loop up until somebody writes to it.
        let file = try opened {
            openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        }
        guard let file,
            let source = FileSource(OpenFile(file, in: self), name: name, follows: follows)
        else { throw .missing(name) }
        return source
    }

    /// Opens a file, if one more may be open; nil when it cannot be.
    private func opened(_ open: () -> Int32) throws(StreamRefusal) -> Int32? {
        let mayOpen = holding.withLock { holding in
            guard holding.files < policy.openFiles else { return false }
            holding.files += 1
            return true
        }
        guard mayOpen else {
            throw StreamRefusal("\(policy.openFiles) files are open already", code: "quota-exceeded")
        }
        let file = open()
        guard file < 0 else { return file }
        let code = errno
        letGo()
        errno = code
        return nil
    }

    /// A file of it was closed.
    func letGo() { holding.withLock { $0.files = max(0, $0.files - 1) } }

    private static func exists(_ name: String, in folder: Int32) -> Bool {
        var status = stat()
        return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
    }

    // MARK: Room

    private func check(_ more: UInt64) throws(StreamRefusal) {
        if more > policy.totalBytes - min(policy.totalBytes, bytes) { throw .full(policy.totalBytes) }
    }

    func reserve(_ more: UInt64) throws(StreamRefusal) {
        let fits = holding.withLock { holding in
            guard more <= policy.totalBytes - min(policy.totalBytes, holding.bytes) else { return false }
            holding.bytes += more
            return true
        }
        if !fits { throw .full(policy.totalBytes) }
    }

    func release(_ bytes: UInt64) { holding.withLock { $0.bytes -= min($0.bytes, bytes) } }

    // MARK: The end of an upload

    /// Gives a temporary file its name; the one that it has now.
    func keep(_ temporary: String, as name: String) throws(StreamRefusal) -> String {
        if policy.collision == .replaces {
            let replaced = Self.size(of: name, in: descriptor) ?? 0
            guard renameat(descriptor, temporary, descriptor, name) == 0 else { throw .unwritable(errno) }
            release(replaced)
            return name
        }
        for number in 0...(policy.collision == .keepsBoth ? Self.mostNumbers : 0) {
            let name = Self.numbered(name, number)
            // Unlike a renaming, a link is never made over another file.
            if linkat(descriptor, temporary, descriptor, name, 0) == 0 {
                unlinkat(descriptor, temporary, 0)
                return name
            }
            guard errno == EEXIST else { throw .unwritable(errno) }
        }
        throw .taken(name)
    }

    func remove(_ temporary: String) { unlinkat(descriptor, temporary, 0) }
}

extension StreamRefusal {
    fileprivate static func missing(_ name: String) -> StreamRefusal {
        StreamRefusal("there is no file “\(name)” here")
    }

    fileprivate static func taken(_ name: String) -> StreamRefusal {
        StreamRefusal("there is a file “\(name)” already")
    }

    fileprivate static func full(_ total: UInt64) -> StreamRefusal {
        StreamRefusal("the folder may hold \(total) bytes, and this would be more", code: "quota-exceeded")
    }

    static func unwritable(_ code: Int32) -> StreamRefusal {
        let isFull = [ENOSPC, EDQUOT, EFBIG].contains(code)
        return StreamRefusal(
            "the file cannot be written: \(StreamFolder.reason(code))",
            code: isFull ? "quota-exceeded" : "refused")
    }
}
