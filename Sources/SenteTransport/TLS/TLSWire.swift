// SPDX-License-Identifier: Apache-2.0

import CSenteSystem
import SenteBase

/// The bytes on both sides of OpenSSL: what came from the socket, and what is to go there.
///
/// OpenSSL reads and writes them through a BIO of our own, because its memory BIOs keep the largest piece they
/// ever held, and copy what comes once more.
struct TLSWire {
    /// What was received and not yet read; valid within one call.
    var input = UnsafeRawBufferPointer(start: nil, count: 0)
    private var storage: [UInt8] = []
    private var head = 0

    /// Whether anything is to be sent.
    var hasOutput: Bool { head < storage.count }

    var output: ArraySlice<UInt8> { storage[head...] }

    /// Moves input to where OpenSSL wants it; how much.
    fileprivate mutating func take(into target: UnsafeMutableRawPointer, atMost limit: Int) -> Int {
        let count = min(input.count, limit)
        guard count > 0, let source = input.baseAddress else { return 0 }
        target.copyMemory(from: source, byteCount: count)
        input = UnsafeRawBufferPointer(rebasing: input[count...])
        return count
    }

    /// Makes room for so many bytes of output at once.
    mutating func reserve(_ count: Int) {
        storage.reserveCapacity(storage.count + count)
    }

    fileprivate mutating func append(_ bytes: UnsafeRawBufferPointer) {
        storage.append(contentsOf: bytes)
    }

    /// Drops the front of the output, which was sent; owns no memory once all of it was.
    mutating func wrote(_ count: Int) {
        head += count
        guard !hasOutput else { return }
        storage = []
        head = 0
    }
}

/// The BIO (BIO_meth_new(3)) that reads and writes a `TLSWire`.
enum TLSWireBIO {
    /// BIO_TYPE_SOURCE_SINK.
    static let sourceAndSink: Int32 = 0x0400
    private static let readFlag: Int32 = 0x01
    private static let retryFlags: Int32 = 0x0F
    private static let retryRead: Int32 = readFlag | 0x08
    private static let flush: Int32 = 11

    /// A BIO on `wire`, which must outlive it.
    static func make(_ library: TLSLibrary, on wire: UnsafeMutablePointer<TLSWire>) -> OpaquePointer? {
        guard let bio = library.BIO_new(library.wireMethod) else { return nil }
        library.BIO_set_data(bio, wire)
        return bio
    }

    private static func find(_ bio: OpaquePointer?) -> (TLSLibrary, UnsafeMutablePointer<TLSWire>)? {
        guard let bio, let library = TLSLibrary.loaded, let data = library.BIO_get_data(bio)
        else { return nil }
        return (library, data.assumingMemoryBound(to: TLSWire.self))
    }

    static let readBytes: sente_bio_read_cb = { bio, target, limit in
        guard let (library, wire) = find(bio), let target else { return -1 }
        library.BIO_clear_flags(bio, retryFlags)
        let count = wire.pointee.take(into: target, atMost: Int(limit))
        if count == 0 { library.BIO_set_flags(bio, retryRead) }
        return count == 0 ? -1 : Int32(count)
    }

    static let writeBytes: sente_bio_write_cb = { bio, source, count in
        guard let (library, wire) = find(bio), let source, count > 0 else { return -1 }
        library.BIO_clear_flags(bio, retryFlags)
        wire.pointee.append(UnsafeRawBufferPointer(start: source, count: Int(count)))
        return count
    }

    static let control: sente_bio_ctrl_cb = { _, command, _, _ in command == flush ? 1 : 0 }
}
