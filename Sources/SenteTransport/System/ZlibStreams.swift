// SPDX-License-Identifier: Apache-2.0

import CSenteSystem
package import SenteBase
package import SenteSocket

extension ZlibLibrary: DeflateLibrary {
    package func makeDeflater(windowBits: Int, level: Int) -> (any Deflater)? {
        ZlibDeflater(self, windowBits: windowBits, level: level)
    }

    package func makeInflater(windowBits: Int) -> (any Inflater)? {
        ZlibInflater(self, windowBits: windowBits)
    }
}

extension LinkCompression {
    /// Compression by the system's zlib; nil where there is none, or none is wanted.
    package static func system(_ policy: CompressionPolicy?) -> LinkCompression? {
        guard let policy, case .success(let library) = ZlibLibrary.shared else { return nil }
        return latest.withLock { latest in
            if let latest, latest.policy == policy { return latest }
            let new = LinkCompression(policy, library)
            latest = new
            return new
        }
    }

    /// What the last link was given: links that compress alike share it.
    private static let latest = LockedValue<LinkCompression?>(nil)
}

/// What zlib's functions return and are told, as far as streams need it (zlib.h).
private enum Zlib {
    static let syncFlush: Int32 = 2
    static let ok: Int32 = 0
    static let streamEnd: Int32 = 1
    static let memoryError: Int32 = -4
    static let bufferError: Int32 = -5

    /// In `data_type`: a block has just ended, and how many bits of the last byte are not used yet.
    static let blockEnd: Int32 = 128
    static let unusedBits: Int32 = 63
}

/// A compressing stream of zlib's.
///
/// zlib points back at its stream, which must therefore stay where it is.
final class ZlibDeflater: Deflater, @unchecked Sendable {
    private let library: ZlibLibrary
    private let stream: ZlibLibrary.Stream

    init?(_ library: ZlibLibrary, windowBits: Int, level: Int) {
        // Older versions took 8 for raw DEFLATE and wrote with 9.
        guard (9...15).contains(windowBits), (1...9).contains(level) else { return nil }
        self.library = library
        stream = .allocate(capacity: 1)
        stream.initialize(to: sente_z_stream())
        // zlib's usual memory for the largest window, and as much less as the window is smaller.
        let begun = library.beginDeflating(
            stream, level: Int32(level), window: -Int32(windowBits), memory: Int32(windowBits - 7))
        // From here on `deinit` gives back what there is, also when nil is returned.
        guard begun == Zlib.ok else { return nil }
    }

    deinit {
        _ = library.endDeflating(stream)
        stream.deallocate()
    }

    func deflate(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let count = UInt32(exactly: bytes.count) else { return nil }
        stream.pointee.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = count
        var result = Zlib.ok
        // Enough for nearly everything, so that zlib is called once.
        var output = [UInt8](unsafeUninitializedCapacity: bytes.count + bytes.count >> 8 + 64) {
            result = step(into: $0, made: &$1)
        }
        // zlib has more to say as long as it fills what it is given.
        while result == Zlib.ok, stream.pointee.avail_out == 0 {
            output += [UInt8](unsafeUninitializedCapacity: max(1 << 10, output.count >> 1)) {
                result = step(into: $0, made: &$1)
            }
        }
        // After an exact fit there may have been nothing left to say.
        guard result == Zlib.ok || result == Zlib.bufferError, output.suffix(4) == [0x00, 0x00, 0xFF, 0xFF]
        else { return nil }
        output.removeLast(4)
        return output
    }

    private func step(into target: UnsafeMutableBufferPointer<UInt8>, made: inout Int) -> Int32 {
        let room = UInt32(clamping: target.count)
        stream.pointee.next_out = target.baseAddress
        stream.pointee.avail_out = room
        let result = library.deflate(stream, Zlib.syncFlush)
        made = Int(room - stream.pointee.avail_out)
        return result
    }

    func reset() {
        _ = library.resetDeflating(stream)
    }
}

/// A decompressing stream of zlib's.
final class ZlibInflater: Inflater, @unchecked Sendable {
    private static let chunk = 16 << 10

    private let library: ZlibLibrary
    private let stream: ZlibLibrary.Stream
    /// Nothing was read since the beginning, or since a final block.
    private var isFresh = true

    init?(_ library: ZlibLibrary, windowBits: Int) {
        guard (8...15).contains(windowBits) else { return nil }
        self.library = library
        stream = .allocate(capacity: 1)
        stream.initialize(to: sente_z_stream())
        guard library.beginInflating(stream, window: -Int32(windowBits)) == Zlib.ok else { return nil }
    }

    deinit {
        _ = library.endInflating(stream)
        stream.deallocate()
    }

    var isAtBoundary: Bool {
        let type = stream.pointee.data_type
        return isFresh || type & Zlib.blockEnd != 0 && type & Zlib.unusedBits == 0
    }

    func inflate(
        _ bytes: UnsafeRawBufferPointer, into output: inout [UInt8], limit: Int
    ) throws(InflateError) {
        guard let count = UInt32(exactly: bytes.count), output.count <= limit else { throw .tooLarge }
        stream.pointee.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = count
        let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.chunk)
        defer { chunk.deallocate() }
        repeat {
            let left = limit - output.count
            // One byte beyond the limit shows that there is more.
            let room = min(Self.chunk - 1, left) + 1
            let before = stream.pointee.avail_in
            stream.pointee.next_out = chunk.baseAddress
            stream.pointee.avail_out = UInt32(room)
            let result = library.inflate(stream, Zlib.syncFlush)
            let made = room - Int(stream.pointee.avail_out)
            guard made <= left else { throw .tooLarge }
            output.append(contentsOf: UnsafeMutableBufferPointer(rebasing: chunk[..<made]))
            if made > 0 || stream.pointee.avail_in != before { isFresh = result == Zlib.streamEnd }
            try check(result)
        } while stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0 && !isFresh
    }

    private func check(_ result: Int32) throws(InflateError) {
        switch result {
        case Zlib.ok: return
        // There was nothing left to do.
        case Zlib.bufferError where stream.pointee.avail_in == 0: return
        // What follows is read in the same manner (RFC 7692 §7.2.3.4), and may refer to what came before.
        case Zlib.streamEnd where library.restartInflating(stream) == Zlib.ok: return
        case Zlib.memoryError: throw .outOfMemory
        default: throw .damaged
        }
    }

    func reset() {
        _ = library.resetInflating(stream)
        isFresh = true
    }
}
