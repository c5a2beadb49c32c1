// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteSocket
import Testing

@Suite("UTF-8 validator")
struct UTF8ValidatorTests {
    static let shared = ProcessInfo.processInfo.environment["SENTE_SHARED"]

    /// Feeds in pieces of `size`; the number of bytes taken when it said no, nil if it never did.
    private func rejection(_ bytes: [UInt8], by size: Int) -> Int? {
        var validator = UTF8Validator()
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = bytes[start..<min(start + size, bytes.count)]
            guard piece.withUnsafeBytes({ validator.accept($0) }) else { return start + piece.count }
        }
        return validator.isAtBoundary ? nil : bytes.count
    }

    private func isValid(_ bytes: [UInt8]) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
    }

    @Test("every sequence of up to three bytes is judged as the standard library judges it")
    func short() {
        let interesting: [UInt8] = [
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC,
            0xED,
            0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        for a in interesting {
            for b in interesting {
                for c in interesting {
                    for d in interesting {
                        let bytes = [a, b, c, d]
                        let verdict = rejection(bytes, by: 4) == nil
                        if verdict != isValid(bytes) { Issue.record("\(hex(bytes)) judged \(verdict)") }
                    }
                }
            }
        }
    }

    @Test("random texts with one byte changed are judged alike whole and in pieces of 1, 2, 3 and 7")
    func random() {
        var generator = Generator(seed: 11)
        let alphabet = Array("aZ ~é߿ࠀ水\u{FFFD}\u{D7FF}\u{E000}𝄞\u{10FFFF}🙂".unicodeScalars)
        for _ in 0..<2_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...60, using: &generator) {
                text.append(
                    Bool.random(using: &generator)
                        ? "a" : alphabet[Int.random(in: 0..<alphabet.count, using: &generator)])
            }
            var bytes = Array(String(text).utf8)
            #expect(rejection(bytes, by: 64) == nil)
            guard !bytes.isEmpty else { continue }
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                in: .min ... .max, using: &generator)
            let expected = isValid(bytes)
            for size in [1, 2, 3, 7, 64] { #expect((rejection(bytes, by: size) == nil) == expected) }
        }
    }

    @Test(
        "RFC 6455 §8.1: the first byte that cannot be is refused as it comes",
        arguments: [
            ("ceba e1bdb9 cf83 cebc ceb5 f4 90", 13), ("c0", 1), ("61 f5", 2), ("ed a0", 2), ("e0 9f", 2),
            ("f0 8f", 2),
            ("e6 b0 41", 3), ("61 62 63 64 65 66 67 68 80", 9),
        ])
    func failsFast(text: String, at place: Int) {
        #expect(rejection(bytes(text), by: 1) == place)
        #expect(rejection(bytes(text + "808080"), by: 1) == place)
    }

    @Test(
        "the outside UTF-8 suite is judged as it says", .enabled(if: shared != nil, "SENTE_SHARED is not set")
    )
    func outside() throws {
        let path = "\(Self.shared ?? "")/conformance/utf8/utf8tests.txt"
        var seen = 0
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        where !line.hasPrefix("#") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard fields.count >= 3 else { continue }
            let data = fields[1] == "valid" ? Array(fields[2].utf8) : bytes(fields[2])
            for size in [1, 3, 1_000] {
                #expect((rejection(data, by: size) == nil) == fields[1].hasPrefix("valid"), "\(fields[0])")
            }
            seen += 1
        }
        #expect(seen > 100)
    }
}
