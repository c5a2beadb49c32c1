// SPDX-License-Identifier: Apache-2.0

import CSenteSystem
import SenteBase

/// The system's zlib, loaded at run time so that nothing is needed to build.
///
/// A class, for it never changes and every link's compression has it.
package final class ZlibLibrary: Sendable {
    /// Why bytes were not compressed or not given back.
    package enum Failure: Error, Hashable {
        /// The library cannot be loaded; a sentence says what to install.
        case unavailable(String)
        /// The bytes are no whole stream of the container.
        case malformed
        /// More than the limit would come out.
        case tooLarge
    }

    /// What stands around the deflated bytes (RFC 1951).
    package enum Container: Int32, Sendable {
        /// A header and a checksum (RFC 1952).
        case gzip = 31
        /// A shorter header and checksum (RFC 1950), which HTTP and others call deflate.
        case zlib = 15
        /// Nothing.
        case raw = -15
    }

    typealias Stream = UnsafeMutablePointer<sente_z_stream>
    private typealias Begin = @convention(c) (Stream, Int32, UnsafePointer<CChar>, Int32) -> Int32
    private typealias BeginDeflating =
        @convention(c) (Stream, Int32, Int32, Int32, Int32, Int32, UnsafePointer<CChar>, Int32) -> Int32
    typealias Step = @convention(c) (Stream, Int32) -> Int32
    /// Ends a stream, or begins it anew.
    typealias Change = @convention(c) (Stream) -> Int32
    private typealias Version = @convention(c) () -> UnsafePointer<CChar>

    #if canImport(Darwin)
    package static let names = ["libz.dylib", "/usr/lib/libz.1.dylib"]
    #else
    package static let names = ["libz.so.1", "libz.so"]
    #endif

    /// The library, loaded once it is there.
    package static var shared: Result<ZlibLibrary, Failure> {
        made.result { () throws(Failure) in try ZlibLibrary(names: names) }
    }
    private static let made = MadeOnce<ZlibLibrary>()

    private let version: Version
    private let beginDeflating: BeginDeflating
    let deflate: Step
    let resetDeflating: Change
    let endDeflating: Change
    private let beginInflating: Begin
    let inflate: Step
    let resetInflating: Change
    /// Begins anew, but leaves the window as it is.
    let restartInflating: Change
    let endInflating: Change

    /// Loads the first of the libraries that is there; it stays loaded.
    package init(
        names: [String], load: (String) -> SharedLibrary.Attempt = SharedLibrary.load
    ) throws(Failure) {
        let found: SharedLibrary?
        do throws(LinkFailure) {
            found = try SharedLibrary(names, load: load)
        } catch {
            throw .unavailable(error.message)
        }
        guard let library = found else {
            throw .unavailable(
                "zlib is not there: \(names.joined(separator: " or ")) cannot be loaded. "
                    + "Install zlib1g (Debian, Ubuntu) or zlib (Fedora, Alpine, Arch).")
        }
        func function<F>(_ name: String, _ type: F.Type) throws(Failure) -> F {
            guard let function = library.function(name, as: type) else {
                throw .unavailable(
                    "The library named zlib has no function \(name); install zlib 1.2.6 or later.")
            }
            return function
        }
        version = try function("zlibVersion", Version.self)
        beginDeflating = try function("deflateInit2_", BeginDeflating.self)
        deflate = try function("deflate", Step.self)
        resetDeflating = try function("deflateReset", Change.self)
        endDeflating = try function("deflateEnd", Change.self)
        beginInflating = try function("inflateInit2_", Begin.self)
        inflate = try function("inflate", Step.self)
        resetInflating = try function("inflateReset", Change.self)
        restartInflating = try function("inflateResetKeep", Change.self)
        endInflating = try function("inflateEnd", Change.self)
    }

    /// Begins to compress; 0 when that worked.
    ///
    /// `window` is zlib's `windowBits`, negative for raw DEFLATE. 8 is the only method, 0 the usual strategy.
    func beginDeflating(_ stream: Stream, level: Int32, window: Int32, memory: Int32) -> Int32 {
        beginDeflating(stream, level, 8, window, memory, 0, version(), Self.streamSize)
    }

    /// Begins to decompress; 0 when that worked.
    func beginInflating(_ stream: Stream, window: Int32) -> Int32 {
        beginInflating(stream, window, version(), Self.streamSize)
    }
}

extension ZlibLibrary {
    private static let chunk = 32 << 10
    private static let finish: Int32 = 4
    private static let streamEnd: Int32 = 1
    private static let streamSize = Int32(MemoryLayout<sente_z_stream>.size)

    /// Adds the compressed form of all the bytes to others, at a level from 1 (fast) to 9 (small) or zlib's usual one.
    package func compress(
        _ bytes: UnsafeRawBufferPointer, _ container: Container, level: Int? = nil, into output: inout [UInt8]
    ) throws(Failure) {
        var stream = sente_z_stream()
        // Level −1 is the usual one, 8 the usual memory.
        let level = level.map { Int32(min(max($0, 1), 9)) } ?? -1
        guard beginDeflating(&stream, level: level, window: container.rawValue, memory: 8) == 0 else {
            throw .unavailable("zlib could not begin; there may be too little memory.")
        }
        defer { _ = endDeflating(&stream) }
        try run(deflate, &stream, bytes, into: &output, limit: .max)
    }

    /// Adds what was compressed to other bytes, never more than the limit; the bytes must be one whole stream.
    package func decompress(
        _ bytes: UnsafeRawBufferPointer, _ container: Container, into output: inout [UInt8], limit: Int
    ) throws(Failure) {
        var stream = sente_z_stream()
        guard beginInflating(&stream, window: container.rawValue) == 0 else {
            throw .unavailable("zlib could not begin; there may be too little memory.")
        }
        defer { _ = endInflating(&stream) }
        try run(inflate, &stream, bytes, into: &output, limit: limit)
        guard stream.avail_in == 0 else { throw .malformed }
    }

    /// Takes all the bytes through a stream, a chunk of output at a time, to its end.
    private func run(
        _ step: Step, _ stream: inout sente_z_stream, _ bytes: UnsafeRawBufferPointer,
        into output: inout [UInt8], limit: Int
    ) throws(Failure) {
        guard let count = UInt32(exactly: bytes.count) else { throw .tooLarge }
        let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.chunk)
        defer { chunk.deallocate() }
        stream.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_in = count
        var left = limit
        while true {
            stream.next_out = chunk.baseAddress
            stream.avail_out = UInt32(Self.chunk)
            let result = step(&stream, Self.finish)
            let made = Self.chunk - Int(stream.avail_out)
            guard made <= left else { throw .tooLarge }
            left -= made
            output.append(contentsOf: UnsafeMutableBufferPointer(rebasing: chunk[..<made]))
            if result == Self.streamEnd { return }
            // Z_OK and Z_BUF_ERROR ask for more room; a stream cut short makes nothing of it.
            guard result == 0 || result == -5, made > 0 else { throw .malformed }
        }
    }
}
