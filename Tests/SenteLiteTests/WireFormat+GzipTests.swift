// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite
import Testing

@Suite("Gzip by the system's zlib")
struct SystemGzipTests {
    private static let folder = ProcessInfo.processInfo.environment["SENTE_SHARED"]

    @Test("gives long and short values back, and is shorter where it compresses")
    func roundTrip() throws {
        let format = WireFormat.gzip(over: .edn)
        let long = Value.vector((0..<500).map { [.keyword("n"): Value($0)] })
        for value in [long, [], "short"] {
            #expect(try format.decode(format.encode(value)) == value)
        }
        #expect(try format.encode(long).count < WireFormat.edn.encode(long).count / 3)
    }

    @Test("stops a bomb at the limit and says what is no gzip")
    func bomb() throws {
        let format = WireFormat.gzip(over: .edn)
        let bomb = try format.encode(Value(String(repeating: "x", count: 8 << 20)))
        #expect(bomb.count < 20_000)
        let tooLarge = #expect(throws: WireError.self) {
            try format.decode(bomb, limits: WireLimits(maximumBytes: 1 << 20))
        }
        #expect(tooLarge?.kind == .tooLarge)
        #expect(#expect(throws: WireError.self) { try format.decode([1, 2, 3]) }?.kind == .malformed)
    }

    @Test(
        "reads what a real Sente server compressed",
        .enabled(if: folder != nil, "SENTE_SHARED does not name the folder of test data"))
    func transcript() throws {
        let format = WireFormat.gzip(over: .edn)
        let text = try String(
            contentsOfFile: #require(Self.folder) + "/transcripts/sente-ws-gzip-edn.jsonl", encoding: .utf8)
        var compressed = 0
        for line in text.split(separator: "\n") {
            let entry = try WireFormat.json.decode(Array(line.utf8))
            guard let hex = entry["hex"]?.stringValue else { continue }
            let bytes = stride(from: 0, to: hex.count, by: 2).compactMap { position in
                UInt8(hex.dropFirst(position).prefix(2), radix: 16)
            }
            let value = try format.decode(bytes)
            #expect(try format.decode(format.encode(value)) == value)
            if bytes.first == 1 { compressed += 1 }
        }
        #expect(compressed == 1)
    }
}
