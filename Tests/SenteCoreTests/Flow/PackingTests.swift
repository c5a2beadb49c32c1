// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Packing and unfolding")
struct PackingTests {
    private static func packing(
        compresses: Bool = true, partBytes: Int? = 1_000, isBinary: Bool = true, writesBytes: Bool = false
    ) -> Packing {
        Packing(
            compression: compresses
                ? .init(algorithm: .gzip, minimumBytes: 100, compressor: .runs) : nil,
            partBytes: partBytes, isBinary: isBinary, writesBytes: writesBytes)
    }

    private static func unfolding(limit: Int = 1 << 20, format: WireFormat = .json) -> Unfolding {
        Unfolding(format: format, limit: limit) { _ in .runs }
    }

    @Test("Small messages go as they are, whatever holds")
    func small() {
        let message = Message.text(String(repeating: "a", count: 99))
        let (packed, compressed) = Self.packing().pack(message, isCompressedAlready: false)
        #expect(packed == .plain(message))
        #expect(compressed == .skippedSmall)
        let (plain, off) = Self.packing(compresses: false).pack(message, isCompressedAlready: false)
        #expect(plain == .plain(message))
        #expect(off == .off)
    }

    @Test("What compresses goes compressed; what does not, or is compressed already, goes as it is")
    func compressed() {
        let message = Message.text(String(repeating: "a", count: 200))
        let (packed, compressed) = Self.packing().pack(message, isCompressedAlready: false)
        #expect(packed == .compressed(.compressed(.gzip, [200, 97])))
        #expect(compressed == .done(before: 200, after: 2))
        let (again, skipped) = Self.packing().pack(message, isCompressedAlready: true)
        #expect(again == .plain(message))
        #expect(skipped == .skippedIncompressible)
        let mixed = Message.text(String(repeating: "ab", count: 100))
        #expect(Self.packing().pack(mixed, isCompressedAlready: false).packed == .plain(mixed))
    }

    @Test("A tenth has to be saved on the wire, base64 included where it is needed")
    func tenth() {
        // 150 bytes become 118 compressed ones, which are 160 of base64.
        let text = String(repeating: "aaa", count: 12) + (0..<57).map { $0 % 2 == 0 ? "b" : "c" }.joined()
        let message = Message.text(text + String(repeating: "d", count: 57))
        #expect(message.bytes.count == 150)
        guard
            case .compressed(.compressed(_, let bytes)) =
                Self.packing(isBinary: true).pack(message, isCompressedAlready: false).packed
        else {
            Issue.record("In binary it saves a tenth.")
            return
        }
        #expect(bytes.count == 118)
        #expect(
            Self.packing(isBinary: false).pack(message, isCompressedAlready: false).packed == .plain(message))
        #expect(
            Self.packing(isBinary: false, writesBytes: true).pack(message, isCompressedAlready: false).packed
                != .plain(message))
    }

    @Test("What is larger than a part goes in parts, compressed first where that is enough or helps")
    func parts() {
        let plain = Message.text(String(repeating: "ab", count: 501))
        #expect(
            Self.packing().pack(plain, isCompressedAlready: false).packed
                == .parts(Folded(plain: plain.bytes)))
        #expect(Self.packing(partBytes: nil).pack(plain, isCompressedAlready: false).packed == .plain(plain))
        let runs = Message.text(String(repeating: "a", count: 2_000))
        guard case .compressed = Self.packing().pack(runs, isCompressedAlready: false).packed else {
            Issue.record("Compressed it is smaller than a part.")
            return
        }
        guard
            case .parts(let folded) = Self.packing(partBytes: 10).pack(runs, isCompressedAlready: false)
                .packed
        else {
            Issue.record("Compressed it is larger than a part.")
            return
        }
        #expect(folded.algorithm == .gzip)
    }

    @Test(
        "Whatever is packed comes back byte for byte, in either spelling", arguments: UInt64(0)..<40)
    func roundTrip(seed: UInt64) throws {
        var random = Generator(seed: seed)
        let format: WireFormat = Bool.random(using: &random) ? .json : .senteMessagePack
        let bytes = (0..<Int.random(in: 0..<8_000, using: &random)).map { place in
            UInt8(place / 40 % 100)
        }
        let message = Message(format.isBinary ? .binary : .text, bytes)
        let packing = Self.packing(
            compresses: Bool.random(using: &random), partBytes: Int.random(in: 50..<2_000, using: &random),
            isBinary: Bool.random(using: &random), writesBytes: format.isBinary)
        let envelopes: [Envelope]
        switch packing.pack(message, isCompressedAlready: Int.random(in: 0..<5, using: &random) == 0).packed {
        case .plain(let plain): return #expect(plain == message)
        case .compressed(let envelope): envelopes = [envelope]
        case .parts(let folded):
            var chunker = Chunker(
                folded, number: seed, size: packing.partBytes ?? 0, isBinary: packing.isBinary)
            var steps: [Envelope] = []
            while !chunker.isDone { steps += chunker.next() }
            envelopes = steps
        }
        var reassembly = Reassembly(limits: .init(messageBytes: 1 << 20))
        var came: [Message] = []
        for envelope in envelopes {
            let read: Envelope?
            if packing.isBinary {
                read = try Envelope.read(binary: try #require(envelope.binary))
            } else {
                let (word, fields) = (envelope.word, envelope.fields(writesBytes: packing.writesBytes))
                let bytes = try format.encode(.map(ValueMap(fields.map { (.string($0.name), $0.value) })))
                read = try Envelope.read(word: word, fields: try #require(try format.decode(bytes).mapValue))
            }
            #expect(read == envelope)
            let now = Instant(nanoseconds: 0)
            let arrival: Reassembly.Arrival
            switch read {
            case .compressed(let algorithm, let bytes):
                arrival = .whole(Assembled(bytes: bytes, algorithm: algorithm))
            case .start(let start): arrival = try reassembly.start(start, at: now)
            case .part(let part): arrival = try reassembly.add(part, isBinary: packing.isBinary, at: now)
            case .end(let number): arrival = try reassembly.end(number, at: now)
            case .abort, nil: continue
            }
            if case .whole(let assembled) = arrival {
                came.append(try Self.unfolding(format: format).message(of: assembled))
            }
        }
        #expect(came == [message])
    }

    @Test("What unfolds to more than may come ends the link, and is never unfolded so far")
    func bomb() throws {
        let bomb = Assembled(bytes: ArraySlice([UInt8](repeating: 255, count: 2_000)), algorithm: .gzip)
        let error = #expect(throws: UnreadableError.self) {
            try Self.unfolding(limit: 10_000).message(of: bomb)
        }
        #expect(error?.inbound == .tooLarge(error?.reason ?? ""))
        let telling = Compressor { _, _ throws(WireError) in
        } decompress: { _, output, limit throws(WireError) in
            output += Array("\(limit)".utf8)
        }
        let unfolding = Unfolding(format: .json, limit: 10_000) { _ in telling }
        #expect(try unfolding.message(of: bomb) == .text("10000"))
        let large = Assembled(bytes: [1, 2, 3], algorithm: nil)
        #expect(throws: UnreadableError.self) {
            try Self.unfolding(limit: 2, format: .senteMessagePack).message(of: large)
        }
    }

    @Test("Text that is not UTF-8, or bytes that are not compressed so, are skipped")
    func unreadable() throws {
        let latin = Assembled(bytes: [0x22, 0xE4, 0x22], algorithm: nil)
        let error = #expect(throws: UnreadableError.self) { try Self.unfolding().message(of: latin) }
        #expect(error?.inbound == .undecodable(error?.reason ?? "", .format))
        // Where the format checks for itself, nothing is asked.
        #expect(
            try Self.unfolding(format: .senteMessagePack).message(of: latin) == .binary([0x22, 0xE4, 0x22]))
        let odd = Assembled(bytes: [3], algorithm: .deflate)
        #expect(throws: UnreadableError.self) { try Self.unfolding().message(of: odd) }
    }
}

extension Compressor {
    /// Compresses runs: how many, and of what.
    static let runs = Compressor { bytes, output throws(WireError) in
        var place = 0
        while place < bytes.count {
            let run = bytes[place...].prefix { $0 == bytes[place] }.prefix(255).count
            output += [UInt8(run), bytes[place]]
            place += run
        }
    } decompress: { bytes, output, limit throws(WireError) in
        guard bytes.count % 2 == 0 else { throw WireError(.malformed, "It ends within a run.") }
        for place in stride(from: 0, to: bytes.count, by: 2) {
            guard output.count + Int(bytes[place]) <= limit else { throw WireError(.tooLarge, "Too large.") }
            output += [UInt8](repeating: bytes[place + 1], count: Int(bytes[place]))
        }
    }
}
