// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import Testing

@Suite("Filters of signals")
struct SignalFilterTests {
    private static func admits(
        _ filter: SignalFilter, _ level: SignalLevel = .info, _ kind: SignalKind = .event,
        _ namespace: String = "app.chat", _ id: String? = "app.chat/joined"
    ) -> Bool {
        filter.admits(level: level, kind: kind, namespace: namespace, id: id)
    }

    @Test("one without rules lets everything pass")
    func open() {
        #expect(Self.admits(SignalFilter(), SignalLevel(rawValue: .min), .log, "", nil))
    }

    @Test("the first level whose pattern matches decides, also for less")
    func levels() {
        let filter = SignalFilter(
            minimumLevel: .warn,
            levels: [.init("app.chat", .debug), .init("app(.*)", .error), .init("app.chat", .fatal)])
        #expect(Self.admits(filter, .debug))
        #expect(!Self.admits(filter, .trace))
        #expect(!Self.admits(filter, .warn, .event, "app"))
        #expect(Self.admits(filter, .warn, .event, "other"))
        #expect(!Self.admits(filter, .info, .event, "other"))
    }

    @Test("what is denied does not pass though it is allowed")
    func denyWins() {
        let filter = SignalFilter(namespaces: .init(allow: ["app.*"], deny: ["app.chat"]))
        #expect(!Self.admits(filter))
        #expect(Self.admits(filter, .info, .event, "app.news"))
        #expect(!Self.admits(filter, .info, .event, "other"))
    }

    @Test("an empty list of what is allowed lets nothing pass, none at all everything")
    func emptyAllow() {
        #expect(!Self.admits(SignalFilter(namespaces: .init(allow: []))))
        #expect(!Self.admits(SignalFilter(ids: .init(allow: []))))
        #expect(!Self.admits(SignalFilter(kinds: [])))
        #expect(Self.admits(SignalFilter(namespaces: .init(allow: nil))))
    }

    @Test("a signal without an id passes the filter of ids")
    func withoutID() {
        #expect(Self.admits(SignalFilter(ids: .init(allow: [], deny: ["*"])), .info, .log, "app", nil))
    }

    @Test("random rules decide as an oracle does")
    func oracle() {
        var world = Rules(generator: Generator(seed: 7))
        var admitted = 0
        for _ in 0..<20_000 {
            let filter = world.filter()
            let signal = world.signal()
            let expected = Rules.admits(filter, signal)
            #expect(filter.admits(signal) == expected, "\(filter) \(signal)")
            admitted += expected ? 1 : 0
        }
        #expect((2_000...18_000).contains(admitted), "both answers must be tried: \(admitted)")
    }
}

/// Rules and signals over so few names that they often meet, and what the rules mean, spelled out.
private struct Rules {
    var generator: Generator
    static let names = ["a", "a.b", "a.b.c", "ab", "b", "b.a"]
    static let patterns = ["*", "a", "a.*", "a(.*)", "a.b", "a.b(.*)", "b*", "*.a", "b"]

    mutating func filter() -> SignalFilter {
        SignalFilter(
            minimumLevel: chance(2) ? level() : nil,
            levels: list(3).map { SignalFilter.LevelRule($0, level()) },
            namespaces: names(), ids: names(),
            kinds: chance(3) ? Set(SignalKind.allCases.filter { _ in chance(2) }) : nil)
    }

    mutating func signal() -> Signal {
        Signal(
            time: 0, level: level(), kind: SignalKind.allCases.randomElement(using: &generator) ?? .log,
            namespace: name(), id: chance(4) ? nil : name())
    }

    static func admits(_ filter: SignalFilter, _ signal: Signal) -> Bool {
        var minimum = filter.minimumLevel?.rawValue ?? .min
        for rule in filter.levels.reversed() where matches(rule.namespaces, signal.namespace) {
            minimum = rule.minimumLevel.rawValue
        }
        func passes(_ names: SignalFilter.Names, _ name: String) -> Bool {
            let isAllowed = names.allow == nil || names.allow?.filter { matches($0, name) }.isEmpty == false
            return isAllowed && names.deny.filter { matches($0, name) }.isEmpty
        }
        return signal.level.rawValue >= minimum
            && (filter.kinds ?? Set(SignalKind.allCases)).contains(signal.kind)
            && passes(filter.namespaces, signal.namespace)
            && (signal.id == nil || passes(filter.ids, signal.id ?? ""))
    }

    /// What each of the patterns above means, one by one.
    private static func matches(_ pattern: SignalPattern, _ name: String) -> Bool {
        switch pattern.text {
        case "*": true
        case "a.*": ["a.b", "a.b.c"].contains(name)
        case "a(.*)": ["a", "a.b", "a.b.c"].contains(name)
        case "a.b(.*)": ["a.b", "a.b.c"].contains(name)
        case "b*": ["b", "b.a"].contains(name)
        case "*.a": name == "b.a"
        default: name == pattern.text
        }
    }

    private mutating func chance(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &generator) == 0 }
    private mutating func name() -> String { Self.names.randomElement(using: &generator) ?? "" }
    private mutating func level() -> SignalLevel {
        SignalLevel.named.randomElement(using: &generator) ?? .info
    }
    private mutating func list(_ maximum: Int) -> [SignalPattern] {
        (0..<Int.random(in: 0...maximum, using: &generator)).map { _ in
            SignalPattern(Self.patterns.randomElement(using: &generator) ?? "*")
        }
    }
    private mutating func names() -> SignalFilter.Names {
        .init(allow: chance(2) ? list(3) : nil, deny: chance(2) ? list(2) : [])
    }
}
