// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Addresses")
struct DialerAddressTests {
    @Test(
        "literals are read, and written as they should be",
        arguments: [
            ("127.0.0.1", "127.0.0.1:1"), ("0.0.0.0", "0.0.0.0:1"), ("255.255.255.255", "255.255.255.255:1"),
            ("::", "[::]:1"), ("::1", "[::1]:1"), ("1::", "[1::]:1"), ("2001:DB8::A", "[2001:db8::a]:1"),
            ("1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:1"), ("1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]:1"),
            ("::ffff:1.2.3.4", "[::ffff:102:304]:1"), ("1:2:3:4:5:6:1.2.3.4", "[1:2:3:4:5:6:102:304]:1"),
            ("0000:00f1::", "[0:f1::]:1"),
        ])
    func good(text: String, description: String) {
        #expect(Dialer.Address(literal: text, port: 1)?.description == description)
    }

    @Test(
        "everything else is a name",
        arguments: [
            "", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.+4", "1..3.4", " 1.2.3.4",
            ":", ":::", "1:2", "1::2::3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "12345::", "g::", "::1%lo",
            "[::1]",
            "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "::+1",
        ])
    func bad(text: String) {
        #expect(Dialer.Address(literal: text, port: 1) == nil)
    }

    @Test("names of this machine need no looking up, others do")
    func known() {
        let loopback = ["[::1]:5", "127.0.0.1:5"]
        for name in ["localhost", "LocalHost", "localhost.", "a.b.localhost", "a.localhost."] {
            #expect(Dialer.Address.known(name, port: 5)?.map(\.description) == loopback, "\(name)")
        }
        #expect(Dialer.Address.known("10.0.0.1", port: 5)?.map(\.description) == ["10.0.0.1:5"])
        for name in ["", ".", "localhost..", "notlocalhost", "localhost.test", "localhost.localdomain"] {
            #expect(Dialer.Address.known(name, port: 5) == nil, "\(name)")
        }
    }

    @Test("what is written is read again")
    func roundTrip() {
        var random = Generator(seed: 3)
        for _ in 0..<2_000 {
            let groups = (0..<8).map { _ in
                Bool.random(using: &random) ? 0 : UInt64.random(in: 0...0xFFFF, using: &random)
            }
            let (high, low) = (
                groups[..<4].reduce(0) { $0 << 16 | $1 }, groups[4...].reduce(0) { $0 << 16 | $1 }
            )
            let address = Dialer.Address.v6(high, low, port: 9, scope: 0)
            #expect(
                Dialer.Address(literal: String(address.description.dropFirst().dropLast(3)), port: 9)
                    == address)
        }
    }
}
