// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("What the session's steps cost")
struct SessionCostTests {
    /// An open session; whatever it says is written at once.
    private struct Crowd: ~Copyable {
        private var session: Session
        private var now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 1_700_000_000_000)
        private let memory = PlainCoder.Memory()
        let link = LinkID(1)
        let count: UInt64

        init(
            _ count: UInt64, _ dialect: Dialect = .senteLiteMaps,
            _ configure: (inout SessionConfiguration) -> Void = { _ in }
        ) {
            self.count = count
            var configuration = SessionConfiguration()
            configuration.outbox = OutboxPolicy(maximumMessages: 10_000, maximumBytes: 1 << 30)
            configure(&configuration)
            session = Session(configuration: configuration, random: Generator(seed: 1))
            tell(.command(.connect(CallID(1 << 40), limit: nil)))
            tell(.opened(link))
            session.speaks(PlainCoder(dialect: dialect, memory: memory), on: link)
        }

        static func opened(
            _ count: UInt64, _ dialect: Dialect = .senteLiteMaps,
            _ configure: (inout SessionConfiguration) -> Void = { _ in }
        ) -> Crowd {
            var crowd = Crowd(count, dialect, configure)
            crowd.tell(.received(crowd.link, .greeting(Identity()), size: 0))
            return crowd
        }

        mutating func tell(_ input: Input) {
            var effects: [Effect] = []
            session.handle(input, at: now, into: &effects)
            for case .transmit(let link, let batch) in effects { tell(.wrote(link, batch.map(\.id))) }
        }

        mutating func hear(_ inbound: Inbound) { tell(.received(link, inbound, size: 10)) }

        mutating func wait(_ duration: Duration) {
            now.instant = now.instant.advanced(by: duration)
            tell(.timerFired)
        }

        /// How many rows of its tables the session touched for each of these, one a member.
        @discardableResult
        mutating func steps(_ act: (_ crowd: inout Crowd, _ number: UInt64) -> Void) -> Double {
            let before = session.tableSteps
            for number in 1...count { act(&self, number) }
            return Double(session.tableSteps - before) / Double(count)
        }
    }

    /// What each member of a crowd does in its turn.
    private struct Act {
        let name: String
        let body: (_ crowd: inout Crowd, _ number: UInt64) -> Void

        init(_ name: String, _ body: @escaping (_ crowd: inout Crowd, _ number: UInt64) -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Holds the price of each act to be the same in a small and in a large crowd.
    ///
    /// Trees and heaps of 4,000 are five or six higher than those of 100, and may be climbed twice.
    private func expectEqualCosts(_ acts: [Act], among crowd: (UInt64) -> Crowd = { .opened($0) }) {
        var small = crowd(100)
        var large = crowd(4_000)
        for act in acts {
            let (few, many) = (small.steps(act.body), large.steps(act.body))
            #expect(many < few + 16, "\(act.name): \(few) in 100, \(many) in 4,000")
        }
    }

    private static func submit(_ number: UInt64, _ outbound: Outbound, limit: Int64 = 10_000) -> Input {
        .command(.submit(CallID(number), Submission(outbound, limit: .milliseconds(limit), awaits: .reply)))
    }

    private static func publish(_ channel: String) -> Outbound {
        .publish(channel: channel, data: .null, excludeSender: false)
    }

    private static func replied(_ kind: ReplyKind, _ channel: String, _ reply: Reply) -> Inbound {
        .reply(.next(kind, channel: WireName(channel)), reply)
    }

    private static func received(_ channel: String) -> Inbound {
        replied(.publish, channel, .published(PublishReceipt(outcome: .acknowledged)))
    }

    private static func subscribe(_ number: UInt64) -> Input {
        .command(.subscribe(CallID(number), channel: "c\(number)", InboxID(number), scoped: false))
    }

    private let cancelling = Act("cancel, the newest first") { crowd, number in
        crowd.tell(.command(.cancel(CallID(crowd.count + 1 - number))))
    }

    @Test("A subscription costs the same however many there are: wished, confirmed, ended, lost")
    func subscriptions() {
        let subscribing = Act("subscribe") { crowd, number in crowd.tell(Self.subscribe(number)) }
        let confirming = Act("confirm") { crowd, number in
            crowd.hear(Self.replied(.subscribe, "c\(number)", .subscribed(retained: [])))
        }
        expectEqualCosts([
            subscribing, confirming,
            Act("unsubscribe, the newest first") { crowd, number in
                let name = "c\(crowd.count + 1 - number)"
                crowd.tell(.command(.unsubscribe(CallID(number), channel: name)))
            },
            Act("unsubscribed") { crowd, number in
                crowd.hear(Self.replied(.unsubscribe, "c\(number)", .unsubscribed))
            },
            subscribing, confirming,
            Act("lost") { crowd, number in
                crowd.hear(.subscriptionLost(channel: "c\(number)", SenteError(.rejected, "Why.")))
            },
        ])
    }

    @Test("A call costs the same however many others wait, whichever ends first and however it ends")
    func calls() {
        expectEqualCosts([
            Act("publish, the last to expire first") { crowd, number in
                crowd.tell(Self.submit(number, Self.publish("c\(number)"), limit: Int64(20_000 - number)))
            },
            Act("receipt, the newest first") { crowd, number in
                crowd.hear(Self.received("c\(crowd.count + 1 - number)"))
            },
            Act("publish again") { crowd, number in
                crowd.tell(Self.submit(number, Self.publish("c\(number)")))
            },
            cancelling,
            Act("late receipt") { crowd, number in crowd.hear(Self.received("c\(number)")) },
            Act("publish with a limit") { crowd, number in
                crowd.tell(Self.submit(number, Self.publish("c\(number)"), limit: Int64(number)))
            },
            Act("time") { crowd, _ in crowd.wait(.milliseconds(1)) },
        ])
    }

    @Test("All that wait for one channel cost the same each")
    func oneChannel() {
        let publishing = Act("publish") { crowd, number in
            crowd.tell(Self.submit(number, Self.publish("c")))
        }
        expectEqualCosts([
            publishing, cancelling, publishing,
            Act("receipt") { crowd, _ in crowd.hear(Self.received("c")) },
        ])
    }

    @Test("A request costs the same however many others wait, and its answer")
    func requests() {
        func answer(_ name: String) -> Inbound { .reply(.id(.answer, WireName(name)), .answered(1)) }
        expectEqualCosts([
            Act("request") { crowd, number in
                crowd.tell(
                    Self.submit(number, .request(channel: "c\(number)", data: .null, limit: 10_000)))
            },
            Act("early answer") { crowd, number in crowd.hear(answer("early \(number)")) },
            Act("its name") { crowd, number in
                let reply = Reply.forwarded(requestID: "r\(number)", deliveredTo: 1)
                crowd.hear(Self.replied(.request, "c\(number)", reply))
            },
            Act("answer, the newest first") { crowd, number in
                crowd.hear(answer("r\(crowd.count + 1 - number)"))
            },
        ])
    }

    @Test(
        "An event that is answered costs the same however many others wait",
        arguments: [Dialect.sente, .senteLiteVectors])
    func events(dialect: Dialect) {
        let asking = Act("ask") { crowd, number in
            crowd.tell(Self.submit(number, .event(Event(id: "my/ev"), callback: "\(number)")))
        }
        expectEqualCosts([
            asking,
            Act("answer, the newest first") { crowd, number in
                let name = WireName("\(crowd.count + 1 - number)")
                crowd.hear(.reply(.id(.event, name), .answered(1)))
            },
            asking, cancelling,
        ]) { .opened($0, dialect) }
    }

    @Test("What a server answers in order alone costs the same however much it owes")
    func owedInOrder() {
        let asking = Act("subscribe and ask") { crowd, number in
            crowd.tell(Self.subscribe(number))
            let event = Event(id: "my/ev", data: [.keyword("request-id"): .integer(Int64(number))])
            crowd.tell(Self.submit(crowd.count + number, .event(event, callback: "\(number)")))
        }
        let answer = Event(id: "my/done")
        expectEqualCosts([
            asking,
            Act("acknowledge") { crowd, number in
                crowd.hear(Self.replied(.subscription, "c\(number)", .subscribed(retained: [])))
            },
            Act("answer, the newest first") { crowd, number in
                let id = Value.integer(Int64(crowd.count + 1 - number))
                crowd.hear(.answering(.requestID(id), answer))
            },
            asking,
            Act("echo") { crowd, number in
                let data: Value = [.keyword("request-id"): .integer(Int64(number))]
                crowd.hear(.answering(.echo("my/ev", data: data), answer))
            },
            asking,
            Act("ping and pong, of which the first clears all") { crowd, number in
                crowd.tell(.command(.ping(CallID(1 << 32 + number))))
                crowd.hear(.pong(stamp: nil))
            },
        ]) { .opened($0, .senteLiteVectors) }
    }

    @Test("A ping costs the same however many others are out, and its pong")
    func pings() {
        expectEqualCosts([
            Act("ping") { crowd, number in crowd.tell(.command(.ping(CallID(number)))) },
            Act("pong, the newest first") { crowd, number in
                crowd.hear(.pong(stamp: 1_700_000_000_000 + Int64(crowd.count - number)))
            },
        ])
    }

    @Test("What waits costs the same however much waits: queued, replaced, cancelled, expired")
    func outbox() {
        let queueing = Act("queue") { crowd, number in
            crowd.wait(.milliseconds(1))
            crowd.tell(Self.submit(number, Self.publish("c\(number)"), limit: 100_000))
        }
        expectEqualCosts([
            queueing,
            Act("replace") { crowd, number in
                crowd.tell(
                    Self.submit(crowd.count + number, Self.publish("c\(number)"), limit: 100_000))
            },
            Act("cancel, the newest first") { crowd, number in
                crowd.tell(.command(.cancel(CallID(2 * crowd.count + 1 - number))))
            },
            queueing,
            Act("expire") { crowd, _ in crowd.wait(.milliseconds(2)) },
        ]) {
            Crowd($0) {
                $0.outbox.overflow = .coalesce
                $0.outbox.timeToLive = .seconds(10)
            }
        }
    }

    @Test(
        "A handle costs the same however many others there are, on its channel and beside it",
        arguments: [true, false])
    func handles(onOneChannel: Bool) {
        let opening = Act("open and listen") { crowd, number in
            crowd.tell(.command(.openInbox(InboxID(number))))
            let name = onOneChannel ? "c" : "c\(number)"
            crowd.tell(.command(.listen(InboxID(number), .channel(WireName(name)))))
        }
        expectEqualCosts([
            opening,
            Act("listen to an event") { crowd, number in
                crowd.tell(.command(.listen(InboxID(number), .event("my/ev"))))
            },
            Act("unlisten") { crowd, number in
                crowd.tell(.command(.unlisten(InboxID(number), .event("my/ev"))))
            },
            Act("close, the newest first") { crowd, number in
                crowd.tell(.command(.closeInbox(InboxID(crowd.count + 1 - number))))
            },
            opening,
            Act("close, the oldest first") { crowd, number in
                crowd.tell(.command(.closeInbox(InboxID(number))))
            },
        ])
    }

    @Test("The end of a link costs each wish and each call the same")
    func linkEnds() {
        expectEqualCosts([
            Act("subscribe and publish") { crowd, number in
                crowd.tell(Self.subscribe(number))
                crowd.tell(Self.submit(crowd.count + number, Self.publish("c\(number)")))
            },
            Act("the end") { crowd, number in
                guard number == 1 else { return }
                crowd.tell(.closed(crowd.link, .failed(LinkFailure(.lost, "The line went dead."))))
            },
        ])
    }
}
