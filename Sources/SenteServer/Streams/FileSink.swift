// SPDX-License-Identifier: Apache-2.0

import SenteTransport
package import SenteWire

/// Writes an upload into a file beside its name, which it has once it is whole.
package struct FileSink: StreamSink {
    private let file: TemporaryFile
    private let name: String
    private var size: UInt64 = 0

    package init(_ file: TemporaryFile, name: String) {
        self.file = file
        self.name = name
    }

    package mutating func take(_ bytes: ArraySlice<UInt8>) throws(StreamRefusal) {
        try file.write(bytes)
        size += UInt64(bytes.count)
    }

    /// The receipt is the name that the file has, and its size.
    package func finish() throws(StreamRefusal) -> Value {
        ["name": .string(try file.keep(as: name)), "size": .integer(Int64(clamping: size))]
    }

    package func abandon() { file.discard() }
}

/// A file that is removed unless it is kept.
package final class TemporaryFile: Sendable {
    private struct State {
        var size: UInt64 = 0
        var isDone = false
    }

    private let descriptor: Int32
    private let name: String
    private let folder: StreamFolder
    private let state = LockedValue(State())

    /// Takes over an open file, which has a name in the folder.
    package init(_ descriptor: Int32, _ name: String, in folder: StreamFolder) {
        self.descriptor = descriptor
        self.name = name
        self.folder = folder
    }

    deinit {
        discard()
        close(descriptor)
        folder.letGo()
    }

    func write(_ bytes: ArraySlice<UInt8>) throws(StreamRefusal) {
        try folder.reserve(UInt64(bytes.count))
        state.withLock { $0.size += UInt64(bytes.count) }
        let failure = bytes.withUnsafeBytes { buffer -> Int32? in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Self.write(UnsafeRawBufferPointer(rebasing: rest), to: descriptor)
                if count < 0, errno != EINTR { return errno }
                rest = rest.dropFirst(max(0, count))
            }
            return nil
        }
        if let failure { throw .unwritable(failure) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
        #if canImport(Darwin)
        Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Glibc)
        Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Musl)
        Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Android)
        Android.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }

    func keep(as wanted: String) throws(StreamRefusal) -> String {
        let kept = try folder.keep(name, as: wanted)
        state.withLock { $0.isDone = true }
        return kept
    }

    func discard() {
        let size = state.withLock { state -> UInt64? in
            guard !state.isDone else { return nil }
            state.isDone = true
            return state.size
        }
        guard let size else { return }
        folder.remove(name)
        folder.release(size)
    }
}
