// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore

/// A file that is sent.
final class UploadFile: Sendable {
    /// How much is read at once.
    static let block = 262_144

    let size: UInt64
    private let path: String
    private let descriptor: Int32

    init(_ url: URL) throws(SenteError) {
        path = url.path
        descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw SenteError(
                .invalidArgument, "“\(url.path)” cannot be read: \(String(cString: strerror(errno))).",
                outcome: .notSent)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw SenteError(
                .invalidArgument,
                "“\(url.path)” is no file that has a size: give `.sequence` for what has none.",
                outcome: .notSent)
        }
        size = UInt64(status.st_size)
    }

    deinit {
        close(descriptor)
    }

    /// Nil at the end.
    func read(at place: UInt64) throws(StreamFault) -> ArraySlice<UInt8>? {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.block) { buffer, count in
            var result: Int
            repeat {
                result = pread(descriptor, buffer.baseAddress, Self.block, off_t(place))
            } while result < 0 && errno == EINTR
            if result < 0 { failure = errno }
            count = max(0, result)
        }
        guard failure == 0 else {
            throw StreamFault(
                .sourceFailed, "“\(path)” cannot be read any more: \(String(cString: strerror(failure))).")
        }
        return bytes.isEmpty ? nil : bytes[...]
    }
}
