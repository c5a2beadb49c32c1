// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

@Suite("Links with zlib")
struct DeflatedLinkTests {
    private static let hello = Message.text("Hello")

    private static func json(_ number: Int) -> Message {
        let readings = (0..<40).map { "{\"sensor\":\"s-\($0)\",\"value\":\((number * 31 + $0 * 17) % 1000)}" }
        return .text(
            "{\"type\":\"readings\",\"number\":\(number),\"list\":[\(readings.joined(separator: ","))]}")
    }

    private static func random(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = Generator(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    // MARK: - The RFC's examples

    /// RFC 7692 §7.2.3.1 to §7.2.3.6, as a server's frames.
    static let examples: [(String, [[UInt8]], [Message])] = [
        ("§7.2.3.1", [[0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]], [hello]),
        (
            "§7.2.3.1, fragmented",
            [[0x41, 0x03, 0xF2, 0x48, 0xCD], [0x80, 0x04, 0xC9, 0xC9, 0x07, 0x00]], [hello]
        ),
        (
            "§7.2.3.2",
            [
                [0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
                [0xC1, 0x05, 0xF2, 0x00, 0x11, 0x00, 0x00],
            ], [hello, hello]
        ),
        (
            "§7.2.3.2, with plain messages between",
            [
                [0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], [0x81, 0x05] + Array("World".utf8),
                [0xC1, 0x05, 0xF2, 0x00, 0x11, 0x00, 0x00],
            ], [hello, .text("World"), hello]
        ),
        (
            "§7.2.3.3",
            [[0xC1, 0x0B, 0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00]], [hello]
        ),
        ("§7.2.3.4", [[0xC1, 0x08, 0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]], [hello]),
        (
            "§7.2.3.4, without the octet behind", [[0xC1, 0x07, 0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]],
            [hello]
        ),
        (
            "§7.2.3.5",
            [[0xC1, 0x0D, 0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00]],
            [hello]
        ),
        ("§7.2.3.6", [[0xC1, 0x01, 0x00]], [.text("")]),
    ]

    @Test("RFC 7692 §7.2.2: the RFC's examples are read, however they are cut", arguments: examples.indices)
    func readsExamples(index: Int) throws {
        let (name, frames, messages) = Self.examples[index]
        for size in [Int.max, 1, 2, 3] {
            let client = try DeflatedPair().client
            client.feed(frames.flatMap { $0 }, by: [size])
            #expect(client.takeMessages() == messages, "\(name)")
            // Whatever it was, the next message is read.
            client.feed([0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], by: [size])
            #expect(client.takeMessages() == [Self.hello], "\(name)")
        }
    }

    @Test("we write what the RFC shows")
    func writes() throws {
        let pair = try DeflatedPair(server: CompressionPolicy(threshold: 1))
        #expect(pair.server.send(Self.hello) == .queued)
        #expect(pair.server.output() == [0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00])
        #expect(pair.server.send(Self.hello) == .queued)
        #expect(pair.server.output() == [0xC1, 0x05, 0xF2, 0x00, 0x11, 0x00, 0x00])
    }

    // MARK: - Both ends

    static let policies: [CompressionPolicy] = [
        .init(), .init(level: 1, threshold: 1), .init(level: 9, threshold: 0, outgoingWindowBits: 9),
        .init(threshold: 0, incomingWindowBits: 9),
        .init(threshold: 0, keepsOutgoingContext: false, keepsIncomingContext: false),
        .init(
            threshold: 100, outgoingWindowBits: 11, incomingWindowBits: 12, keepsOutgoingContext: false,
            keepsIncomingContext: false),
    ]

    @Test(
        "RFC 7692 §7.2: with every policy, any chunking of the bytes gives the same messages both ways",
        arguments: policies.indices, [UInt64](1...6))
    func anyChunking(index: Int, seed: UInt64) throws {
        var generator = Generator(seed: seed)
        let pair = try DeflatedPair(Self.policies[index], server: CompressionPolicy(threshold: 50))
        for (from, to) in [(pair.client, pair.server), (pair.server, pair.client)] {
            for _ in 0..<5 {
                let messages = (0..<8).map { _ -> Message in
                    let count = Int.random(
                        in: 0...Int.random(in: 1...40_000, using: &generator), using: &generator)
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: return .binary(Self.random(count, seed: generator.next()))
                    case 1: return .text(String(repeating: "水 water ", count: count / 12))
                    case 2: return Self.json(count)
                    default: return .binary([UInt8](repeating: 7, count: count))
                    }
                }
                for message in messages { #expect(from.send(message) == .queued) }
                let sizes = (0..<5).map { _ in
                    Int.random(in: 1...Int.random(in: 1...20_000, using: &generator), using: &generator)
                }
                to.feed(from.output(), by: sizes)
                #expect(to.takeMessages() == messages)
                // Streams that were freed meanwhile are not missed.
                if Bool.random(using: &generator) { for _ in 0..<3 { from.advance(by: .seconds(10)) } }
            }
        }
    }

    @Test("a stream of JSON becomes at least five times smaller, by the context it keeps")
    func shrinks() throws {
        func bytes(_ policy: CompressionPolicy?) throws -> Int {
            let pair = try DeflatedPair(policy ?? CompressionPolicy(threshold: .max))
            var count = 0
            for number in 0..<100 {
                #expect(pair.client.send(Self.json(number)) == .queued)
                count += pair.client.output().count
            }
            return count
        }
        let plain = try bytes(nil)
        let kept = try bytes(CompressionPolicy())
        let forgotten = try bytes(CompressionPolicy(keepsOutgoingContext: false))
        #expect(plain > 5 * kept)
        #expect(forgotten > kept && plain > forgotten)
    }

    @Test(
        "RFC 7692 §7.1.2.2: what a client sends in an agreed window refers no further back",
        arguments: [9, 12])
    func window(bits: Int) throws {
        let pair = try DeflatedPair(server: CompressionPolicy(incomingWindowBits: bits))
        let period = Self.random(1 << bits + 600, seed: 1)
        let message = Message.binary((0..<100_000).map { period[$0 % period.count] })
        #expect(pair.client.send(message) == .queued)
        pair.server.feed(pair.client.output(), by: [1])
        #expect(pair.server.takeMessages() == [message])
    }

    // MARK: - Bad input

    @Test(
        "RFC 6455 §10.4: a bomb ends the link with 1009, at the limit, whole or in fragments, to either role")
    func bomb() throws {
        let policy = CompressionPolicy(threshold: 1)
        var roomy = LinkLimits()
        roomy.message = MessageLimits(both: 64 << 20)
        let maker = try DeflatedPair(policy, server: policy, limits: roomy)
        let zeros = Message.binary([UInt8](repeating: 0, count: 64 << 20))
        #expect(maker.client.send(zeros) == .queued)
        #expect(maker.server.send(zeros) == .queued)
        let (up, down) = (maker.client.output(), maker.server.output())
        #expect(up.count < 70_000 && down.count < 70_000)
        for size in [Int.max, 1_000] {
            let pair = try DeflatedPair(policy, server: policy)
            pair.server.feed(up, by: [size])
            pair.client.feed(down, by: [size])
            for end in [pair.server, pair.client] {
                #expect(end.failure?.closeCode == .messageTooBig)
                #expect(end.takeMessages().isEmpty)
            }
        }
        // In fragments, none of which is large.
        let payload = Array(down.dropFirst(down[1] == 127 ? 10 : 4))
        let client = try DeflatedPair().client
        for start in stride(from: 0, to: payload.count, by: 200) {
            let piece = Array(payload[start..<min(start + 200, payload.count)])
            client.feed(unmaskedFrame(start == 0 ? 0x42 : 0x00, piece))
        }
        #expect(client.failure?.closeCode == .messageTooBig)
    }

    @Test(
        "RFC 7692 §7.2.2: damaged data ends the link with 1007",
        arguments: [[0x06], [0x02, 0x11, 0x00, 0x00], [0x78, 0x9C, 0x03, 0x00]] as [[UInt8]])
    func damaged(payload: [UInt8]) throws {
        let client = try DeflatedPair().client
        client.feed(unmaskedFrame(0xC2, payload))
        #expect(client.failure?.closeCode == .invalidData)
    }

    @Test("RFC 6455 §8.1: text that is no UTF-8 once it is unfolded ends the link with 1007")
    func notText() throws {
        let pair = try DeflatedPair(server: CompressionPolicy(threshold: 1))
        #expect(pair.server.send(.binary([0x61, 0xFF, 0x62])) == .queued)
        var bytes = pair.server.output()
        bytes[0] = 0xC1
        pair.client.feed(bytes)
        #expect(pair.client.failure?.closeCode == .invalidData)
    }

    @Test(
        "RFC 7692 §7.2.2: mutated streams never trap and never exceed the limit", arguments: [UInt64](1...8))
    func mutated(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        var limits = LinkLimits()
        limits.message = MessageLimits(both: 20_000)
        let maker = try DeflatedPair(server: CompressionPolicy(threshold: 1), limits: limits)
        for number in 0..<6 { #expect(maker.server.send(Self.json(number)) == .queued) }
        #expect(maker.server.send(.binary([UInt8](repeating: 0, count: 20_000))) == .queued)
        let whole = maker.server.output()
        var ends: [UInt16: Int] = [:]
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: .min ... .max, using: &generator), at: place)
                }
            }
            let client = try DeflatedPair(limits: limits).client
            client.feed(bytes, by: [Int.random(in: 1...5_000, using: &generator)])
            ends[client.failure?.closeCode?.rawValue ?? 0, default: 0] += 1
            #expect(client.takeMessages().allSatisfy { $0.bytes.count <= limits.message.incoming })
        }
        // It came to faults of each kind, so that what is tried is worth trying.
        #expect(ends[1007, default: 0] > 0 && ends[1002, default: 0] > 0, "\(ends)")
    }

    @Test(
        "RFC 7692 §7.2.2: random bytes as compressed messages never trap and never exceed the limit",
        arguments: [UInt64](1...4))
    func garbage(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        var limits = LinkLimits()
        limits.message = MessageLimits(both: 5_000)
        for _ in 0..<500 {
            let client = try DeflatedPair(limits: limits).client
            for _ in 0..<4 {
                let payload = Self.random(Int.random(in: 0...300, using: &generator), seed: generator.next())
                client.feed(unmaskedFrame(0xC2, payload), by: [Int.random(in: 1...100, using: &generator)])
            }
            #expect(client.takeMessages().allSatisfy { $0.bytes.count <= limits.message.incoming })
        }
    }
}
