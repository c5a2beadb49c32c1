// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import Testing

@Suite("Positions of streams")
struct StreamPositionTests {
    private static let position = StreamPosition(
        id: "s", StreamOpening(kind: .download, number: 2, channel: "files", totalSize: 10_000),
        at: StreamPoint(index: 3, bytes: 3_000))

    private static func stored(_ change: (inout [String: Any]) -> Void) throws -> Data {
        let data = try JSONEncoder().encode(position)
        var fields = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        change(&fields)
        return try JSONSerialization.data(withJSONObject: fields)
    }

    @Test("what was stored is what is read")
    func whole() throws {
        let data = try JSONEncoder().encode(Self.position)
        #expect(try JSONDecoder().decode(StreamPosition.self, from: data) == Self.position)
    }

    @Test(
        "what no stream has had is refused, with a sentence",
        arguments: [
            ["bytes": UInt64.max], ["bytes": 10_001], ["index": UInt64.max], ["index": 3_001],
            ["totalBytes": UInt64.max], ["totalBytes": 2_999],
        ] as [[String: UInt64]])
    func impossible(fields: [String: UInt64]) throws {
        let data = try Self.stored { $0.merge(fields) { $1 } }
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(StreamPosition.self, from: data)
        }
        guard case .dataCorrupted(let context)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.debugDescription == "This is no position of a stream: begin the stream anew.")
    }

    @Test("so are chunks of nothing, and names that no stream has")
    func names() throws {
        for change in [["id": ""], ["id": String(repeating: "x", count: 257)]] {
            let data = try Self.stored { $0.merge(change) { $1 } }
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(StreamPosition.self, from: data) }
        }
        for size in [0, -1] {
            let data = try Self.stored { $0["chunkSize"] = size }
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(StreamPosition.self, from: data) }
        }
    }
}
