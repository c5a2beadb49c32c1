// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("A handle that follows a stream")
struct ChannelFollowerTests {
    private typealias Action = ChannelFollower.Action

    /// A follower, and a consumer of stream X that the test speaks for.
    private struct Stage {
        var follower: ChannelFollower
        var now = Instant(nanoseconds: 1_000_000_000)
        var random = Generator(seed: 1)
        var room = Stage.room(100)
        /// What the last step wants.
        var actions: [Action] = []

        /// Of an inbox that holds a hundred messages.
        static func room(_ messages: Int, bytes: Int = 10_000, isEmpty: Bool = false) -> ChannelFollower.Room
        {
            ChannelFollower.Room(messages: messages, bytes: bytes, isEmpty: isEmpty, of: (100, 10_000))
        }

        mutating func consume(_ room: ChannelFollower.Room) {
            self.room = room
            step { $0.roomGrew(to: room, at: $1, into: &$3) }
        }

        init(_ start: ChannelStart, channel: String = "a") {
            follower = ChannelFollower(channel, from: start, id: 5, at: now)
            step { $0.linkOpened(at: $1, into: &$3) }
        }

        mutating func step(
            _ body: (inout ChannelFollower, Instant, inout Generator, inout [Action]) -> Void
        ) {
            actions = []
            body(&follower, now, &random, &actions)
        }

        mutating func newLink() {
            step { $0.linkEnded(into: &$3) }
            step { $0.linkOpened(at: $1, into: &$3) }
        }

        mutating func answer(_ answer: JetStreamAnswer) {
            let room = room
            step { $0.answered(answer, room: room, at: $1, using: &$2, into: &$3) }
        }

        mutating func info(created: String = "t1", last: UInt64, subjects: [String] = ["a", "b"]) {
            answer(.info(StreamInfo(created: created, last: last, subjects: subjects)))
        }

        /// A message of the stream.
        mutating func hand(
            _ sequence: UInt64, as delivery: UInt64, of stream: String = "X", pending: UInt64 = 9
        ) {
            let room = room
            let place = ConsumerPlace(
                stream: stream, sequence: sequence, delivery: delivery, pending: pending)
            let message = ChannelMessage(channel: "a", data: Value(Int64(sequence)))
            step {
                $0.arrived(message, place, size: 10, room: room, at: $1, using: &$2, into: &$3)
            }
        }

        mutating func beat(_ heartbeat: ConsumerHeartbeat) {
            let room = room
            step { $0.heartbeat(heartbeat, room: room, at: $1, using: &$2, into: &$3) }
        }

        mutating func askFlow() {
            let room = room
            step { $0.asked("$JS.FC.X.c.1", room: room, at: $1, into: &$3) }
        }

        /// Found, and followed from where it begins.
        mutating func follow(
            delivered: UInt64, last: UInt64, pending: UInt64 = 9, subjects: [String] = ["a", "b"]
        ) {
            answer(.names(["X"]))
            answer(.consumer(delivered: delivered, pending: pending))
            info(last: last, subjects: subjects)
        }

        mutating func wait(_ duration: Duration) {
            now = now.advanced(by: duration)
            step { $0.expire(at: $1, into: &$3) }
        }

        /// Until it wants to be woken.
        mutating func waitUntilDue() -> Duration {
            let duration = follower.deadline.map { now.duration(to: $0) } ?? .zero
            wait(duration)
            return duration
        }

        var asked: JetStreamRequest? {
            for case .say(.ask(let request, token: follower.number)) in actions { return request }
            return nil
        }

        /// From where it asks to be handed over.
        var askedFrom: ConsumerStart? {
            if case .consumer(_, _, let start, follower.number)? = asked { start } else { nil }
        }

        var messages: [ChannelMessage] {
            actions.compactMap { if case .deliver(let message, _) = $0 { message } else { nil } }
        }

        var positions: [UInt64] { messages.compactMap(\.position) }

        var gaps: [ChannelGap] { actions.compactMap { if case .tell(let gap) = $0 { gap } else { nil } } }
    }

    @Test("asks for the stream, a consumer and what the stream is like, one after the other")
    func asks() {
        var stage = Stage(.sequence(3))
        let number = stage.follower.number
        #expect(ChannelFollower.id(of: number) == 5)
        #expect(stage.actions == [.say(.listen(number)), .say(.ask(.names(channel: "a"), token: number))])
        stage.answer(.names(["X"]))
        #expect(stage.askedFrom == .sequence(3))
        stage.answer(.consumer(delivered: 2, pending: 4))
        #expect(stage.asked == .info(stream: "X"))
        stage.info(last: 4)
        #expect(stage.actions == [.confirm(true)])
        stage.hand(3, as: 1)
        stage.hand(5, as: 2)
        #expect(stage.messages.first?.cursor == ChannelCursor(stream: "X", created: "t1", sequence: 5))
        #expect(stage.messages.first?.isRetained == false && stage.messages.first?.gap == nil)
    }

    @Test(
        "begins where it is told to",
        arguments: [
            (ChannelStart.next, ConsumerStart.new), (.sequence(7), .sequence(7)), (.time(5), .time(5)),
            (.lastOfEach, .lastOfEach),
            (.cursor(ChannelCursor(stream: "X", created: "t1", sequence: 7)), .sequence(8)),
        ])
    func begins(start: ChannelStart, consumer: ConsumerStart) {
        var stage = Stage(start)
        if stage.asked == .names(channel: "a") { stage.answer(.names(["X"])) }
        #expect(stage.askedFrom == consumer)
    }

    @Test(
        "what comes before the stream was checked is handed on after it, and what was kept says so",
        arguments: 0...3)
    func early(beforeAnswer: Int) {
        var stage = Stage(.sequence(1))
        stage.answer(.names(["X"]))
        // A server hands over beside its answer that the consumer stands.
        let sequences = [UInt64](1...3)
        for sequence in sequences.prefix(beforeAnswer) { stage.hand(sequence, as: sequence) }
        #expect(stage.actions.isEmpty || beforeAnswer == 0)
        stage.answer(.consumer(delivered: 0, pending: 2))
        for sequence in sequences.dropFirst(beforeAnswer) { stage.hand(sequence, as: sequence) }
        stage.askFlow()
        #expect(stage.actions.isEmpty && stage.follower.deadline != nil)
        stage.info(last: 2)
        #expect(stage.positions == [1, 2, 3])
        #expect(stage.messages.map(\.isRetained) == [true, true, false])
        #expect(stage.actions.last == .say(.flow("$JS.FC.X.c.1")))
        stage.hand(4, as: 4)
        #expect(stage.positions == [4])
    }

    @Test("a consumer that ends before it was answered for is asked for anew")
    func endsEarly() {
        var stage = Stage(.sequence(1))
        stage.answer(.names(["X"]))
        stage.step { $0.interrupted(at: $1, using: &$2, into: &$3) }
        #expect(stage.actions == [.say(.unlisten(stage.follower.number))])
        _ = stage.waitUntilDue()
        #expect(stage.askedFrom == .sequence(1))
    }

    @Test("a new link goes on behind the last message, whatever the consumer's count was")
    func resumes() {
        var stage = Stage(.next)
        stage.follow(delivered: 10, last: 10)
        stage.hand(11, as: 1)
        let before = stage.follower.number
        stage.step { $0.linkEnded(into: &$3) }
        #expect(stage.actions == [.confirm(false)] && stage.follower.deadline == nil)
        stage.step { $0.linkOpened(at: $1, into: &$3) }
        #expect(stage.follower.number != before && stage.askedFrom == .sequence(12))
        stage.answer(.consumer(delivered: 11, pending: 0))
        stage.info(last: 11)
        #expect(stage.gaps.isEmpty)
        // Nothing came yet: what is published while it is away is not missed either.
        stage = Stage(.next)
        stage.follow(delivered: 10, last: 10)
        stage.step { $0.linkEnded(into: &$3) }
        stage.step { $0.linkOpened(at: $1, into: &$3) }
        #expect(stage.askedFrom == .sequence(11))
    }

    @Test("what the stream has let go is a gap: told at once, and by the next message")
    func evicted() {
        var stage = Stage(.sequence(1))
        stage.follow(delivered: 295, last: 305)
        #expect(stage.gaps.map(\.sequences) == [1...295])
        stage.hand(296, as: 1)
        #expect(stage.messages.first?.gap?.sequences == 1...295)
        stage.hand(297, as: 2)
        #expect(stage.messages.first?.gap == nil)
        // Others' messages lie between, unless the stream is of this channel alone.
        stage.hand(300, as: 3)
        #expect(stage.gaps.isEmpty && stage.positions == [300])

        stage = Stage(.sequence(1))
        stage.follow(delivered: 0, last: 9, subjects: ["a"])
        stage.hand(1, as: 1)
        stage.hand(5, as: 2)
        #expect(stage.gaps.map(\.sequences) == [2...4] && stage.messages.first?.gap?.sequences == 2...4)
    }

    @Test(
        "a stream that was made anew is followed from its first message, and said to be another",
        arguments: [0, 1])
    func madeAnew(kind: Int) {
        var stage = Stage(.cursor(ChannelCursor(stream: "X", created: "t1", sequence: 121)))
        #expect(stage.askedFrom == .sequence(122))
        // 2.9.10 begins at the end then, 2.15.1 waits for ever.
        stage.answer(.consumer(delivered: kind == 0 ? 3 : 121, pending: 0))
        stage.info(created: "t2", last: kind == 0 ? 3 : 500)
        #expect(stage.gaps.map(\.isOtherStream) == [true] && stage.askedFrom == .sequence(1))
        stage.answer(.consumer(delivered: 0, pending: 3))
        stage.info(created: "t2", last: 3)
        stage.hand(1, as: 1)
        #expect(stage.messages.first?.gap?.isOtherStream == true)
        #expect(stage.messages.first?.cursor == ChannelCursor(stream: "X", created: "t2", sequence: 1))
    }

    /// Three were handed on, and the next link shows a stream that ends before.
    private static func behind() -> Stage {
        var stage = Stage(.sequence(1))
        stage.follow(delivered: 0, last: 3)
        for sequence in UInt64(1)...3 { stage.hand(sequence, as: sequence) }
        stage.step { $0.linkEnded(into: &$3) }
        stage.step { $0.linkOpened(at: $1, into: &$3) }
        stage.answer(.consumer(delivered: 1, pending: 0))
        stage.info(last: 1)
        return stage
    }

    @Test("a leader that has not caught up yet is asked again: the stream is the same, nothing comes twice")
    func leaderBehind() {
        var stage = Self.behind()
        #expect(stage.gaps.isEmpty && stage.messages.isEmpty)
        #expect(stage.waitUntilDue() >= .seconds(1) && stage.askedFrom == .sequence(4))
        stage.answer(.consumer(delivered: 3, pending: 1))
        stage.info(last: 4)
        stage.hand(4, as: 1)
        #expect(stage.positions == [4] && stage.messages.first?.gap == nil)
    }

    @Test("a stream that stays short of what it had for 30 s was set back, and is another")
    func setBack() {
        var stage = Self.behind()
        var time = Duration.zero
        while stage.gaps.isEmpty, time < .seconds(60) {
            time += stage.waitUntilDue()
            stage.answer(.consumer(delivered: 1, pending: 0))
            stage.info(last: 1)
        }
        #expect(time >= .seconds(30) && time < .seconds(33))
        #expect(stage.gaps.map(\.isOtherStream) == [true] && stage.askedFrom == .sequence(1))
    }

    @Test("a count that breaks, a heartbeat that disagrees, another stream: all is asked anew in 1 to 2 s")
    func broken() {
        let breaks: [(inout Stage) -> Void] = [
            { $0.hand(3, as: 3) }, { $0.hand(2, as: 1) }, { $0.hand(2, as: 2, of: "Y") },
            { $0.beat(ConsumerHeartbeat(lastDelivery: 2)) }, { $0.beat(ConsumerHeartbeat(lastDelivery: 0)) },
            { $0.step { $0.interrupted(at: $1, using: &$2, into: &$3) } },
        ]
        for step in breaks {
            var stage = Stage(.sequence(1))
            stage.follow(delivered: 0, last: 1)
            stage.hand(1, as: 1)
            stage.beat(ConsumerHeartbeat(lastDelivery: 1))
            #expect(stage.actions.isEmpty)
            let number = stage.follower.number
            step(&stage)
            #expect(stage.actions == [.say(.unlisten(number)), .confirm(false)])
            let rest = stage.waitUntilDue()
            #expect(rest >= .seconds(1) && rest < .seconds(2) && stage.askedFrom == .sequence(2))
        }
    }

    @Test(
        "silence is asked about after two and a half signs of life, and an answer that does not come after 2 s"
    )
    func silence() {
        var stage = Stage(.sequence(1))
        stage.follow(delivered: 0, last: 1)
        stage.hand(1, as: 1)
        for _ in 0..<5 {
            stage.wait(.seconds(1))
            stage.beat(ConsumerHeartbeat(lastDelivery: 1))
        }
        #expect(stage.waitUntilDue() == .milliseconds(2_500))
        #expect(stage.askedFrom == .sequence(2))
        for _ in 0..<3 {
            #expect(stage.waitUntilDue() == .seconds(2))
            #expect(stage.askedFrom == .sequence(2))
        }
        stage.answer(.unavailable)
        let rest = stage.waitUntilDue()
        #expect(rest >= .seconds(1) && rest < .seconds(2) && stage.askedFrom == .sequence(2))
    }

    @Test("flow control is answered at once while there is room, and otherwise when there is again")
    func flow() {
        var stage = Stage(.sequence(1))
        stage.follow(delivered: 0, last: 1)
        stage.askFlow()
        #expect(stage.actions == [.say(.flow("$JS.FC.X.c.1"))])
        stage.room = Stage.room(49)
        stage.askFlow()
        #expect(stage.actions.isEmpty)
        stage.beat(ConsumerHeartbeat(lastDelivery: 0, stalled: "$JS.FC.X.c.1"))
        #expect(stage.actions.isEmpty)
        stage.consume(Stage.room(50))
        #expect(stage.actions == [.say(.flow("$JS.FC.X.c.1"))])
        stage.consume(Stage.room(60))
        #expect(stage.actions.isEmpty)
    }

    @Test("what the inbox has no room for is held, in order, and handed on as there is room")
    func held() {
        var stage = Stage(.sequence(1))
        stage.follow(delivered: 0, last: 9)
        stage.room = Stage.room(0)
        for sequence in UInt64(1)...5 { stage.hand(sequence, as: sequence) }
        stage.askFlow()
        #expect(stage.messages.isEmpty)
        stage.consume(Stage.room(3))
        #expect(stage.positions == [1, 2, 3])
        // A message larger than what is left waits, unless nothing else does.
        stage.consume(Stage.room(60, bytes: 5))
        #expect(stage.messages.isEmpty)
        stage.consume(Stage.room(60, bytes: 5, isEmpty: true))
        #expect(stage.positions == [4])
        stage.consume(Stage.room(60))
        #expect(stage.positions == [5] && stage.actions.last == .say(.flow("$JS.FC.X.c.1")))
    }

    @Test("more than is held stays in the stream, and is asked for when there is room")
    func full() {
        var stage = Stage(.sequence(1))
        stage.follow(delivered: 0, last: 9)
        stage.hand(1, as: 1)
        stage.room = Stage.room(0)
        for sequence in UInt64(2)...65_538 { stage.hand(sequence, as: sequence) }
        #expect(stage.actions.count == 1 && stage.follower.deadline == nil)
        stage.hand(65_539, as: 65_539)
        #expect(stage.actions.isEmpty)
        stage.consume(Stage.room(49))
        #expect(stage.actions.isEmpty)
        stage.consume(Stage.room(50))
        #expect(stage.askedFrom == .sequence(2))
        // Of what came before the check only as much as there is room for.
        stage.room = Stage.room(2)
        stage.answer(.consumer(delivered: 1, pending: 8))
        for sequence in UInt64(2)...6 { stage.hand(sequence, as: sequence - 1) }
        stage.info(last: 9)
        #expect(stage.positions == [2, 3])
    }

    @Test("the last of each subject are told once, also when that is interrupted, and then all that follow")
    func lastOfEach() {
        var stage = Stage(.lastOfEach)
        stage.follow(delivered: 0, last: 9, pending: 3)
        stage.hand(2, as: 1, pending: 2)
        stage.step { $0.linkEnded(into: &$3) }
        stage.step { $0.linkOpened(at: $1, into: &$3) }
        #expect(stage.askedFrom == .lastOfEach)
        stage.answer(.consumer(delivered: 0, pending: 2))
        stage.info(last: 9)
        stage.hand(2, as: 1, pending: 1)
        #expect(stage.messages.isEmpty)
        stage.hand(5, as: 2, pending: 0)
        #expect(stage.positions == [5])
        stage.step { $0.linkEnded(into: &$3) }
        stage.step { $0.linkOpened(at: $1, into: &$3) }
        #expect(stage.askedFrom == .sequence(6))
        // There was none.
        stage = Stage(.lastOfEach)
        stage.follow(delivered: 9, last: 9, pending: 0)
        stage.step { $0.linkEnded(into: &$3) }
        stage.step { $0.linkOpened(at: $1, into: &$3) }
        #expect(stage.askedFrom == .sequence(10))
    }

    @Test("what comes behind the last of each subject is missed by no further try")
    func sweepsOnce() {
        var stage = Stage(.lastOfEach)
        stage.follow(delivered: 0, last: 9, pending: 1)
        stage.hand(9, as: 1, pending: 0)
        // Meanwhile four more were kept, and the next try is lost before it brought them.
        stage.newLink()
        stage.answer(.consumer(delivered: 9, pending: 4))
        stage.info(last: 13)
        stage.hand(10, as: 1, pending: 3)
        #expect(stage.positions == [10])
        stage.newLink()
        #expect(stage.askedFrom == .sequence(11))
        stage.answer(.consumer(delivered: 12, pending: 1))
        stage.info(last: 13)
        #expect(stage.gaps.map(\.sequences) == [11...12])
    }

    @Test("what is kept between the last of each subject and the stream's check comes too")
    func sweepsUpToItsOwnEnd() {
        var stage = Stage(.lastOfEach)
        stage.answer(.names(["X"]))
        stage.answer(.consumer(delivered: 0, pending: 1))
        stage.hand(5, as: 1, pending: 0)
        stage.info(last: 6)
        #expect(stage.positions == [5])
        stage.hand(6, as: 2, pending: 0)
        #expect(stage.positions == [6])
        // There was none when the consumer was made.
        stage = Stage(.lastOfEach)
        stage.answer(.names(["X"]))
        stage.answer(.consumer(delivered: 5, pending: 0))
        stage.hand(6, as: 1, pending: 0)
        stage.info(last: 6)
        #expect(stage.positions == [6])
    }

    @Test("what came of a stream that was made anew before the check is none of the new one's")
    func madeAnewMeanwhile() {
        for start in [ChannelStart.lastOfEach, .sequence(1)] {
            var stage = Stage(start)
            stage.answer(.names(["X"]))
            stage.answer(.consumer(delivered: 0, pending: 2))
            stage.hand(1, as: 1, pending: 1)
            stage.hand(20, as: 2, pending: 0)
            stage.info(last: 1)
            #expect(stage.messages.isEmpty && stage.gaps.isEmpty)
            _ = stage.waitUntilDue()
            #expect(stage.askedFrom == (start == .lastOfEach ? .lastOfEach : .sequence(1)))
        }
    }

    @Test("the last of each subject are told when the last of them has come again")
    func sweepsAnew() {
        var stage = Stage(.lastOfEach)
        stage.follow(delivered: 0, last: 9, pending: 1)
        stage.hand(5, as: 1, pending: 1)
        stage.newLink()
        #expect(stage.askedFrom == .lastOfEach)
        stage.answer(.consumer(delivered: 0, pending: 1))
        stage.info(last: 9)
        stage.hand(5, as: 1, pending: 0)
        #expect(stage.messages.isEmpty)
        stage.newLink()
        #expect(stage.askedFrom == .sequence(6))
    }

    @Test("no stream, several, or a no: the first time that is the end, later it may pass")
    func rejected() {
        let answers: [JetStreamAnswer] = [
            .names([]), .names(["X", "Y"]), .refused(SenteError(.rejected, "No.")),
        ]
        for answer in answers {
            var stage = Stage(.next)
            let number = stage.follower.number
            stage.answer(answer)
            guard stage.actions.count == 2, case .reject(let error)? = stage.actions.last else {
                return #expect(Bool(false), "\(stage.actions)")
            }
            #expect(stage.actions.first == .say(.unlisten(number)) && error.code == .rejected)
            #expect(stage.follower.deadline == nil)
        }
        var stage = Stage(.sequence(1))
        stage.follow(delivered: 0, last: 1)
        stage.hand(1, as: 1)
        stage.wait(.milliseconds(2_500))
        stage.answer(.failed(code: 404, number: 10_059, "stream not found"))
        _ = stage.waitUntilDue()
        #expect(stage.asked == .names(channel: "a"))
        stage.answer(.names([]))
        _ = stage.waitUntilDue()
        #expect(stage.asked == .names(channel: "a"))
    }

    @Test("numbers that lie, and answers that nobody asked for, change nothing that is counted on")
    func lies() {
        var stage = Stage(.sequence(5))
        stage.answer(.info(StreamInfo(created: "t1", last: 9, subjects: [])))
        stage.answer(.consumer(delivered: 4, pending: 1))
        #expect(stage.actions.isEmpty)
        stage.answer(.names(["X"]))
        // It claims to begin behind the stream's end.
        stage.answer(.consumer(delivered: 1_000_000, pending: 1))
        stage.info(last: 9)
        #expect(stage.gaps.isEmpty && stage.messages.isEmpty)
        _ = stage.waitUntilDue()
        #expect(stage.askedFrom == .sequence(5))
        // More comes before the check than is kept.
        stage.answer(.consumer(delivered: 4, pending: 1))
        for number in UInt64(1)...70_000 { stage.hand(4 + number, as: number) }
        stage.info(last: 9)
        #expect(stage.messages.isEmpty)
        _ = stage.waitUntilDue()
        #expect(stage.askedFrom == .sequence(5))
        // What it has is not taken twice.
        stage.answer(.consumer(delivered: 4, pending: 1))
        stage.info(last: 9)
        stage.hand(5, as: 1)
        stage.hand(5, as: 2)
        #expect(stage.messages.isEmpty)
        stage.hand(6, as: 3)
        #expect(stage.positions == [6])
    }
}
