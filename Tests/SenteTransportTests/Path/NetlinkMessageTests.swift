// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport
import Testing

/// Messages of the kernel's, made by hand.
enum Netlink {
    typealias Attribute = (type: Int, value: [UInt8])

    static func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
    private static func half(_ value: UInt16) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }

    static func message(_ type: Int, _ body: [UInt8], _ attributes: [Attribute] = []) -> [UInt8] {
        let all = attributes.reduce(into: body) { bytes, attribute in
            bytes +=
                half(UInt16(attribute.value.count + 4)) + half(UInt16(attribute.type))
                + padded(attribute.value)
        }
        return padded(word(UInt32(all.count + 16)) + half(UInt16(type)) + half(0) + word(1) + word(0) + all)
    }

    static func link(
        _ index: UInt32, flags: UInt32, changed: UInt32 = 0, family: UInt8 = 0, isGone: Bool = false,
        _ attributes: [Attribute] = []
    ) -> [UInt8] {
        let body = [family, 0, 0, 0] + word(index) + word(flags) + word(changed)
        return message(isGone ? 17 : 16, body, attributes)
    }

    static func address(
        _ interface: UInt32, _ attributes: [Attribute], flags: UInt8 = 0, scope: UInt8 = 0,
        isGone: Bool = false
    ) -> [UInt8] {
        message(
            isGone ? 21 : 20, [2, 24, flags, scope] + word(interface),
            attributes)
    }

    static func route(
        length: UInt8 = 0, table: UInt8 = 254, type: UInt8 = 1, flags: UInt32 = 0, isGone: Bool = false,
        _ attributes: [Attribute] = []
    ) -> [UInt8] {
        let body = [2, length, 0, 0, table, 3, 0, type] + word(flags)
        return message(isGone ? 25 : 24, body, attributes)
    }

    static func read(_ bytes: [UInt8]) -> [NetlinkMessage] {
        bytes.withUnsafeBytes { NetlinkMessage.read($0) }
    }
}

extension TransportTests {
    @Suite("Netlink's messages")
    struct NetlinkMessageTests {
        private static let home: [UInt8] = [192, 0, 2, 7]
        private static let here = NetlinkMessage.Address(interface: 3, bytes: home)
        private static let gate = NetlinkMessage.Route(
            family: 2, interface: 3, gateway: [192, 0, 2, 1], priority: 100)
        private static let gateWords: [Netlink.Attribute] = [
            (4, Netlink.word(3)), (5, [192, 0, 2, 1]), (6, Netlink.word(100)),
        ]

        static let rows: [(bytes: [UInt8], meaning: [NetlinkMessage])] = [
            (Netlink.link(3, flags: 0x41), [.link(index: 3, isRunning: true, isNew: false)]),
            (Netlink.link(3, flags: 0x1), [.link(index: 3, isRunning: false, isNew: false)]),
            (Netlink.link(3, flags: 0x2, changed: .max), [.link(index: 3, isRunning: false, isNew: true)]),
            (Netlink.link(3, flags: 0x41, isGone: true), [.linkGone(index: 3)]),
            // The loopback, a port of a bridge, and what a bridge says of its ports.
            (Netlink.link(1, flags: 0x49), []),
            (Netlink.link(3, flags: 0x41, [(10, Netlink.word(9))]), []),
            (Netlink.link(3, flags: 0x41, family: 7, isGone: true), []),
            (Netlink.address(3, [(1, home)]), [.address(here)]),
            (Netlink.address(3, [(1, [192, 0, 2, 9]), (2, home)]), [.address(here)]),
            (Netlink.address(3, [(2, home), (1, [192, 0, 2, 9])]), [.address(here)]),
            (Netlink.address(3, [(1, home)], isGone: true), [.addressGone(here)]),
            // Of this link or machine only, not yet made sure of (in either place), and none at all.
            (Netlink.address(3, [(1, home)], scope: 253), []),
            (Netlink.address(3, [(1, home)], scope: 254), []),
            (Netlink.address(3, [(1, home)], flags: 0x40), []),
            (Netlink.address(3, [(1, home), (8, Netlink.word(0x40))]), []),
            (Netlink.address(3, [(8, [])]), []),
            (Netlink.route(gateWords), [.defaultRoute(gate)]),
            (Netlink.route(isGone: true, gateWords), [.defaultRouteGone(gate)]),
            (Netlink.route(), [.defaultRoute(.init(family: 2, interface: nil))]),
            // To somewhere only, of another table, a blackhole, remembered for one peer.
            (Netlink.route(length: 24, gateWords), []),
            (Netlink.route(table: 255, gateWords), []),
            (Netlink.route(type: 6, gateWords), []),
            (Netlink.route(flags: 0x200, gateWords), []),
            // A neighbour, an error, the end of a list.
            (Netlink.message(28, [UInt8](repeating: 0, count: 12)), []),
            (Netlink.message(2, [UInt8](repeating: 0, count: 20)), []),
            (Netlink.message(3, []), []),
            // Several in one datagram.
            (
                Netlink.link(3, flags: 0x41) + Netlink.message(28, []) + Netlink.address(3, [(1, home)]),
                [.link(index: 3, isRunning: true, isNew: false), .address(here)]
            ),
            // Too short for what they say they are.
            ([], []),
            (Netlink.message(16, [0, 0, 0, 0]), []),
            (Netlink.message(20, [2, 24]), []),
            (Netlink.message(24, [2]), []),
            (Netlink.word(15) + [16, 0, 0, 0] + Netlink.word(0) + Netlink.word(0), []),
            (Netlink.word(.max) + [16, 0, 0, 0] + Netlink.word(0) + Netlink.word(0), []),
            (Netlink.address(3, [(1, home)]).dropLast(8) + [255, 255, 1, 0] + home, []),
        ]

        @Test(
            "Each says what the kernel meant, and nothing where that cannot matter", arguments: rows.indices)
        func meaning(row: Int) {
            #expect(Netlink.read(Self.rows[row].bytes) == Self.rows[row].meaning)
        }

        @Test("An attribute that runs past its message ends the reading of that message only")
        func wrongAttribute() {
            var bytes = Netlink.route(Self.gateWords)
            bytes[16 + 12] = 200
            let after = Netlink.address(3, [(1, Self.home)])
            let empty = NetlinkMessage.Route(family: 2, interface: nil)
            #expect(Netlink.read(bytes + after) == [.defaultRoute(empty), .address(Self.here)])
        }

        @Test("Cut anywhere, a datagram gives what stands before the cut")
        func cuts() {
            let all = Self.rows.prefix(20).flatMap(\.bytes)
            let meaning = Netlink.read(all)
            var longest = 0
            for count in 0...all.count {
                let part = Netlink.read(Array(all.prefix(count)))
                #expect(part == Array(meaning.prefix(part.count)))
                #expect(part.count >= longest)
                longest = part.count
            }
            #expect(longest == meaning.count)
        }

        @Test("Bytes of any kind are read to an end, and the table that hears of them stays small")
        func noise() {
            var random = Generator(seed: 20)
            var table = NetlinkTable()
            var counts = [0, 0]
            for round in 0..<40_000 {
                var bytes = Self.rows[Int.random(in: Self.rows.indices, using: &random)].bytes
                if round % 5 == 0 {
                    bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                        .random(in: 0...255, using: &random)
                    }
                }
                for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                    bytes[Int.random(in: bytes.indices, using: &random)] = .random(
                        in: 0...255, using: &random)
                }
                for message in Netlink.read(bytes) {
                    counts[0] += 1
                    if table.take(message) != nil { counts[1] += 1 }
                }
            }
            #expect(counts[0] > 1_000 && counts[1] > 1_000)
        }
    }
}
