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
