// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Decides which address of a server to connect to: tries them in turn, the next one when an attempt has failed or
/// has taken 250 ms, and keeps the first that connects (RFC 8305, "Happy Eyeballs").
///
/// ```
/// looking up ─► attempt 0 ── 250 ms or failed ─► attempt 1 ── … ─► all failed, or the deadline passed: failed
///                  └────────── connected ───────────┴──────────► chosen, the others abandoned
/// ```
/// The two families are looked up at the same time, each by itself, so that a name server that is slow with one does not hold up
/// the other (§3): IPv6 addresses are dialed as they come, IPv4 ones 50 ms later unless IPv6 has answered. Then the
/// families take turns (§4); within one the order is the resolver's (RFC 6724). Addresses that come late join in (§5). After
/// `chosen` or `failed` the dialer does nothing more.
///
/// Addresses that took the connection lately and led nowhere (`Memory`) stand behind all others: they would take it again, and
/// sooner than an address that is farther away. They are dialed when the others have failed, or have taken 2 s.
package struct Dialer: Hashable, Sendable {
    /// The times and counts of RFC 8305 §8.
    package struct Pace: Hashable, Sendable {
        /// From one attempt to the next, while the first goes on; 10 ms at least, 2 s at most (§5).
        package var stagger: Duration = .milliseconds(250)
        /// How long IPv4 addresses wait for the answer on IPv6.
        package var resolutionDelay: Duration = .milliseconds(50)
        /// How many addresses of the first family come before the families take turns.
        package var firstFamilyCount = 1
        /// How long an avoided address waits for others to be found or to connect: §5's longest delay between attempts.
        package var avoidance: Duration = .seconds(2)

        package init() {}
    }

    /// What the dialer wants done.
    ///
    /// Attempts are named by their number, from 0.
    package enum Effect: Hashable, Sendable {
        /// Begin to connect; answer with `connected` or `failed`.
        case connect(Int, Address)
        /// Give up this attempt; answer nothing.
        case abandon(Int)
        /// This attempt won.
        case chosen(Int, Address)
        /// There is no connection to be had.
        case failed(LinkFailure)
    }

    private let limit: Instant
    private let pace: Pace
    /// The addresses came in one list, whose order holds for both families.
    private let isSorted: Bool
    /// Those that led nowhere lately, in the order in which they are tried again.
    private let avoided: [Address]
    /// Families whose addresses are still being looked up.
    private var lookups: Set<Family>
    private var lookupProblem: LinkFailure?
    private let name: String
    /// Known and not tried, in the resolver's order.
    private var untried: [Address]
    /// The place of each attempt.
    private var attempts: [Address] = []
    private var underWay: [Int] = []
    /// Nothing is dialed before, because a better answer may come.
    private var heldUntil: Instant?
    /// When the first answer came, or the dialing began.
    private var firstAnswer: Instant?
    private var lastStart: Instant?
    /// An attempt has failed since, so that no other need wait for it.
    private var hasFailedSince = false
    private var lastProblem: String?
    private var isDone = false

    /// Dials `addresses`, in the resolver's order, until `deadline`; `start` begins.
    package init(
        _ addresses: [Address], avoiding avoided: [Address] = [], deadline: Instant, pace: Pace = Pace()
    ) {
        self.avoided = avoided
        limit = deadline
        self.pace = pace
        isSorted = true
        name = ""
        lookups = []
        untried = Self.distinct(addresses)
    }

    /// Dials what `found` brings for each family, until `deadline`.
    package init(
        lookingUp name: String, _ families: Set<Family>, avoiding avoided: [Address] = [],
        deadline: Instant, pace: Pace = Pace()
    ) {
        self.avoided = avoided
        limit = deadline
        self.pace = pace
        isSorted = false
        self.name = name
        lookups = families
        untried = []
    }

    /// Whether `found` is awaited.
    package var isLookingUp: Bool { !lookups.isEmpty }

    /// When `timerFired` is due; nil once done.
    package var deadline: Instant? {
        if isDone || (lookups.isEmpty && untried.isEmpty && underWay.isEmpty) { return nil }
        return nextStart.map { min($0, limit) } ?? limit
    }

    /// The address an attempt goes to.
    package func address(of attempt: Int) -> Address? {
        attempts.indices.contains(attempt) ? attempts[attempt] : nil
    }

    package mutating func start(at now: Instant) -> [Effect] {
        guard attempts.isEmpty, lookups.isEmpty else { return [] }
        return proceed(at: now)
    }

    /// One family's lookup is over.
    package mutating func found(
        _ answer: Result<[Address], LinkFailure>, _ family: Family, at now: Instant
    ) -> [Effect] {
        guard lookups.remove(family) != nil, !isDone else { return [] }
        firstAnswer = firstAnswer ?? now
        switch answer {
        case .success(let addresses):
            untried = Self.distinct(untried + addresses.filter { !attempts.contains($0) })
        case .failure(let failure): lookupProblem = lookupProblem ?? failure
        }
        if attempts.isEmpty, family == .v4, lookups.contains(.v6), !untried.isEmpty {
            heldUntil = now.advanced(by: pace.resolutionDelay)
            return []
        }
        heldUntil = nil
        return proceed(at: now)
    }

    package mutating func connected(_ attempt: Int, at now: Instant) -> [Effect] {
        guard !isDone, underWay.contains(attempt) else { return [] }
        isDone = true
        return [.chosen(attempt, attempts[attempt])] + underWay.filter { $0 != attempt }.map { .abandon($0) }
    }

    /// `problem` is a sentence for people.
    package mutating func failed(_ attempt: Int, _ problem: String, at now: Instant) -> [Effect] {
        guard !isDone, let place = underWay.firstIndex(of: attempt) else { return [] }
        underWay.remove(at: place)
        lastProblem = problem
        hasFailedSince = true
        return proceed(at: now)
    }

    package mutating func timerFired(at now: Instant) -> [Effect] {
        guard !isDone else { return [] }
        if now >= limit {
            guard !attempts.isEmpty else {
                return fail(.timedOut, "Looking up the name \(name) took too long.")
            }
            let detail = lastProblem.map { " The last failure was: \($0)" } ?? ""
            return fail(.timedOut, "No address took the connection in time.\(detail)")
        }
        return proceed(at: now)
    }

    /// When the next attempt may begin; nil when there is none to begin.
    private var nextStart: Instant? {
        guard !untried.isEmpty else { return nil }
        if untried.allSatisfy(avoided.contains), !lookups.isEmpty || !underWay.isEmpty {
            return (lastStart ?? firstAnswer)?.advanced(by: pace.avoidance) ?? .distantPast
        }
        let stagger = min(max(pace.stagger, .milliseconds(10)), .seconds(2))
        return heldUntil ?? (hasFailedSince ? nil : lastStart?.advanced(by: stagger)) ?? .distantPast
    }

    /// Begins an attempt if one is due, and gives up if none can come any more.
    private mutating func proceed(at now: Instant) -> [Effect] {
        if let nextStart {
            guard now >= nextStart, let place = nextPlace() else { return [] }
            let address = untried.remove(at: place)
            attempts.append(address)
            underWay.append(attempts.count - 1)
            lastStart = now
            hasFailedSince = false
            heldUntil = nil
            return [.connect(attempts.count - 1, address)]
        }
        guard underWay.isEmpty, lookups.isEmpty else { return [] }
        if let lastProblem { return fail(.unreachable, lastProblem) }
        isDone = true
        return [.failed(lookupProblem ?? LinkFailure(.nameNotFound, "The name \(name) has no address."))]
    }

    /// RFC 8305 §4: the first family's share first, then the families take turns as long as both have addresses.
    private func nextPlace() -> Int? {
        let places = untried.indices.filter { !avoided.contains(untried[$0]) }
        guard !places.isEmpty else { return avoided.lazy.compactMap { untried.firstIndex(of: $0) }.first }
        guard let last = attempts.last?.family else {
            // Looked up apart, the families have no common order, and IPv6 goes first (§3).
            return isSorted ? places.first : places.first { untried[$0].family == .v6 } ?? places.first
        }
        let share = attempts.prefix { $0.family == attempts[0].family }.count
        let isFirstShare = share == attempts.count && share < pace.firstFamilyCount
        let wanted = isFirstShare ? last : last.other
        return places.first { untried[$0].family == wanted } ?? places.first
    }

    private mutating func fail(_ kind: LinkFailure.Kind, _ message: String) -> [Effect] {
        isDone = true
        let effects = underWay.map { Effect.abandon($0) }
        underWay = []
        return effects + [.failed(LinkFailure(kind, message))]
    }

    private static func distinct(_ addresses: [Address]) -> [Address] {
        var seen: Set<Address> = []
        return addresses.filter { seen.insert($0).inserted }
    }
}
