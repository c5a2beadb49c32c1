// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Sente's vectors spell")
struct SenteVectorsTests {
    static let frames: [(Outbound, String)] = [
        (.event(Event(id: "my/ev", data: [.keyword("a"): 1])), "[[:my/ev {:a 1}] nil]"),
        (.event(Event(id: "my/ev")), "[[:my/ev] nil]"),
        (.event(Event(id: "my/ev", data: 1), callback: "a1b2c3"), #"[[:my/ev 1] "a1b2c3"]"#),
        (.event(Event(id: "sente-lite/subscribe", data: 1)), "[[:sente-lite/subscribe 1] nil]"),
        (.ping(stamp: nil), "[[:chsk/ws-ping] nil]"),
        (.ping(stamp: 1_700_000_000_123), #"[[:chsk/ws-ping] "18bcfe5687b"]"#),
        (.ping(stamp: 0x84), #"[[:chsk/ws-ping] "000084"]"#),
        (.ping(stamp: -1), #"[[:chsk/ws-ping] "ffffffffffffffff"]"#),
        (.pong(original: nil), "[[:chsk/ws-pong] nil]"),
        (.pong(original: 5), "[[:chsk/ws-pong] nil]"),
    ]

    @Test("every word as its frame, exactly", arguments: frames)
    func encoding(_ outbound: Outbound, _ frame: String) throws {
        let coder = SenteVectors(format: .edn)
        #expect(try coder.encode(outbound, at: Vectors.now) == .text(frame))
        try Dialect.sente.check(outbound, limit: SizeLimits())
    }

    @Test(
        "the same in each format that Sente's packers have", arguments: frames,
        [WireFormat.transitJSON, .transitJSONVerbose, .senteMessagePack])
    func formats(_ frame: (Outbound, String), _ format: WireFormat) throws {
        let coder = SenteVectors(format: format)
        let message = try coder.encode(frame.0, at: Vectors.now)
        #expect((message.kind == .binary) == format.isBinary)
        #expect(try format.decode(message.bytes) == Vectors.edn(frame.1))
    }

    @Test("nothing that this dialect cannot say", arguments: VectorChecks.refusedBySente.map(\.0))
    func refuses(_ outbound: Outbound) {
        let coder = SenteVectors(format: .edn)
        #expect(throws: SenteError.self) { try coder.encode(outbound, at: Vectors.now) }
    }

    @Test("a stamp that its pong brings back, whatever it is")
    func stamps() throws {
        let coder = SenteVectors(format: .edn)
        var generator = Generator(seed: 1)
        for shift in 0..<64 {
            let stamp = Int64(bitPattern: generator.next() >> UInt64(shift))
            let ping = try Vectors.edn(coder.text(.ping(stamp: stamp)))
            let callback = try #require(ping[1]?.stringValue)
            #expect(callback.count >= 6)
            #expect(coder.hear(#"["pong" "\#(callback)"]"#) == [.pong(stamp: stamp)])
        }
    }
}
