// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Mutated frames")
struct SenteLiteMapsFuzzTests {
    @Test("never trap the dialect and never let a peer speak for the server", arguments: 0..<8)
    func mutations(_ seed: Int) throws {
        var generator = Generator(seed: UInt64(seed))
        var kinds: [String: Int] = [:]
        for _ in 0..<1_500 {
            let bytes = Self.mutated(using: &generator)
            let coder = SenteLiteMaps(format: .json)
            let inbound = coder.decode(Message(.text, bytes)) { _ in false }
            #expect(!inbound.isEmpty)
            for item in inbound { kinds[Self.kind(item), default: 0] += 1 }

            // The two fields only a delivering server forces in decide, whatever else the bytes say.
            guard let value = try? WireFormat.json.decode(bytes), value["channel-id"] != nil,
                value["broadcast-time"] != nil
            else { continue }
            let isHonest = inbound.allSatisfy {
                ["delivery", "request", "undecodable"].contains(Self.kind($0))
            }
            #expect(isHonest, "\(String(decoding: bytes, as: UTF8.self))")
        }
        // A fuzz that reaches nothing but the parser's errors proves nothing.
        #expect(
            Set(kinds.keys).isSuperset(of: ["delivery", "reply", "event", "undecodable", "request"]),
            "\(kinds)")
    }

    private static func kind(_ inbound: Inbound) -> String {
        switch inbound {
        case .greeting: "greeting"
        case .delivery: "delivery"
        case .reply: "reply"
        case .request: "request"
        case .subscriptionLost: "subscriptionLost"
        case .ping: "ping"
        case .pong: "pong"
        case .failure: "failure"
        case .event: "event"
        case .answering: "answering"
        case .pongAcknowledged: "pong acknowledged"
        case .flow: "flow"
        case .noise: "noise"
        case .undecodable: "undecodable"
        case .tooLarge: "tooLarge"
        case .challenge, .refused, .violation, .endpoints, .leaving, .jetStream: "of NATS alone"
        case .mistraced: "mistraced"
        }
    }

    private static let tokens = [
        "null", "true", "{}", "[]", "\"channel-id\":\"x\",", "\"broadcast-time\":1,", "\"type\":\"ping\",",
        "1e999", "-",
        "\\u0000", "\\ud800", "\"", "{", "}", "[", "]", ",", ":", "99999999999999999999",
    ].map { Array($0.utf8) }

    /// Our own frames and, where they are at hand, those of the recorded servers.
    private static let samples: [[UInt8]] = {
        let recorded = Transcript.names.flatMap { (try? Transcript.frames($0, "s2c")) ?? [] }
        return (Frames.samples + recorded).map { Array($0.utf8) }
    }()

    private static func mutated(using generator: inout Generator) -> [UInt8] {
        func sample(_ generator: inout Generator) -> [UInt8] {
            samples[Int.random(in: 0..<samples.count, using: &generator)]
        }
        var bytes = sample(&generator)
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1:
                let token = tokens[Int.random(in: 0..<tokens.count, using: &generator)]
                bytes.insert(contentsOf: token, at: min(1, bytes.count))
            case 2:
                let token = tokens[Int.random(in: 0..<tokens.count, using: &generator)]
                bytes.insert(contentsOf: token, at: place)
            case 3: bytes.removeSubrange(place..<min(place + 4, bytes.count))
            default: bytes = Array(bytes[..<place]) + sample(&generator).suffix(40)
            }
        }
        return bytes
    }
}
