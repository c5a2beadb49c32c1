// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Ten thousand clients of one server")
struct FleetTests {
    private static let size = 10_000
    private static let outages = [0, 1, 2, 5, 10, 20, 30]

    @Test("With `.fleet` no second after the server's return sees more than a quarter of them")
    func fleet() {
        for outage in Self.outages {
            let worst = Self.worstSecond(.fleet, outage: .seconds(outage))
            print("fleet: outage \(outage) s, worst second \(worst)")
            #expect(worst <= 0.25, "after an outage of \(outage) s")
        }
    }

    @Test("With the default 0.65 of them after a short outage, and a quarter after 5 s or more")
    func byDefault() {
        for outage in Self.outages {
            let worst = Self.worstSecond(.default, outage: .seconds(outage))
            print("default: outage \(outage) s, worst second \(worst)")
            #expect(worst <= (outage <= 3 ? 0.65 : 0.25), "after an outage of \(outage) s")
        }
    }

    @Test("Without jitter they would all come in one second: the measure can fail")
    func herd() {
        let policy = ReconnectPolicy.exponential(initial: .seconds(1), jitter: 0, attempts: nil)
        #expect(Self.worstSecond(policy, outage: .seconds(10)) == 1)
    }

    @Test("When one of five nodes is killed the others share its clients: at once, or with `.fleet` over 5 s")
    func killedNode() {
        for (policy, window) in [(ReconnectPolicy.default, 0.0), (.fleet, 5)] {
            var nodes: [String: Int] = [:]
            var seconds: [Int: Int] = [:]
            // A fifth of them is at each node.
            for seed in 0..<UInt64(Self.size) {
                guard let (node, after) = Self.move(from: "a", policy, seed: seed) else { continue }
                nodes[node, default: 0] += 1
                seconds[Int(after / .seconds(1)), default: 0] += 1
                #expect(after <= .seconds(window))
            }
            print("a killed node's clients by node \(nodes), by second \(seconds)")
            let count = nodes.values.reduce(0, +)
            #expect(count > 1_900 && nodes.count == 4 && nodes.values.allSatisfy { $0 < count * 3 / 10 })
            #expect(window == 0 || seconds.values.allSatisfy { $0 <= count / 4 })
        }
    }

    /// Where a client goes when this node is killed, and after what time; nil when it was elsewhere.
    private static func move(
        from node: String, _ policy: ReconnectPolicy, seed: UInt64
    ) -> (node: String, after: Duration)? {
        var configuration = SessionConfiguration()
        configuration.reconnect = policy
        configuration.endpoints = ["a", "b", "c", "d", "e"]
        configuration.endpointOrder = .shuffled
        var session = Session(configuration: configuration, random: Generator(seed: seed))
        var now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 0)
        func handle(_ input: Input) -> (link: LinkID, url: String?)? {
            var effects: [Effect] = []
            session.handle(input, at: now, into: &effects)
            for case .openLink(let link, let target) in effects { return (link, target.endpoint) }
            return nil
        }
        guard let first = handle(.command(.connect(CallID(1), limit: nil))), first.url == node else {
            return nil
        }
        _ = handle(.opened(first.link))
        _ = handle(.received(first.link, .greeting(Identity(connectionID: "c")), size: 0))
        let lostAt = Instant(nanoseconds: 60_000_000_000)
        now.instant = lostAt
        var next = handle(.closed(first.link, .failed(LinkFailure(.lost, ""))))
        while next == nil, let deadline = session.deadline {
            now.instant = deadline
            next = handle(.timerFired)
        }
        return next?.url.map { ($0, lostAt.duration(to: now.instant)) }
    }

    /// The largest part of all clients that comes back within any one second.
    private static func worstSecond(_ policy: ReconnectPolicy, outage: Duration) -> Double {
        let loss = Instant(nanoseconds: 60_000_000_000)
        let back = loss.advanced(by: outage)
        let returns = (0..<size).map {
            returnTime(policy, seed: UInt64($0), lostAt: loss, backAt: back)
        }.sorted()
        var worst = 0
        var first = 0
        for last in returns.indices {
            while returns[first].advanced(by: .seconds(1)) <= returns[last] { first += 1 }
            worst = max(worst, last - first + 1)
        }
        return Double(worst) / Double(size)
    }

    /// When a client that lost its link gets through again; a server that is away refuses at once.
    private static func returnTime(
        _ policy: ReconnectPolicy, seed: UInt64, lostAt: Instant, backAt: Instant
    ) -> Instant {
        var configuration = SessionConfiguration()
        configuration.reconnect = policy
        configuration.heartbeat = nil
        var session = Session(configuration: configuration, random: Generator(seed: seed))
        var now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 0)
        var effects: [Effect] = []
        func handle(_ input: Input) -> LinkID? {
            effects.removeAll(keepingCapacity: true)
            session.handle(input, at: now, into: &effects)
            for case .openLink(let link, _) in effects { return link }
            return nil
        }
        guard let first = handle(.command(.connect(CallID(1), limit: nil))) else { return .distantFuture }
        _ = handle(.opened(first))
        _ = handle(.received(first, .greeting(Identity(connectionID: "c")), size: 0))
        now.instant = lostAt
        _ = handle(.closed(first, .failed(LinkFailure(.lost, ""))))
        while let deadline = session.deadline {
            now.instant = deadline
            guard let link = handle(.timerFired) else { continue }
            if now.instant >= backAt { return now.instant }
            _ = handle(.closed(link, .failed(LinkFailure(.unreachable, ""))))
        }
        return .distantFuture
    }
}
