// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// Members of one channel, each with a clock of its own, over a bus that loses, delays, repeats and cuts.
///
/// A seed decides everything.
struct PresenceWorld {
    struct Member {
        var machine: PresenceMachine
        var id: String
        /// What it said of itself last; nil while it is not present.
        var data: Int64?
        var isOnline = false
        /// Of its links: what was on its way to an earlier one is lost.
        var link = 0
        /// Its clock: what it showed at the beginning, and how fast it goes, in thousandths.
        var offset: Int64
        var rate: Int64
        /// Whom it sees.
        var seen: [String: Value] = [:]
    }

    enum Event {
        case arrives(Value, member: Int, link: Int)
        case comesOnline(member: Int)
    }

    var random: Generator
    var members: [Member] = []
    private(set) var now: Int64 = 0
    private var events = DeadlineQueue<Event>()
    private let settings: PresenceSettings
    /// In a hundred.
    var loss = 0
    var repetitions = 0
    /// Told of each member that somebody sees no more.
    var vanished: ((_ id: String, _ viewer: Int) -> Void)?
    private(set) var frames = 0
    private(set) var broken: [String] = []

    init(seed: UInt64, members count: Int, _ settings: PresenceSettings = PresenceSettings()) {
        random = Generator(seed: seed)
        self.settings = settings
        for _ in 0..<count { members.append(makeMember()) }
    }

    private mutating func makeMember() -> Member {
        let id = "m\(random.next())"
        return Member(
            machine: PresenceMachine(id: id, settings: settings, random: Generator(seed: random.next())),
            id: id, offset: Int64.random(in: 0...1 << 60, using: &random),
            rate: Int64.random(in: 990...1_010, using: &random))
    }

    // MARK: What happens

    mutating func connect(_ index: Int) {
        guard !members[index].isOnline else { return }
        members[index].isOnline = true
        members[index].link += 1
        handle(.online, by: index)
    }

    /// Its link ends; what was on its way to it is lost.
    mutating func cut(_ index: Int) {
        guard members[index].isOnline else { return }
        members[index].isOnline = false
        handle(.offline, by: index)
    }

    mutating func reconnect(_ index: Int, after delay: Duration) {
        events.add(.comesOnline(member: index), due: at(delay))
    }

    mutating func enter(_ index: Int, _ data: Int64) {
        members[index].data = data
        handle(.enter(Value(data)), by: index)
    }

    mutating func leave(_ index: Int) {
        members[index].data = nil
        handle(.leave, by: index)
    }

    /// The process ends without a word, and another one takes its place.
    mutating func crash(_ index: Int) {
        var next = makeMember()
        next.link = members[index].link + 1
        members[index] = next
    }

    /// Something else comes on the channel.
    mutating func send(_ value: Value) {
        for index in members.indices { deliver(value, to: index) }
    }

    // MARK: Time

    mutating func advance(by duration: Duration) {
        let end = now + duration.wholeNanoseconds
        while true {
            let event = events.earliest?.nanoseconds ?? .max
            let (index, timer) = nextTimer()
            guard min(event, timer) <= end else { break }
            now = max(now, min(event, timer))
            if timer < event {
                handle(.timerFired, by: index)
            } else if let event = events.take(by: nil) {
                perform(event)
            }
        }
        now = end
    }

    private func nextTimer() -> (index: Int, time: Int64) {
        var next = (index: 0, time: Int64.max)
        for (index, member) in members.enumerated() {
            guard let deadline = member.machine.deadline else { continue }
            // Not before that clock shows it.
            let time = ((deadline.nanoseconds - member.offset) * 1_000 + member.rate - 1) / member.rate
            if time < next.time { next = (index, time) }
        }
        return next
    }

    private func at(_ delay: Duration) -> Instant {
        Instant(nanoseconds: now + delay.wholeNanoseconds)
    }

    private mutating func perform(_ event: Event) {
        switch event {
        case .arrives(let value, let index, let link):
            guard members[index].isOnline, members[index].link == link else { return }
            handle(.heard(value), by: index)
        case .comesOnline(let index): connect(index)
        }
    }

    private mutating func handle(_ input: PresenceMachine.Input, by index: Int) {
        let local = Instant(nanoseconds: members[index].offset + now * members[index].rate / 1_000)
        var effects: [PresenceMachine.Effect] = []
        members[index].machine.handle(input, at: local, into: &effects)
        if let deadline = members[index].machine.deadline, deadline <= local {
            broken.append("The deadline of \(index) is not in the future after \(input).")
        }
        for effect in effects {
            switch effect {
            case .publish(let value): publish(value, from: index)
            case .changed: look(index)
            }
        }
    }

    private mutating func look(_ index: Int) {
        let seen = Dictionary(members[index].machine.snapshot.members.map { ($0.id, $0.data) }) { $1 }
        if seen.count > settings.maximumMembers + 1 { broken.append("\(index) sees \(seen.count) members.") }
        let before = members[index].seen
        members[index].seen = seen
        for id in before.keys.sorted() where seen[id] == nil { vanished?(id, index) }
    }

    private mutating func publish(_ value: Value, from index: Int) {
        frames += 1
        guard members[index].isOnline else {
            return broken.append("\(index) publishes without a link.")
        }
        for other in members.indices {
            // A server may send it back to whom it comes from.
            if other == index, chance(80) { continue }
            deliver(value, to: other)
        }
    }

    private mutating func deliver(_ value: Value, to index: Int) {
        guard members[index].isOnline, !chance(loss) else { return }
        for _ in 0...(chance(repetitions) ? 1 : 0) {
            let latency = Duration.milliseconds(Int64.random(in: 1...300, using: &random))
            events.add(.arrives(value, member: index, link: members[index].link), due: at(latency))
        }
    }

    // MARK: Chance

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func pick() -> Int { Int.random(in: members.indices, using: &random) }

    mutating func seconds(_ range: ClosedRange<Int64>) -> Duration {
        .milliseconds(Int64.random(in: range.lowerBound * 1_000...range.upperBound * 1_000, using: &random))
    }

    // MARK: What is true

    /// Who is present and connected, with what each says of itself.
    var present: [String: Value] {
        Dictionary(
            members.compactMap { member in
                member.isOnline ? member.data.map { (member.id, Value($0)) } : nil
            }
        ) { $1 }
    }
}
