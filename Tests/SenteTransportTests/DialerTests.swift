// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Dialer")
struct DialerTests {
    private static func v4(_ last: UInt32) -> Dialer.Address { .v4(0x0A00_0000 + last, port: 80) }
    private static func v6(_ last: UInt64) -> Dialer.Address {
        .v6(0x2001_0DB8_0000_0000, last, port: 80, scope: 0)
    }
    private static func at(_ milliseconds: Int64) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000)
    }

    private func dialer(_ addresses: [Dialer.Address], deadline: Int64 = 10_000) -> Dialer {
        Dialer(addresses, deadline: Self.at(deadline))
    }

    /// Starts every address by failing each at once, and says in which order they came.
    private func order(_ addresses: [Dialer.Address]) -> [Dialer.Address] {
        var dialer = dialer(addresses)
        var order: [Dialer.Address] = []
        var effects = dialer.start(at: Self.at(0))
        while case .connect(let attempt, let address)? = effects.first {
            order.append(address)
            effects = dialer.failed(attempt, "refused", at: Self.at(0))
        }
        return order
    }

    @Test("families take turns, beginning with the resolver's first, doubles left out")
    func interleaving() {
        let (a, b, c) = (Self.v4(1), Self.v4(2), Self.v4(3))
        let (x, y) = (Self.v6(1), Self.v6(2))
        #expect(order([x, y, a, b, c]) == [x, a, y, b, c])
        #expect(order([a, b, x]) == [a, x, b])
        #expect(order([a, a, b]) == [a, b])
        #expect(order([a]) == [a])
    }

    @Test("no address is a failure at once")
    func noAddress() {
        var dialer = dialer([])
        guard case .failed(let failure)? = dialer.start(at: Self.at(0)).first else {
            Issue.record("did not fail")
            return
        }
        #expect(failure.kind == .nameNotFound)
        #expect(dialer.deadline == nil)
    }

    @Test("the next attempt starts after 250 ms while the first goes on, and the first to connect wins")
    func staggering() {
        var dialer = dialer([Self.v4(1), Self.v4(2), Self.v4(3)])
        #expect(dialer.start(at: Self.at(0)) == [.connect(0, Self.v4(1))])
        #expect(dialer.deadline == Self.at(250))
        #expect(dialer.timerFired(at: Self.at(249)) == [])
        #expect(dialer.timerFired(at: Self.at(250)) == [.connect(1, Self.v4(2))])
        #expect(dialer.deadline == Self.at(500))
        #expect(dialer.connected(0, at: Self.at(300)) == [.chosen(0, Self.v4(1)), .abandon(1)])
        #expect(dialer.deadline == nil)
        #expect(dialer.connected(1, at: Self.at(301)) == [])
        #expect(dialer.failed(1, "late", at: Self.at(301)) == [])
        #expect(dialer.timerFired(at: Self.at(10_000)) == [])
    }

    @Test("a failed attempt starts the next at once, and its stagger counts from there")
    func failing() {
        var dialer = dialer([Self.v4(1), Self.v4(2), Self.v4(3)])
        _ = dialer.start(at: Self.at(0))
        #expect(dialer.failed(0, "refused", at: Self.at(10)) == [.connect(1, Self.v4(2))])
        #expect(dialer.deadline == Self.at(260))
        #expect(dialer.failed(0, "refused", at: Self.at(11)) == [])
        #expect(dialer.timerFired(at: Self.at(260)) == [.connect(2, Self.v4(3))])
        #expect(dialer.failed(1, "refused", at: Self.at(270)) == [])
        #expect(
            dialer.failed(2, "Refused.", at: Self.at(280)) == [.failed(LinkFailure(.unreachable, "Refused."))]
        )
    }

    @Test("the deadline ends every attempt, and the failure names the last problem")
    func deadline() {
        var dialer = dialer([Self.v4(1), Self.v4(2), Self.v4(3)], deadline: 400)
        _ = dialer.start(at: Self.at(0))
        _ = dialer.failed(0, "It refused.", at: Self.at(100))
        _ = dialer.timerFired(at: Self.at(350))
        #expect(dialer.deadline == Self.at(400))
        let effects = dialer.timerFired(at: Self.at(400))
        #expect(effects.prefix(2) == [.abandon(1), .abandon(2)])
        guard case .failed(let failure)? = effects.last else {
            Issue.record("did not fail")
            return
        }
        #expect(failure.kind == .timedOut)
        #expect(failure.message.contains("It refused."))
    }

    @Test(
        "addresses are written as in a URL",
        arguments: [
            (Dialer.Address.v4(0x7F00_0001, port: 80), "127.0.0.1:80"),
            (.v6(0, 1, port: 443, scope: 0), "[::1]:443"),
            (.v6(0, 0, port: 1, scope: 0), "[::]:1"),
            (.v6(0x2001_0DB8_0000_0000, 0x0000_0001_0000_0000, port: 1, scope: 0), "[2001:db8::1:0:0]:1"),
            (
                .v6(0x2001_0DB8_0001_0002, 0x0003_0004_0005_0006, port: 1, scope: 0),
                "[2001:db8:1:2:3:4:5:6]:1"
            ),
            (.v6(0xFE80_0000_0000_0000, 1, port: 1, scope: 2), "[fe80::1%2]:1"),
            (.v6(0x0001_0000_0002_0003, 0x0004_0005_0006_0007, port: 1, scope: 0), "[1:0:2:3:4:5:6:7]:1"),
        ])
    func description(_ address: Dialer.Address, _ text: String) {
        #expect(address.description == text)
    }
}
