// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTransport
import Testing

@Suite("zlib, loaded at run time")
struct ZlibLibraryTests {
    private func compress(_ bytes: [UInt8], _ container: ZlibLibrary.Container) throws -> [UInt8] {
        let library = try ZlibLibrary.shared.get()
        var output: [UInt8] = []
        try bytes.withUnsafeBytes { bytes in
            try library.compress(bytes, container, into: &output)
        }
        return output
    }

    private func decompress(
        _ bytes: [UInt8], _ container: ZlibLibrary.Container, limit: Int = 1 << 20
    ) throws -> [UInt8] {
        let library = try ZlibLibrary.shared.get()
        var output: [UInt8] = []
        try bytes.withUnsafeBytes { bytes in
            try library.decompress(bytes, container, into: &output, limit: limit)
        }
        return output
    }

    @Test(
        "gives back what it compressed", arguments: [ZlibLibrary.Container.gzip, .zlib, .raw],
        [0, 1, 1000, 300_000])
    func roundTrip(container: ZlibLibrary.Container, count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
        let compressed = try compress(bytes, container)
        #expect(compressed.starts(with: [0x1F, 0x8B]) == (container == .gzip))
        // RFC 1950 §2.2: method 8 with a window of 32 KiB, at zlib's usual level.
        #expect(compressed.starts(with: [0x78, 0x9C]) == (container == .zlib))
        #expect(try decompress(compressed, container) == bytes)
        #expect(try compress(bytes, container) == compressed)
    }

    @Test("is smaller at a higher level, and any number is one")
    func levels() throws {
        let library = try ZlibLibrary.shared.get()
        let bytes = (0..<20_000).flatMap { Array("\($0 % 700) \($0 &* $0 % 911),".utf8) }
        let sizes = try [0, 1, 6, 9, 1_000].map { level in
            var output: [UInt8] = []
            try bytes.withUnsafeBytes { try library.compress($0, .zlib, level: level, into: &output) }
            return output.count
        }
        #expect(sizes[0] == sizes[1])
        #expect(sizes[1] > sizes[2] && sizes[2] >= sizes[3])
        #expect(sizes[3] == sizes[4])
    }

    @Test("stops a few bytes that would unfold to many at the limit")
    func bomb() throws {
        let bomb = try compress([UInt8](repeating: 0, count: 16 << 20), .gzip)
        #expect(bomb.count < 20_000)
        #expect(throws: ZlibLibrary.Failure.tooLarge) { try decompress(bomb, .gzip, limit: (16 << 20) - 1) }
        #expect(try decompress(bomb, .gzip, limit: 16 << 20).count == 16 << 20)
    }

    @Test("refuses streams that are cut short, damaged or followed by more")
    func damaged() throws {
        let whole = try compress(Array("a text that is not very long".utf8), .gzip)
        for count in 0..<whole.count {
            #expect(throws: ZlibLibrary.Failure.malformed) { try decompress(Array(whole[..<count]), .gzip) }
        }
        #expect(throws: ZlibLibrary.Failure.malformed) { try decompress(whole + [0], .gzip) }
        #expect(throws: ZlibLibrary.Failure.malformed) { try decompress(whole, .raw) }
        var wrong = whole
        wrong[whole.count - 5] ^= 1
        #expect(throws: ZlibLibrary.Failure.malformed) { try decompress(wrong, .gzip) }
    }

    @Test("a want of descriptors is told as that")
    func shortage() {
        let text = String(cString: strerror(EMFILE))
        let failure = #expect(throws: ZlibLibrary.Failure.self) {
            try ZlibLibrary(names: ZlibLibrary.names) { .failed("\($0): \(text)") }
        }
        guard case .unavailable(let message) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(message.contains(text) && !message.contains("Install"))
    }

    @Test("says which library is missing and what to install")
    func missing() {
        let failure = #expect(throws: ZlibLibrary.Failure.self) {
            try ZlibLibrary(names: ["libno-such.so.7"])
        }
        guard case .unavailable(let message) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(message.contains("libno-such.so.7") && message.contains("zlib1g"))
    }
}
