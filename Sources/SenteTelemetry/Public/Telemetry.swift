// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// Takes signals from all threads and hands them to handlers.
///
///     let telemetry = Telemetry.default
///     telemetry.add(StandardErrorHandler(), as: "terminal")
///     telemetry.info("user/login", "Ann logged in") { $0["user"] = id }
///
/// A call that nobody wants costs less than a nanosecond, one that somebody wants copies its data into a buffer of its thread,
/// and a thread of the telemetry gives it to the handlers. One that has handlers lives until it is stopped, but for one whose
/// handlers are all synchronous: it ends them when nobody holds it any more.
public final class Telemetry: Sendable {
    /// The process's own.
    public static let `default` = Telemetry()

    private static let count = SharedWord(0)

    /// Its number among all of the process.
    let number: UInt64 = count.add(1) + 1
    /// The least level that anybody wants of any namespace.
    @usableFromInline let floor = SharedWord(Floor.nothing.word)
    /// Whether the dispatcher rests.
    let rest = SharedWord(Rest.awake.rawValue)
    /// What a lane does when it is full.
    let laneRule = SharedWord(0)
    /// The last signal's number.
    let sequence = SharedWord(0)
    let rulesGeneration = SharedWord(1)
    // What all of the process share, where a call finds it at once.
    let threadKey = ThreadState.key
    let surroundingsEverSet = Surroundings.everSet
    let lanes = LaneSet()
    let control = Gate(Control())
    /// Counts what the dispatcher should look at.
    let calls = Gate(0 as UInt64)

    enum Rest: UInt64 {
        case awake, lingering, parked
    }

    /// Makes one that has no handlers.
    public init() {}

    deinit {
        // Nobody is inside a handler: who calls one holds the telemetry.
        for slot in control.withLock({ $0.slots }) where slot.runner == .caller && slot.leave() { slot.end() }
        for word in [floor, rest, laneRule, sequence, rulesGeneration] { word.deallocate() }
        control.withLock { control in control.sources.values.forEach { $0.deallocate() } }
    }

    /// A source for a part of the program, kept once for a file: `private let log = Telemetry.default.source("my.app.chat")`.
    public func source(_ namespace: StaticString) -> SignalSource {
        let floor = control.withLock { control in
            let name = namespace.description
            if let word = control.sources[name] { return word }
            let word = SharedWord(control.floor(of: name).word)
            control.sources[name] = word
            return word
        }
        return SignalSource(telemetry: self, floor: floor, namespace: namespace)
    }

    /// The time of signals, in nanoseconds since 1970.
    public static var now: Int64 { Clock.wall }

    // MARK: - Filters

    /// Which signals are let pass, before any handler is asked; it can be set at any time.
    ///
    /// The default lets pass what is at least `.info`.
    public var filter: SignalFilter {
        get { control.withLock { $0.filter } }
        set { changeControl { $0.filter = newValue } }
    }

    /// The least level that is let pass where no rule for its namespace says otherwise; nil for every level.
    ///
    /// The default is `.info`.
    public var minimumLevel: SignalLevel? {
        get { filter.minimumLevel }
        set { changeControl { $0.filter.minimumLevel = newValue } }
    }

    /// Sets the least level of some namespaces, before all rules there are; nil takes back what was set for that pattern.
    public func setMinimumLevel(_ level: SignalLevel?, in namespaces: SignalPattern) {
        changeControl { control in
            control.filter.levels.removeAll { $0.namespaces == namespaces }
            if let level { control.filter.levels.insert(.init(namespaces, level), at: 0) }
        }
    }

    /// The share of what the filters let pass that is taken at the call, from 0 to 1; before any handler's own, so that they multiply.
    ///
    /// It is chosen by counting, each thread its own. The default is 1.
    public var sample: Double {
        get { control.withLock { $0.gate.sampler.rate } }
        set { changeControl { $0.gate = $0.gate.sampling(newValue) } }
    }

    /// How many of what the filters and the sample let pass are taken in a time, of all threads together.
    ///
    /// An interval is kept to a 256th, and a count of more than 16 million counts as that. The first signal that passes after others
    /// were held back says how many of its key, in `suppressed-count`; where one that would say so is beyond a further limit, the
    /// next that this one lets pass says it. 1,024 keys are told apart; more of them share one count. To
    /// set it begins all counts anew. The default is no limit.
    public var limits: [RateLimit] {
        get { control.withLock { $0.gate.limits } }
        set { changeControl { $0.gate = $0.gate.limiting(newValue) } }
    }

    /// Changes what it is told by, and then what call sites read.
    @discardableResult
    func changeControl<R>(_ body: (inout Control) -> R) -> R {
        control.change { control in
            let result = body(&control)
            control.updateRules()
            for (name, word) in control.sources { word.value = control.floor(of: name).word }
            floor.value = control.floorOfAll.word
            laneRule.value = control.laneRule
            rulesGeneration.add(1)
            return result
        }
    }

    /// How many threads have a buffer.
    package var laneCount: Int { lanes.count }

    /// Whether the dispatcher sleeps until something comes.
    package var isParked: Bool { rest.value == Rest.parked.rawValue }

    /// Has the dispatcher look, wherever it rests.
    func wake() {
        calls.change { $0 += 1 }
    }
}
