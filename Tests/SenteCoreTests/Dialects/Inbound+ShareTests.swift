// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("The share of a message")
struct InboundShareTests {
    private static func event(_ bytes: Int) -> Inbound {
        .event(Event(id: "my/ev", data: .string(String(repeating: "x", count: bytes))))
    }

    @Test("What comes alone counts all of its message, whatever it is")
    func alone() {
        for inbound in [Self.event(5), .noise, .ping(stamp: nil)] as [Inbound] {
            #expect([inbound].shares(of: 77) == [77])
        }
        #expect([Inbound]().shares(of: 77) == [])
    }

    @Test("What comes together shares it by weight, and makes up about all of it")
    func together() {
        let shares = [Self.event(10), Self.event(10), Self.event(10_000), .noise].shares(of: 5_000)
        #expect(shares[0] == shares[1] && shares[0] * 50 < shares[2] && shares[3] == 0)
        #expect((4_990...5_000).contains(shares.reduce(0, +)))
        #expect([Inbound.noise, .noise].shares(of: 9) == [4, 4])
        #expect([Self.event(1), Self.event(1)].shares(of: .max).allSatisfy { $0 > 0 })
    }

    @Test("What a server kept counts with the answer that brings it")
    func retained() {
        let message = ChannelMessage(channel: "a", data: .string(String(repeating: "x", count: 900)))
        let reply = Inbound.reply(.next(.subscribe, channel: "a"), .subscribed(retained: [message, message]))
        let request = Inbound.request(IncomingRequest(id: "r", channel: "a", data: .null))
        let shares = [reply, request].shares(of: 2_000)
        #expect(shares[0] > 1_800 && shares[1] > 0)
    }
}
