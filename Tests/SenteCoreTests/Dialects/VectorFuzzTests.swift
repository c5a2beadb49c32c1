// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Mutated frames of the vector dialects")
struct VectorFuzzTests {
    private static let samples =
        SenteLiteVectorsDecodeTests.frames.map(\.0) + SenteVectorsDecodeTests.frames.map(\.0) + [
            #"[:sente-lite/subscribed {:channel-id "a", :success false, :error :closed}]"#,
            "[:sente-lite/echo {:original-event-id :my/ev, :original-data 1}]",
            #"[:chsk/reply {:cb-uuid "cb1" :data 1}]"#, #"[1 "cb1"]"#, "[:my/done {:request-id 7}]",
        ]
    private static let tokens = [
        "nil", "[", "]", "{", "}", "\"", ":", ":chsk/recv", "[:chsk/recv ", "\"cb1\"", "#inst ", "#{", "1N",
        "-", "+",
        "\\u0000", ":a/b", "99999999999999999999",
    ]

    private static func mutated(using generator: inout Generator) -> [UInt8] {
        var bytes = Array(samples[Int.random(in: 0..<samples.count, using: &generator)].utf8)
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            let other = samples[Int.random(in: 0..<samples.count, using: &generator)]
            switch Int.random(in: 0..<5, using: &generator) {
            case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1:
                let token = tokens[Int.random(in: 0..<tokens.count, using: &generator)]
                bytes.insert(contentsOf: Array(token.utf8), at: place)
            case 2: bytes.removeSubrange(place..<min(place + 4, bytes.count))
            case 3: bytes = Array("[".utf8) + bytes + Array(" nil]".utf8)
            default: bytes = Array(bytes[..<place]) + Array(other.utf8).suffix(40)
            }
        }
        return bytes
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

    /// Feeds one coder and tells what came out.
    private func play(_ coder: some MessageCoder, _ seed: Int) throws -> Set<String> {
        var generator = Generator(seed: UInt64(seed))
        var kinds: Set<String> = []
        for _ in 0..<2_000 {
            let bytes = Self.mutated(using: &generator)
            let isText = Int.random(in: 0..<20, using: &generator) > 0
            let heard = coder.decode(
                Message(isText ? .text : .binary, bytes), isCallback: Vectors.given("cb1"))
            #expect(!heard.isEmpty)
            for case .event(let event) in heard { #expect(event.id.namespace != nil) }
            kinds.formUnion(heard.map(Self.kind))
        }
        return kinds
    }

    @Test("never trap sente-lite's, and reach all it can hear", arguments: 0..<6)
    func lite(_ seed: Int) throws {
        let kinds = try play(SenteLiteVectors(format: .edn), seed)
        #expect(
            kinds.isSuperset(of: [
                "greeting", "delivery", "reply", "ping", "pong", "event", "answering", "noise", "undecodable",
            ]), "\(kinds)")
    }

    @Test("never trap Sente's, and reach all it can hear", arguments: 0..<6)
    func sente(_ seed: Int) throws {
        let kinds = try play(SenteVectors(format: .edn), seed)
        #expect(
            kinds.isSuperset(of: ["greeting", "reply", "ping", "pong", "event", "noise", "undecodable"]),
            "\(kinds)")
    }
}
