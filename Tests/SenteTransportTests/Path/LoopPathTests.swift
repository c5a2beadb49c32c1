// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    @Suite("The system's network path", .timeLimit(.minutes(5)))
    struct LoopPathTests {
        @Test("All who listen on a loop share one descriptor, which is closed when nobody does")
        func sharing() async throws {
            try await withLoop(.standard) { loop in
                let ends = (0..<100).map { _ in LoopPath(loop).observe { _ in } }
                #if os(Linux)
                #expect(await loop.run { loop.descriptorCount } == 1)
                #endif
                for end in ends.dropLast() { end() }
                #if os(Linux)
                #expect(await loop.run { loop.descriptorCount } == 1)
                #endif
                ends.last?()
                ends.last?()
                #expect(await loop.run { loop.descriptorCount } == 0)
                let again = LoopPath(loop).observe { _ in }
                #if os(Linux)
                #expect(await loop.run { loop.descriptorCount } == 1)
                #endif
                again()
            }
        }

        @Test("A loop that stops while somebody listens lets go of everything")
        func stopping() async throws {
            final class Mark: Sendable {}
            var mark: Mark? = Mark()
            weak let recorder = mark
            weak var loop: EventLoop?
            do {
                let loopToStop = try EventLoop()
                loop = loopToStop
                let end = LoopPath(loopToStop).observe { [mark] _ in _ = mark }
                mark = nil
                await loopToStop.run {}
                loopToStop.shutDown()
                end()
            }
            while loop != nil { await Task.yield() }
            #expect(recorder == nil)
        }

        #if os(Linux)
        @Test(
            "A new interface, its addresses and its carrier are heard of; what says nothing new is not",
            .enabled(if: NetworkNamespace.isAllowed, Comment(rawValue: NetworkNamespace.reason)),
            arguments: EventLoop.Polling.allCases)
        func netlink(_ polling: EventLoop.Polling) async throws {
            let loop = try await NetworkNamespace.makeLoop(polling)
            defer { loop.shutDown() }
            let heard = Collector<NetworkChange>()
            let end = LoopPath(loop).observe { heard.append($0) }
            // A dummy where the kernel has them, else a cable whose two ends are both here.
            let add =
                "ip link add s0 type dummy || ip link add s0 type veth peer name s1 && ip link set s1 up"
            #expect(await loop.shell(add, "ip link set s0 up"))
            _ = await heard.wait { $0.contains(.available) }

            func expect(_ changes: [NetworkChange], after commands: String...) async {
                let before = heard.elements.count
                for command in commands { #expect(await loop.shell(command), "\(command)") }
                let now = await heard.wait { $0.count >= before + changes.count }
                #expect(Array(now[before...]) == changes, "\(commands)")
            }
            // Its second end may still be coming up.
            await waitUntilIdle(heard, loop)
            await expect([.available], after: "ip addr add 192.0.2.7/24 dev s0")
            await expect(
                [.available],
                after: "ip addr change 192.0.2.7/24 dev s0 valid_lft 1000 preferred_lft 1000",
                "ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:01 dev s0", "ip link set s0 mtu 1400",
                "ip addr add 169.254.1.1/16 scope link dev s0", "ip route add 198.51.100.0/24 via 192.0.2.1",
                "ip route add default via 192.0.2.1")
            await expect([.available], after: "ip route add default via 192.0.2.2 metric 5")
            await expect([.lost], after: "ip route del default via 192.0.2.2")
            await expect([.lost], after: "ip addr del 192.0.2.7/24 dev s0; ip addr del 169.254.1.1/16 dev s0")
            end()
            #expect(await loop.run { loop.descriptorCount } == 0)
        }

        /// Waits until an address, made and taken again, is the only news of its time.
        private func waitUntilIdle(_ heard: Collector<NetworkChange>, _ loop: EventLoop) async {
            for number in 1... {
                let before = heard.elements.count
                let address = "198.51.100.\(number)/32 dev s0"
                #expect(await loop.shell("ip addr add \(address)", "ip addr del \(address)"))
                if await heard.wait(until: { $0.count >= before + 2 }).count == before + 2 { return }
            }
        }
        #endif
    }
}
