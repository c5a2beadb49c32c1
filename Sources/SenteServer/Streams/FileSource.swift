// SPDX-License-Identifier: Apache-2.0

import SenteTransport

/// Gives the bytes of a file, from any place.
package struct FileSource: StreamSource {
    /// How long a followed file is left alone that has not grown.
    private static let pause = Duration.milliseconds(200)

    private let file: OpenFile
    private let name: String
    /// How much is given; nil: all there is and will be.
    package let size: UInt64?

    /// Nil for what is no file.
    init?(_ file: OpenFile, name: String, follows: Bool) {
        guard let status = file.status, status.isFile else { return nil }
        self.file = file
        self.name = name
        size = follows ? nil : status.size
    }

    package var canGoBack: Bool { true }

    package func bytes(at place: UInt64, most: Int) throws(StreamRefusal) -> StreamSupply {
        let count = size.map { Int(min($0 - min($0, place), UInt64(most))) } ?? most
        guard count > 0 else { return .end }
        guard let bytes = file.bytes(at: place, count), let status = file.status else {
            throw failure("cannot be read: \(StreamFolder.reason(errno))")
        }
        if !bytes.isEmpty { return .bytes(bytes[...]) }
        guard size == nil, status.size >= place else { throw failure("has become shorter") }
        // Nobody will find it to write into it, but who has it open.
        return status.isRemoved ? .end : .later(Self.pause)
    }

    private func failure(_ what: String) -> StreamRefusal {
        StreamRefusal("the file “\(name)” \(what)", code: "source-failed")
    }
}

/// A file that is open for reading.
final class OpenFile: Sendable {
    private let descriptor: Int32
    private let folder: StreamFolder

    init(_ descriptor: Int32, in folder: StreamFolder) {
        self.descriptor = descriptor
        self.folder = folder
    }

    deinit {
        close(descriptor)
        folder.letGo()
    }

    var status: (isFile: Bool, size: UInt64, isRemoved: Bool)? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        return (status.st_mode & S_IFMT == S_IFREG, UInt64(clamping: status.st_size), status.st_nlink == 0)
    }

    /// What stands at a place, as far as there is some; nil when it cannot be read.
    func bytes(at place: UInt64, _ most: Int) -> [UInt8]? {
        guard let offset = off_t(exactly: place) else { return nil }
        var hasFailed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            repeat {
                count = pread(descriptor, buffer.baseAddress, most, offset)
            } while count < 0
                && errno == EINTR
            hasFailed = count < 0
            count = max(0, count)
        }
        return hasFailed ? nil : bytes
    }
}
