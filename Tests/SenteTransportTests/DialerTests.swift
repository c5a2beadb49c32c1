// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTestSupport
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
    private func order(
        _ addresses: [Dialer.Address], avoiding avoided: [Dialer.Address] = []
    ) -> [Dialer.Address] {
        var dialer = Dialer(addresses, avoiding: avoided, deadline: Self.at(10_000))
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

    private func lookup(_ pace: Dialer.Pace = Dialer.Pace()) -> Dialer {
        Dialer(lookingUp: "name", [.v4, .v6], deadline: Self.at(10_000), pace: pace)
    }

    @Test("RFC 8305 §3: IPv6 addresses are dialed as they come, and IPv4 ones join in turn")
    func sixFirst() {
        var dialer = lookup()
        #expect(dialer.start(at: Self.at(0)) == [])
        #expect(dialer.deadline == Self.at(10_000))
        #expect(
            dialer.found(.success([Self.v6(1), Self.v6(2)]), .v6, at: Self.at(5)) == [.connect(0, Self.v6(1))]
        )
        #expect(dialer.deadline == Self.at(255))
        #expect(dialer.found(.success([Self.v4(1)]), .v4, at: Self.at(9)) == [])
        #expect(dialer.timerFired(at: Self.at(255)) == [.connect(1, Self.v4(1))])
        #expect(dialer.timerFired(at: Self.at(505)) == [.connect(2, Self.v6(2))])
    }

    @Test("RFC 8305 §3: IPv4 addresses wait 50 ms for the answer on IPv6, and no longer")
    func resolutionDelay() {
        var waits = lookup()
        #expect(waits.found(.success([Self.v4(1)]), .v4, at: Self.at(5)) == [])
        #expect(waits.deadline == Self.at(55))
        #expect(waits.timerFired(at: Self.at(54)) == [])
        var (answered, refused) = (waits, waits)
        #expect(waits.timerFired(at: Self.at(55)) == [.connect(0, Self.v4(1))])
        // §5: addresses that come late are dialed after the stagger, or at once when it has passed.
        var late = waits
        #expect(waits.found(.success([Self.v6(1)]), .v6, at: Self.at(60)) == [])
        #expect(waits.deadline == Self.at(305))
        #expect(late.found(.success([Self.v6(1)]), .v6, at: Self.at(900)) == [.connect(1, Self.v6(1))])
        #expect(answered.found(.success([Self.v6(1)]), .v6, at: Self.at(20)) == [.connect(0, Self.v6(1))])
        let none = Result<[Dialer.Address], LinkFailure>.failure(LinkFailure(.nameNotFound, "None."))
        #expect(refused.found(none, .v6, at: Self.at(20)) == [.connect(0, Self.v4(1))])
    }

    @Test("one family without addresses is no failure, both are, and the first reason is told")
    func missingFamilies() {
        let none = { Result<[Dialer.Address], LinkFailure>.failure(LinkFailure(.nameNotFound, $0)) }
        var dialer = lookup()
        #expect(dialer.found(none("No AAAA."), .v6, at: Self.at(1)) == [])
        var found = dialer
        #expect(found.found(.success([Self.v4(1)]), .v4, at: Self.at(2)) == [.connect(0, Self.v4(1))])
        let failed = Dialer.Effect.failed(LinkFailure(.nameNotFound, "No AAAA."))
        #expect(dialer.found(none("No A."), .v4, at: Self.at(2)) == [failed])
        #expect(dialer.deadline == nil)
        #expect(dialer.found(.success([Self.v4(1)]), .v4, at: Self.at(3)) == [])
        var empty = lookup()
        #expect(empty.found(.success([]), .v4, at: Self.at(1)) == [])
        #expect(empty.found(.success([]), .v6, at: Self.at(1)).count == 1)
    }

    @Test("while a lookup is under way, failed addresses are not the end; its answer is dialed at once")
    func failedWhileLookingUp() {
        var dialer = lookup()
        _ = dialer.found(.success([Self.v6(1)]), .v6, at: Self.at(1))
        #expect(dialer.failed(0, "Refused.", at: Self.at(2)) == [])
        #expect(dialer.deadline == Self.at(10_000))
        var other = dialer
        #expect(
            dialer.found(.success([Self.v6(1), Self.v4(1)]), .v4, at: Self.at(3)) == [.connect(1, Self.v4(1))]
        )
        let none = Result<[Dialer.Address], LinkFailure>.failure(LinkFailure(.nameNotFound, "None."))
        #expect(other.found(none, .v4, at: Self.at(3)) == [.failed(LinkFailure(.unreachable, "Refused."))])
    }

    @Test("a lookup that takes too long is named")
    func slowLookup() {
        var dialer = lookup()
        guard case .failed(let failure)? = dialer.timerFired(at: Self.at(10_000)).first else {
            Issue.record("did not fail")
            return
        }
        #expect(failure.kind == .timedOut)
        #expect(failure.message.contains("name"))
    }

    @Test("RFC 8305 §4: the first family may have a larger share before the families take turns")
    func firstFamilyCount() {
        var pace = Dialer.Pace()
        pace.firstFamilyCount = 2
        var dialer = Dialer(
            [Self.v6(1), Self.v6(2), Self.v6(3), Self.v4(1), Self.v4(2)], deadline: Self.at(10_000),
            pace: pace)
        var order: [Dialer.Address] = []
        var effects = dialer.start(at: Self.at(0))
        while case .connect(let attempt, let address)? = effects.first {
            order.append(address)
            effects = dialer.failed(attempt, "refused", at: Self.at(0))
        }
        #expect(order == [Self.v6(1), Self.v6(2), Self.v4(1), Self.v6(3), Self.v4(2)])
    }

    @Test(
        "RFC 8305 §5: the stagger is 10 ms at least and 2 s at most",
        arguments: [(0, 10), (250, 250), (9_000, 2_000)])
    func staggerBounds(wanted: Int64, used: Int64) {
        var pace = Dialer.Pace()
        pace.stagger = .milliseconds(wanted)
        var dialer = Dialer([Self.v4(1), Self.v4(2)], deadline: Self.at(10_000), pace: pace)
        _ = dialer.start(at: Self.at(0))
        #expect(dialer.deadline == Self.at(used))
    }

    @Test("addresses that led nowhere lately stand behind the others, in the order of that")
    func avoided() {
        let (a, b, c, x) = (Self.v4(1), Self.v4(2), Self.v4(3), Self.v6(1))
        #expect(order([x, a, b], avoiding: [x]) == [a, b, x])
        #expect(order([x, a, b, c], avoiding: [b, x]) == [a, c, b, x])
        #expect(order([x, a], avoiding: [a, x]) == [a, x])
        #expect(order([x, a], avoiding: [x, a]) == [x, a])
        #expect(order([x, a], avoiding: [b]) == [x, a])
    }

    @Test("an avoided address waits 2 s for the others, which may be farther away, and no longer")
    func avoidance() {
        var dialer = Dialer(
            [Self.v6(1), Self.v4(1), Self.v4(2)], avoiding: [Self.v6(1)], deadline: Self.at(10_000))
        #expect(dialer.start(at: Self.at(0)) == [.connect(0, Self.v4(1))])
        #expect(dialer.timerFired(at: Self.at(250)) == [.connect(1, Self.v4(2))])
        #expect(dialer.deadline == Self.at(2_250))
        var failing = dialer
        #expect(dialer.timerFired(at: Self.at(2_250)) == [.connect(2, Self.v6(1))])
        #expect(failing.failed(0, "refused", at: Self.at(300)) == [])
        #expect(failing.failed(1, "refused", at: Self.at(300)) == [.connect(2, Self.v6(1))])
    }

    @Test("an avoided address waits for the other family's answer, 2 s at most")
    func avoidanceWhileLookingUp() {
        var dialer = Dialer(
            lookingUp: "name", [.v4, .v6], avoiding: [Self.v6(1)], deadline: Self.at(10_000))
        #expect(dialer.found(.success([Self.v6(1)]), .v6, at: Self.at(5)) == [])
        #expect(dialer.deadline == Self.at(2_005))
        var (answered, alone) = (dialer, dialer)
        #expect(dialer.timerFired(at: Self.at(2_005)) == [.connect(0, Self.v6(1))])
        #expect(answered.found(.success([Self.v4(1)]), .v4, at: Self.at(400)) == [.connect(0, Self.v4(1))])
        #expect(alone.found(.success([]), .v4, at: Self.at(400)) == [.connect(0, Self.v6(1))])
    }

    @Test("what led nowhere is remembered for its name until it leads somewhere, ten minutes at most")
    func memory() {
        var memory = Dialer.Memory()
        memory.ledNowhere(Self.v4(1), of: "a", at: Self.at(0))
        memory.ledNowhere(Self.v4(2), of: "a", at: Self.at(1_000))
        memory.ledNowhere(Self.v4(1), of: "b", at: Self.at(1_000))
        #expect(memory.avoided(of: "a", at: Self.at(2_000)) == [Self.v4(1), Self.v4(2)])
        memory.ledNowhere(Self.v4(1), of: "a", at: Self.at(3_000))
        #expect(memory.avoided(of: "a", at: Self.at(3_000)) == [Self.v4(2), Self.v4(1)])
        #expect(memory.avoided(of: "a", at: Self.at(601_000)) == [Self.v4(1)])
        memory.ledOn(Self.v4(1), of: "a")
        #expect(memory.avoided(of: "a", at: Self.at(3_000)) == [Self.v4(2)])
        #expect(memory.avoided(of: "b", at: Self.at(3_000)) == [Self.v4(1)])
        #expect(memory.avoided(of: "c", at: Self.at(3_000)).isEmpty)
        for number in 0..<1_000 { memory.ledNowhere(Self.v4(7), of: "n\(number)", at: Self.at(4_000)) }
        #expect(memory.avoided(of: "a", at: Self.at(4_000)).isEmpty)
    }

    @Test("whatever comes in whatever order, every address is dialed once and the dialer ends")
    func randomLives() {
        for seed in UInt64(0)..<2_000 {
            var random = Generator(seed: seed)
            let avoided = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? Self.v4(.random(in: 0...3, using: &random))
                    : Self.v6(.random(in: 0...3, using: &random))
            }
            var dialer = Dialer(
                lookingUp: "name", [.v4, .v6], avoiding: avoided, deadline: Self.at(10_000))
            var now: Int64 = 0
            var running: Set<Int> = []
            var dialed: [Dialer.Address] = []
            var pending: [Dialer.Family] = [.v4, .v6].shuffled(using: &random)
            var isOver = false
            func take(_ effects: [Dialer.Effect]) {
                for effect in effects {
                    switch effect {
                    case .connect(let attempt, let address):
                        #expect(!dialed.contains(address) && !isOver)
                        dialed.append(address)
                        running.insert(attempt)
                    case .abandon(let attempt): #expect(running.remove(attempt) != nil)
                    case .chosen(let attempt, let address):
                        #expect(running.remove(attempt) != nil && dialed[attempt] == address)
                        isOver = true
                    case .failed: isOver = true
                    }
                }
            }
            while !isOver, now < 20_000 {
                let choice = Int.random(in: 0..<10, using: &random)
                if choice < 3, let family = pending.popLast() {
                    let count = UInt32.random(in: 0...3, using: &random)
                    let places = (0..<count).map { family == .v4 ? Self.v4($0) : Self.v6(UInt64($0)) }
                    take(dialer.found(.success(places), family, at: Self.at(now)))
                } else if choice < 5, let attempt = running.min() {
                    running.remove(attempt)
                    take(dialer.failed(attempt, "refused", at: Self.at(now)))
                } else if choice == 9, seed % 2 == 0, let attempt = running.randomElement(using: &random) {
                    take(dialer.connected(attempt, at: Self.at(now)))
                } else {
                    now += Int64.random(in: 1...300, using: &random)
                    take(dialer.timerFired(at: Self.at(now)))
                }
                if !isOver { #expect(dialer.deadline != nil) }
            }
            #expect(isOver)
            #expect(running.isEmpty)
            #expect(dialer.deadline == nil)
        }
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
