// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("A message's place in its stream")
struct ConsumerPlaceTests {
    @Test("has nine parts, or eleven and more with domain and account, and nothing else")
    func parts() {
        let place = ConsumerPlace(
            stream: "X", sequence: 296, delivery: 1, time: 1_795_882_585_174, pending: 9)
        #expect(ConsumerPlace("$JS.ACK.X.c.1.296.1.1795882585174115386.9") == place)
        #expect(ConsumerPlace("$JS.ACK.hub.acc.X.c.1.296.1.1795882585174115386.9") == place)
        #expect(ConsumerPlace("$JS.ACK.hub.acc.X.c.1.296.1.1795882585174115386.9.token") == place)
        #expect(ConsumerPlace("$JS.ACK._.acc.X.c.1.296.1.1795882585174115386.9.token.more") == place)
        for subject in [
            "", "$JS.ACK", "$JS.ACK.X.c.1.296.1", "$JS.ACK.X.c.1.296.1.5", "$JS.ACK.D.X.c.1.296.1.5.9",
            "$JS.NAK.X.c.1.296.1.5.9", "$JS.ACK.X.c.1.x.1.5.9", "$JS.ACK.X.c.1.296.0.5.9",
            "$JS.ACK.X.c.1.296.1.-5.9",
            "$JS.ACK.X.c.1.9223372036854775807.1.5.9", "$JS.ACK.X.c.1.296.1.5.-1",
            "$JS.ACK." + String(repeating: "x", count: 2_100) + ".c.1.296.1.5.9",
        ] { #expect(ConsumerPlace(subject) == nil, "\(subject)") }
    }

    @Test(
        "is read of every message that a recorded consumer handed over, counted from 1",
        .enabled(if: Transcript.folder != nil, "SENTE_SHARED does not name the folder of the recordings"),
        arguments: ["jetstream", "jetstream-2.15", "dedupe"])
    func recorded(name: String) throws {
        var deliveries: [String: UInt64] = [:]
        var count = 0
        for operation in try NATSRecording(name).streams.flatMap({ try NATSParser.operations($0) }) {
            guard case .message(let message) = operation, let reply = message.reply,
                reply.hasPrefix("$JS.ACK.")
            else { continue }
            let place = try #require(ConsumerPlace(reply))
            let consumer = reply.split(separator: ".").prefix(4).joined(separator: ".")
            #expect(place.delivery >= deliveries[consumer, default: 0])
            deliveries[consumer] = place.delivery
            count += 1
        }
        #expect(count > 0)
    }
}
