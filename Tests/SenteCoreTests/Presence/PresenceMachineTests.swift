// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("PresenceMachine")
struct PresenceMachineTests {
    /// One machine, and what it wanted in the last step.
    private struct Subject {
        var machine: PresenceMachine
        var now = Instant(nanoseconds: 1_000)
        var published: [Value] = []
        var isChanged = false

        init(_ id: String = "me", seed: UInt64 = 1, _ settings: PresenceSettings = PresenceSettings()) {
            machine = PresenceMachine(id: id, settings: settings, random: Generator(seed: seed))
        }

        mutating func handle(_ inputs: PresenceMachine.Input...) {
            var effects: [PresenceMachine.Effect] = []
            for input in inputs { machine.handle(input, at: now, into: &effects) }
            published = effects.compactMap { if case .publish(let frame) = $0 { frame } else { nil } }
            isChanged = effects.contains(.changed)
            if let deadline = machine.deadline { #expect(deadline > now) }
        }

        /// Time passes, and the timer fires on the way; everything said meanwhile.
        mutating func advance(by duration: Duration) {
            let end = now.advanced(by: duration)
            var said: [Value] = []
            var wasChanged = false
            while let deadline = machine.deadline, deadline <= end {
                now = deadline
                handle(.timerFired)
                said += published
                wasChanged = wasChanged || isChanged
            }
            now = end
            handle(.timerFired)
            published = said + published
            isChanged = isChanged || wasChanged
        }

        var members: [String] { machine.snapshot.members.map(\.id) }
    }

    private static func claim(
        _ member: String, _ sequence: Int64, _ data: Value = .null, left: Bool = false, asks: Bool = false
    ) -> Value {
        var fields: ValueMap = ["member": Value(member), "sequence": Value(sequence), "data": data]
        if left { fields["left"] = true }
        if asks { fields["asks"] = true }
        return ["sente-lite/presence": .map(fields)]
    }

    private static let question: Value = ["sente-lite/presence": ["asks": true]]

    // MARK: Oneself

    @Test("who is not present asks when the link opens, and says nothing else")
    func asks() {
        var subject = Subject()
        #expect(subject.machine.deadline == nil)
        subject.handle(.online)
        #expect(subject.published == [[.keyword("sente-lite/presence"): [.keyword("asks"): true]]])
        subject.advance(by: .seconds(1_000))
        #expect(subject.published.isEmpty)
        #expect(subject.machine.snapshot == PresenceSnapshot(members: [], isCurrent: true))
    }

    @Test("who enters says so at once, and again within each heartbeat")
    func beats() {
        var subject = Subject()
        subject.handle(.enter(["name": "Ann"]))
        #expect(subject.published.isEmpty && subject.isChanged)
        #expect(subject.members == ["me"] && subject.machine.snapshot.members[0].isSelf)
        subject.handle(.online)
        let fields: (Int64) -> ValueMap = {
            [
                .keyword("member"): "me", .keyword("sequence"): Value($0),
                .keyword("data"): ["name": "Ann"],
            ]
        }
        var first = fields(1)
        first[.keyword("asks")] = true
        #expect(subject.published == [[.keyword("sente-lite/presence"): .map(first)]])
        for sequence in 2..<20 {
            let wait = subject.machine.deadline.map { subject.now.duration(to: $0) } ?? .zero
            #expect((.milliseconds(22_500)...(.seconds(30))).contains(wait))
            subject.advance(by: wait)
            #expect(subject.published == [[.keyword("sente-lite/presence"): .map(fields(Int64(sequence)))]])
            #expect(!subject.isChanged)
        }
    }

    @Test("changes are said ten times a second at most, and the latest is said")
    func updates() {
        var subject = Subject()
        subject.handle(.online, .enter(0))
        #expect(subject.published.count == 2)
        var said: [Value] = []
        for number in 1...50 {
            subject.handle(.update(Value(number)))
            said += subject.published
            subject.advance(by: .milliseconds(10))
            said += subject.published
        }
        subject.advance(by: .milliseconds(100))
        said += subject.published
        #expect(4...6 ~= said.count)
        #expect(said.last?[Keyword("sente-lite/presence")]?[Keyword("data")] == 50)
    }

    @Test("who leaves says so, says it again on the next link, and is present no more")
    func leaves() {
        var subject = Subject()
        subject.handle(.online, .enter(1))
        subject.handle(.leave)
        let left: (Int64) -> Value = {
            [
                .keyword("sente-lite/presence"): [
                    .keyword("member"): "me", .keyword("sequence"): Value($0), .keyword("left"): true,
                ]
            ]
        }
        #expect(subject.published == [left(2)])
        #expect(subject.isChanged && subject.members.isEmpty)
        subject.handle(.leave)
        subject.handle(.update(2))
        #expect(subject.published.isEmpty && !subject.isChanged)
        subject.handle(.offline)
        subject.handle(.online)
        var again = left(3)
        if case .map(var fields)? = again[Keyword("sente-lite/presence")] {
            fields[.keyword("asks")] = true
            again = [.keyword("sente-lite/presence"): .map(fields)]
        }
        #expect(subject.published == [again])
        // Until nobody can believe it any more.
        subject.handle(.offline)
        subject.advance(by: .seconds(75))
        subject.handle(.online)
        #expect(subject.published == [[.keyword("sente-lite/presence"): [.keyword("asks"): true]]])
    }

    @Test("what is said in its name is contradicted, by a higher number")
    func contradicts() {
        var subject = Subject()
        subject.handle(.online, .enter(1))
        subject.handle(.heard(Self.claim("me", 9, left: true)))
        #expect(!subject.isChanged && subject.members == ["me"])
        subject.advance(by: .milliseconds(200))
        #expect(
            subject.published.map { $0[Keyword("sente-lite/presence")]?[Keyword("sequence")] } == [10])
        // Its own words that come back say nothing new.
        subject.handle(.heard(Self.claim("me", 10, asks: true)))
        subject.advance(by: .seconds(1))
        #expect(subject.published.isEmpty)
    }

    // MARK: The others

    @Test("who is heard joins, changes, leaves, and keeps a place in the order of coming")
    func hears() {
        var subject = Subject()
        subject.handle(.online)
        subject.handle(.heard(Self.claim("a", 1, 1)))
        subject.handle(.heard(Self.claim("b", 5)))
        #expect(subject.isChanged && subject.members == ["a", "b"])
        subject.handle(.heard(Self.claim("a", 2, 1)))
        #expect(!subject.isChanged)
        let before = subject.machine.snapshot.members[0].revision
        subject.handle(.heard(Self.claim("a", 3, 2)))
        #expect(subject.isChanged && subject.members == ["a", "b"])
        #expect(subject.machine.snapshot.members[0].revision > before)
        subject.handle(.heard(Self.claim("a", 4, left: true)))
        #expect(subject.isChanged && subject.members == ["b"])
        subject.handle(.heard(Self.claim("a", 5)))
        #expect(subject.members == ["b", "a"])
    }

    @Test("what is older than what is known changes nothing, in whatever order it comes")
    func isOrdered() {
        var subject = Subject()
        subject.handle(.online)
        subject.handle(.heard(Self.claim("a", 3, left: true)))
        subject.handle(.heard(Self.claim("a", 2)), .heard(Self.claim("a", 3)))
        #expect(!subject.isChanged && subject.members.isEmpty)
        // A repeated word is no sign of life.
        subject.handle(.heard(Self.claim("b", 1)))
        for _ in 0..<74 {
            subject.advance(by: .seconds(1))
            subject.handle(.heard(Self.claim("b", 1)))
        }
        subject.advance(by: .seconds(1))
        #expect(subject.members.isEmpty)
    }

    @Test("who is silent for the expiry is gone, and not while there is no link")
    func expires() {
        var subject = Subject()
        subject.handle(.online, .heard(Self.claim("a", 1)))
        subject.advance(by: .milliseconds(74_999))
        #expect(subject.members == ["a"])
        subject.advance(by: .milliseconds(1))
        #expect(subject.members.isEmpty && subject.isChanged)
        subject.handle(.heard(Self.claim("a", 2)), .offline)
        #expect(subject.machine.deadline == nil)
        subject.now = subject.now.advanced(by: .seconds(1_000))
        #expect(subject.members == ["a"] && !subject.machine.snapshot.isCurrent)
        // On the next link a heartbeat decides.
        subject.handle(.online)
        subject.advance(by: .milliseconds(29_999))
        #expect(subject.members == ["a"])
        subject.advance(by: .milliseconds(1))
        #expect(subject.members.isEmpty)
    }

    @Test("who is asked answers once for all who ask meanwhile, and nobody who is not present answers")
    func answers() {
        var subject = Subject()
        subject.handle(.online)
        subject.handle(.heard(Self.question))
        subject.advance(by: .seconds(10))
        #expect(subject.published.isEmpty)
        subject.handle(.enter(1))
        subject.advance(by: .milliseconds(100))
        for _ in 0..<10 { subject.handle(.heard(Self.question), .heard(Self.claim("b", 1, asks: true))) }
        subject.advance(by: .milliseconds(200))
        #expect(subject.published.count == 1)
    }

    @Test("a thousand members spread their answers over ten seconds")
    func spreads() {
        var counts: [Int: Int] = [:]
        for seed in 0..<100 {
            var subject = Subject("m\(seed)", seed: UInt64(seed))
            subject.handle(.online, .enter(.null))
            for number in 0..<999 { subject.handle(.heard(Self.claim("o\(number)", 1))) }
            subject.advance(by: .milliseconds(100))
            subject.handle(.heard(Self.question))
            let delay = subject.machine.deadline.map { subject.now.duration(to: $0) } ?? .zero
            counts[Int(delay.wholeMilliseconds / 1_000), default: 0] += 1
        }
        #expect(counts.keys.allSatisfy { 0...10 ~= $0 })
        #expect((0..<10).allSatisfy { counts[$0, default: 0] < 30 }, "\(counts)")
        #expect(counts.count >= 9)
    }

    // MARK: Bounds

    @Test("so many others are kept, those who left make room, and the rest is not seen")
    func isBounded() {
        var subject = Subject("me", PresenceSettings(maximumMembers: 3))
        subject.handle(.online)
        for name in ["a", "b", "c", "d"] { subject.handle(.heard(Self.claim(name, 1))) }
        #expect(subject.members == ["a", "b", "c"])
        subject.handle(.heard(Self.claim("b", 2, left: true)))
        subject.handle(.heard(Self.claim("d", 2)))
        #expect(subject.members == ["a", "c", "d"])
        for number in 0..<1_000 { subject.handle(.heard(Self.claim("x\(number)", 1, left: number % 2 == 0))) }
        #expect(subject.members == ["a", "c", "d"])
    }

    @Test(
        "whatever else comes on the channel is nothing",
        arguments: [
            .null, 7, "text", [], [:], ["sente-lite/presence": 7], ["sente-lite/presence": [:]],
            ["sente-lite/presence": ["member": 7, "sequence": 1]],
            ["sente-lite/presence": ["member": "", "sequence": 1]],
            ["sente-lite/presence": ["member": "a"]],
            ["sente-lite/presence": ["member": "a", "sequence": 0]],
            ["sente-lite/presence": ["member": "a", "sequence": -1]],
            ["sente-lite/presence": ["member": "a", "sequence": 9_007_199_254_740_993]],
            ["sente-lite/presence": ["member": "a", "sequence": "1"]],
            [
                "sente-lite/presence": [
                    "member": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                    "sequence": 1,
                ]
            ],
            ["member": "a", "sequence": 1],
        ] as [Value])
    func ignoresNoise(value: Value) {
        var subject = Subject()
        subject.handle(.online)
        subject.handle(.heard(value))
        #expect(!subject.isChanged && subject.members.isEmpty)
    }

    @Test("a member with too much to say is not seen, and one that says all it may is")
    func dataIsBounded() {
        var subject = Subject("me", PresenceSettings(maximumBytes: 100))
        subject.handle(.online)
        subject.handle(.heard(Self.claim("a", 1, Value(String(repeating: "x", count: 101)))))
        #expect(subject.members.isEmpty)
        subject.handle(.heard(Self.claim("a", 1, Value(String(repeating: "x", count: 50)))))
        #expect(subject.members == ["a"])
    }

    @Test("the highest number there is traps nothing")
    func highestNumber() {
        var subject = Subject()
        subject.handle(.online, .enter(1))
        subject.handle(.heard(Self.claim("me", 1 << 53)), .heard(Self.claim("a", 1 << 53)))
        subject.advance(by: .seconds(100))
        #expect(subject.members == ["me"])
    }

    @Test("names are read as text and as keywords")
    func readsKeywords() {
        var subject = Subject()
        subject.handle(.online)
        subject.handle(
            .heard([
                .keyword("sente-lite/presence"): [
                    .keyword("member"): "a", .keyword("sequence"): 1, .keyword("data"): 7,
                ]
            ]))
        #expect(subject.machine.snapshot.members.map(\.data) == [7])
    }

    @Test("settings that make no sense are told by their names")
    func settings() {
        #expect(PresenceSettings().problem == nil)
        #expect(PresenceSettings(heartbeat: .zero).problem?.contains("`heartbeat`") == true)
        #expect(PresenceSettings(expiry: .seconds(30)).problem?.contains("`expiry`") == true)
        #expect(PresenceSettings(maximumMembers: 0).problem?.contains("`maximumMembers`") == true)
        #expect(PresenceSettings(maximumBytes: 0).problem?.contains("`maximumBytes`") == true)
        #expect(PresenceSettings().carrier(of: "room") == "room-presence")
        #expect(PresenceSettings(channel: "all").carrier(of: "room") == "all")
    }
}
