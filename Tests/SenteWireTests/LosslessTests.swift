// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Lossless formats")
struct LosslessTests {
    @Test(
        "read what they wrote as the same, and write the same of it",
        arguments: [WireFormat.transitJSON, .transitJSONVerbose, .transitMessagePack, .senteMessagePack])
    func roundTrip(format: WireFormat) throws {
        var generator = SplitMix(state: 1)
        for round in 0..<Effort.roundTrips {
            let value = format == .senteMessagePack ? generator.senteValue() : generator.transitValue()
            let bytes = try format.encode(value)
            let read = try format.decode(bytes)
            guard read == value, try format.encode(read) == bytes else {
                Issue.record("round \(round): \(value) became \(read)")
                return
            }
        }
    }

    @Test(
        "never trap on random or damaged bytes, and keep what they accept",
        arguments: [WireFormat.transitJSON, .transitJSONVerbose, .transitMessagePack, .senteMessagePack])
    func fuzz(format: WireFormat) throws {
        var generator = SplitMix(state: 2)
        let pieces =
            format.isBinary
            ? [0x00, 0x05, 0x7F, 0x80, 0x81, 0x91, 0x92, 0xA1, 0xA4, 0x5E, 0x7E, 0x23, 0x30, 0xC0, 0xC4]
                + Array(0xC7...0xDF) + [0xFF]
            : Array("[]{}\":,0123^~#'`:$?nifdmtuzcb_setlistcmap-+eE\\ \n".utf8) + [0x80, 0xC3, 0xE2, 0xFF]
        var (accepted, bytes): (Int, [UInt8]) = (0, [])
        for input in 0..<Effort.fuzz {
            if input % 2 == 0 {
                bytes = (0..<generator.below(24)).map { _ in pieces[generator.below(pieces.count)] }
            } else {
                if input % 16 == 1 || bytes.isEmpty {
                    bytes = try format.encode(
                        format == .senteMessagePack
                            ? generator.senteValue(depth: 3) : generator.transitValue(depth: 3))
                }
                for _ in 0...generator.below(3) where !bytes.isEmpty {
                    let place = generator.below(bytes.count)
                    switch generator.below(4) {
                    case 0: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
                    case 1: bytes.remove(at: place)
                    case 2: bytes[place] ^= 1 << UInt8(generator.below(8))
                    default: bytes.insert(pieces[generator.below(pieces.count)], at: place)
                    }
                }
            }
            guard let value = try? format.decode(bytes) else { continue }
            accepted += 1
            // What the bytes said may be more than the format's own writer says (a tag of Transit's own in disguise).
            guard let written = try? format.encode(value) else { continue }
            guard try format.decode(written) == value else {
                Issue.record("\(bytes): \(value)")
                return
            }
        }
        #expect(accepted > Effort.fuzz / 200)
    }

    @Test(
        "write equal bytes for a value each time",
        arguments: [WireFormat.transitJSON, .transitJSONVerbose, .transitMessagePack, .senteMessagePack])
    func deterministic(format: WireFormat) throws {
        var generator = SplitMix(state: 3)
        for _ in 0..<50 {
            let value = format == .senteMessagePack ? generator.senteValue() : generator.transitValue()
            #expect(try format.encode(value) == format.encode(value))
        }
    }

    @Test(
        "hold the same limit of depth both ways, for collections of every kind",
        arguments: [WireFormat.transitJSON, .transitJSONVerbose, .transitMessagePack, .senteMessagePack])
    func depth(format: WireFormat) throws {
        let half: Value = .ratio(try #require(Ratio(BigInteger(1), BigInteger(2))))
        var layers: [(Value) -> Value] = [
            { [$0] }, { ["key": $0] }, { .set([$0]) }, { [half: $0] }, { .list([$0]) },
            { .tagged("point", $0) },
        ]
        if format == .senteMessagePack { layers.removeLast(2) }
        for layer in layers {
            var value = half
            for _ in 0..<512 { value = layer(value) }
            let read = try format.decode(format.encode(value))
            #expect(read == value)
            let error = #expect(throws: WireError.self) { try format.encode(layer(value)) }
            #expect(error?.kind == .tooDeep)
            let deeper = try format.encode(layer(value), limits: WireLimits(maximumDepth: 600))
            #expect(#expect(throws: WireError.self) { try format.decode(deeper) }?.kind == .tooDeep)
        }
    }
}
