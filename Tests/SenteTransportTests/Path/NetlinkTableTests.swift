// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport
import Testing

extension TransportTests {
    @Suite("What is news to netlink's listener")
    struct NetlinkTableTests {
        private static func address(_ last: UInt8) -> NetlinkMessage.Address {
            .init(interface: 3, bytes: [192, 0, 2, last])
        }
        private static let route = NetlinkMessage.Route(family: 2, interface: 3, gateway: [192, 0, 2, 1])

        static let stories: [[(NetlinkMessage, NetworkChange?)]] = [
            // An interface is made, comes up, loses its carrier, and goes.
            [
                (.link(index: 3, isRunning: false, isNew: true), nil),
                (.link(index: 3, isRunning: true, isNew: false), .available),
                (.link(index: 3, isRunning: true, isNew: false), nil),
                (.link(index: 3, isRunning: false, isNew: false), .lost),
                (.link(index: 3, isRunning: false, isNew: false), nil),
                (.linkGone(index: 3), nil),
                (.linkGone(index: 3), .lost),
            ],
            // One that was there before: what is heard first counts.
            [(.link(index: 4, isRunning: false, isNew: false), .lost)],
            [(.link(index: 4, isRunning: true, isNew: false), .available), (.linkGone(index: 4), .lost)],
            [(.link(index: 4, isRunning: true, isNew: true), .available)],
            // A router renews an address; another one comes.
            [
                (.address(address(7)), .available), (.address(address(7)), nil), (.address(address(7)), nil),
                (.address(address(8)), .available), (.addressGone(address(7)), .lost),
                (.address(address(7)), .available), (.addressGone(address(9)), .lost),
            ],
            [
                (.defaultRoute(route), .available), (.defaultRoute(route), nil),
                (.defaultRouteGone(route), .lost), (.defaultRoute(route), .available),
            ],
        ]

        @Test("What was said before is none", arguments: stories.indices)
        func news(story: Int) {
            var table = NetlinkTable()
            for (message, change) in Self.stories[story] {
                #expect(table.take(message) == change, "\(message)")
            }
        }

        @Test(
            "A machine with more interfaces, addresses and routes than the limit is forgotten, and heard of anew"
        )
        func limit() {
            var table = NetlinkTable()
            let numbers = 0..<UInt32(NetlinkTable.limit)
            for number in numbers {
                let route = NetlinkMessage.Route(family: 2, interface: number)
                #expect(table.take(.link(index: Int32(number), isRunning: true, isNew: true)) == .available)
                #expect(table.take(.address(.init(interface: number, bytes: [1]))) == .available)
                #expect(table.take(.defaultRoute(route)) == .available)
            }
            #expect(table.take(.address(.init(interface: 0, bytes: [2]))) == .available)
            #expect(table.take(.address(.init(interface: 0, bytes: [1]))) == .available)
            #expect(table.take(.defaultRoute(.init(family: 10, interface: 0))) == .available)
            #expect(table.take(.defaultRoute(.init(family: 2, interface: 0))) == .available)
            #expect(table.take(.link(index: -1, isRunning: true, isNew: true)) == .available)
            #expect(table.take(.link(index: 0, isRunning: true, isNew: true)) == .available)
        }
    }
}
