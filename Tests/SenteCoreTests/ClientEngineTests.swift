// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("The client's engine")
struct ClientEngineTests {
    /// An engine with what a driver keeps beside it.
    private struct Rig {
        var engine: ClientEngine
        var reading: ClientEngine.Reading
        var now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wallMilliseconds: 1_700_000_000_000)
        var link = LinkID(0)
        var effects: [Effect] = []
        private var lastNumber: UInt64 = 0

        init(_ configuration: SessionConfiguration = SessionConfiguration(), sizes: SizeLimits = SizeLimits())
        {
            engine = ClientEngine(
                configuration: configuration, sizes: sizes, random: Generator(seed: 1), at: now)
            reading = ClientEngine.Reading(at: now)
        }

        mutating func number() -> UInt64 {
            lastNumber += 1
            return lastNumber
        }

        mutating func tell(_ input: Input) {
            effects = []
            engine.handle(input, at: now, into: &effects)
            perform()
        }

        mutating func perform() {
            for effect in effects {
                switch effect {
                case .openLink(let id, _): link = id
                case .subscription(let channel, _):
                    reading.note(engine.wish(WireName(channel)), for: WireName(channel))
                case .transmit(let id, let batch):
                    var more: [Effect] = []
                    _ = engine.encode(batch, for: id, at: now, into: &more)
                default: break
                }
            }
            engine.refresh(&reading)
        }

        mutating func wait(_ duration: Duration) {
            now.instant = now.instant.advanced(by: duration)
            now.wallMilliseconds += duration.wholeMilliseconds
        }
    }

    @Test("A reading knows every wish in order, by what the effects told")
    func reading() {
        var rig = Rig()
        func subscribe(_ channel: String) {
            rig.tell(
                .command(
                    .subscribe(
                        CallID(rig.number()), channel: channel, InboxID(rig.number()), scoped: false)))
        }
        for number in (0..<300).reversed() { subscribe("c\(number)") }
        subscribe("c5")
        rig.tell(.command(.unsubscribe(CallID(rig.number()), channel: "c7")))
        subscribe("c7")
        let expected = (0..<300).reversed().filter { $0 != 7 }.map { "c\($0)" } + ["c7"]
        #expect(rig.reading.subscriptions == expected)
        #expect(rig.engine.subscriptions == expected)
        #expect(rig.reading.subscription("c7") == SubscriptionStatus())
        #expect(rig.reading.subscription("c300") == nil)
        let metrics = rig.reading.metrics(at: rig.now.instant).subscriptions
        #expect(metrics.wished == 300 && metrics.confirmed == 0)
        #expect(rig.engine.metrics(at: rig.now).subscriptions == metrics)
    }
}
