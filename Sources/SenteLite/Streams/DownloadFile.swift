// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteTransport
import SenteWire

/// A file that is written beside its name, and gets its name when it is whole.
///
/// Nothing is seen of it under its name before that, and nothing stays of it when it does not come to that. What was written before
/// the process died is found again by the name of the stream.
package final class DownloadFile {
    /// Writes some of the bytes, and says how many, or -1 with `errno` set.
    ///
    /// Tests have another one, whose disk is full.
    package typealias Write = @Sendable (Int32, UnsafeRawBufferPointer) -> Int

    package static let system: Write = { descriptor, bytes in
        Foundation.write(descriptor, bytes.baseAddress, bytes.count)
    }

    /// Where it will be.
    let path: String
    private let partPath: String
    private let overwrites: Bool
    private let write: Write
    private var descriptor: Int32
    /// It has its name, or is gone.
    private var isOver = false

    /// Begins anew, or goes on behind the bytes before a place.
    ///
    /// `stream` tells one's unfinished file from that of another.
    init(
        _ path: String, overwrites: Bool, stream: String, from place: UInt64 = 0,
        write: @escaping Write = system
    ) throws(SenteError) {
        self.path = path
        self.overwrites = overwrites
        self.write = write
        let url = URL(fileURLWithPath: path)
        partPath =
            url.deletingLastPathComponent()
            .appendingPathComponent(Self.partName(of: url.lastPathComponent, stream: stream)).path
        if !overwrites, access(path, F_OK) == 0 {
            throw SenteError(
                .invalidArgument,
                "There is a file “\(path)” already: name another, or let it be overwritten.")
        }
        // Never through a link that somebody laid there.
        if place == 0 {
            unlink(partPath)
            descriptor = Foundation.open(partPath, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        } else {
            descriptor = Foundation.open(partPath, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        }
        guard descriptor >= 0 else {
            throw place == 0
                ? Self.error("“\(partPath)” cannot be made")
                : SenteError(
                    .notResumable,
                    "“\(partPath)”, which was begun, is not there any more: begin the download anew.")
        }
        guard place > 0 else { return }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size >= off_t(place),
            ftruncate(descriptor, off_t(place)) == 0, lseek(descriptor, 0, SEEK_END) == off_t(place)
        else {
            close(descriptor)
            isOver = true
            throw SenteError(
                .notResumable,
                "“\(partPath)” has less than the \(place) bytes that were received: begin the download anew.")
        }
    }

    /// The name of an unfinished file.
    package static func partName(of name: String, stream: String) -> String {
        let mark = DigestFunction.sha256.digest(of: Array(stream.utf8)[...]).prefix(6)
        return ".\(name).\(Base16.text(Array(mark))).part"
    }

    deinit {
        close(descriptor)
        if !isOver { unlink(partPath) }
    }

    /// Over what is there.
    func digest() throws(SenteError) -> any IncrementalDigest {
        var digest = DigestFunction.system.begin()
        var buffer = [UInt8](repeating: 0, count: UploadFile.block)
        var place: off_t = 0
        while true {
            let count = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, place) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.error("“\(partPath)” cannot be read") }
            if count == 0 { return digest }
            buffer[..<count].withUnsafeBytes { digest.update($0) }
            place += off_t(count)
        }
    }

    func append(_ bytes: ArraySlice<UInt8>) throws(SenteError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.error("“\(path)” cannot be written") }
            rest = rest.dropFirst(count)
        }
    }

    /// All of it comes again.
    func startOver() throws(SenteError) {
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw Self.error("“\(path)” cannot be begun anew")
        }
    }

    /// Gives it its name.
    func finish() throws(SenteError) {
        guard fsync(descriptor) == 0 else { throw Self.error("“\(path)” cannot be brought to the disk") }
        if overwrites {
            guard rename(partPath, path) == 0 else { throw Self.error("“\(path)” cannot be replaced") }
        } else {
            // Unlike `rename`, this fails where somebody was faster.
            guard link(partPath, path) == 0 else { throw Self.error("“\(path)” cannot be made") }
            unlink(partPath)
        }
        isOver = true
    }

    private static func error(_ what: String) -> SenteError {
        let code = errno
        if code == ENOSPC || code == EDQUOT || code == EFBIG {
            return SenteError(
                .streamFailed, "\(what), for the disk is full: make room, and begin the download anew.")
        }
        return SenteError(.streamFailed, "\(what): \(String(cString: strerror(code))).")
    }
}
