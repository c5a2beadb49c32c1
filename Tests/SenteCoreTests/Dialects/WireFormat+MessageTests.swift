// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("A message of a format")
struct WireFormatMessageTests {
    private static let store = Compressor { bytes, output throws(WireError) in
        output.append(contentsOf: bytes)
    } decompress: { bytes, output, limit throws(WireError) in
        guard bytes.count <= limit else { throw WireError(.tooLarge, "Too much.") }
        output.append(contentsOf: bytes)
    }
    private static let gzip = WireFormat.gzip(over: .edn, compressor: store)

    private static let foreign: [(Value, String)] = [
        (.bytes([1]), "#bytes"), (.uri("http://x"), "#uri"), (.tagged("my/tag", 1), "#my/tag"),
        ([1, [.keyword("a"): .bytes([1])]], "#bytes"), (.list([.uri("x")]), "#uri"),
        (.set([.tagged("t", 1)]), "#t"), ([.bytes([1]): 1], "#bytes"),
    ]

    @Test(
        "in EDN holds no tag that no server knows, and the error names it", arguments: foreign,
        [WireFormat.edn, gzip])
    func foreignTags(_ foreign: (Value, String), _ format: WireFormat) throws {
        let event = Outbound.event(Event(id: "my/ev", data: foreign.0))
        let sente = SenteVectors(format: format)
        let lite = SenteLiteVectors(format: format)
        for error in [
            #expect(throws: SenteError.self) { try sente.encode(event, at: Vectors.now) },
            #expect(throws: SenteError.self) { try lite.encode(event, at: Vectors.now) },
        ] {
            #expect(error?.code == .unencodable && error?.outcome == .notSent)
            #expect(error?.message.contains(foreign.1) == true, "\(error?.message ?? "")")
        }
    }

    @Test("in other formats, or in an EDN of one's own, holds whatever these can say")
    func ownTags() throws {
        let event = Outbound.event(Event(id: "my/ev", data: [.bytes([1]), .uri("http://x")]))
        for format in [WireFormat.transitJSON, .edn(EDNOptions(), named: "mine")] {
            let coder = SenteVectors(format: format)
            #expect(throws: Never.self) { try coder.encode(event, at: Vectors.now) }
        }
        let coder = SenteVectors(format: .edn)
        let common: Value = [
            .uuid(try #require(UniqueID("550e8400-e29b-41d4-a716-446655440000"))), .keyword("a"),
        ]
        #expect(throws: Never.self) {
            try coder.encode(.event(Event(id: "my/ev", data: common)), at: Vectors.now)
        }
    }

    @Test("that its format cannot say is not sent, and the error says where")
    func unencodable() {
        let coder = SenteVectors(format: .senteMessagePack)
        let error = #expect(throws: SenteError.self) {
            try coder.encode(.event(Event(id: "my/ev", data: .uri("http://x"))), at: Vectors.now)
        }
        #expect(error?.code == .unencodable && error?.outcome == .notSent)
    }

    @Test("at the limit is sent and read; one byte more is neither")
    func limits() throws {
        let event = Outbound.event(Event(id: "my/ev", data: "x"))
        var coder = SenteVectors(format: .edn)
        let size = try coder.encode(event, at: Vectors.now).bytes.count
        coder = SenteVectors(format: .edn, sizes: SizeLimits(incomingMessage: 24, outgoingMessage: size))
        #expect(throws: Never.self) { try coder.encode(event, at: Vectors.now) }
        coder = SenteVectors(format: .edn, sizes: SizeLimits(outgoingMessage: size - 1))
        let error = #expect(throws: SenteError.self) { try coder.encode(event, at: Vectors.now) }
        #expect(error?.code == .messageTooLarge)
        #expect(error?.message.contains("\(size)") == true)

        // What unfolds beyond the limit is not read: the bytes that came are few.
        let bomb = Compressor { _, _ throws(WireError) in
        } decompress: { _, output, limit throws(WireError) in
            guard limit >= 1_000 else { throw WireError(.tooLarge, "Too much.") }
            output += Array("[[[:my/ev]] nil]".utf8) + Array(repeating: UInt8(ascii: " "), count: 984)
        }
        let format = WireFormat.gzip(over: .edn, compressor: bomb)
        var packed = SenteVectors(format: format, sizes: SizeLimits(incomingMessage: 999))
        guard case .tooLarge(let why)? = packed.decode(.binary([1]), isCallback: Vectors.nobody).first else {
            Issue.record("It was read.")
            return
        }
        #expect(why.contains("more than 999 bytes"))
        packed = SenteVectors(format: format, sizes: SizeLimits(incomingMessage: 1_000))
        #expect(packed.decode(.binary([1]), isCallback: Vectors.nobody) == [.event(Event(id: "my/ev"))])
    }
}
