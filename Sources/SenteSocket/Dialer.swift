// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Decides which address of a server to connect to: tries them in turn, the next one when an attempt has failed or
/// has taken 250 ms, and keeps the first that connects (RFC 8305 §5, "Happy Eyeballs").
///
/// ```
/// start ─► attempt 0 ── 250 ms or failed ─► attempt 1 ── … ─► all failed, or the deadline passed: failed
///              └────────── connected ───────────┴──────────► chosen, the others abandoned
/// ```
/// The order of families is the resolver's (RFC 6724); they are only interleaved, so that one broken family costs
/// one stagger and not one per address. After `chosen` or `failed` the dialer does nothing more.
package struct Dialer: Hashable, Sendable {
    /// A place to connect to.
    package enum Address: Hashable, Sendable {
        /// The address in the order of its bytes on the wire, read as big-endian.
        case v4(UInt32, port: UInt16)
        /// The address likewise, in two halves; the scope is that of a link-local address, else 0.
        case v6(UInt64, UInt64, port: UInt16, scope: UInt32)

        fileprivate var isV4: Bool {
            if case .v4 = self { true } else { false }
        }
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

    private let addresses: [Address]
    private let limit: Instant
    private let stagger: Duration
    private var started = 0
    private var underWay: [Int] = []
    private var nextStart: Instant?
    private var lastProblem: String?
    private var isDone = false

    /// Dials `addresses`, in the resolver's order, until `deadline`.
    package init(_ addresses: [Address], deadline: Instant, stagger: Duration = .milliseconds(250)) {
        self.addresses = Self.interleaved(addresses)
        limit = deadline
        self.stagger = stagger
    }

    /// When `timerFired` is due; nil once done.
    package var deadline: Instant? {
        if isDone || (started == 0 && addresses.isEmpty) { return nil }
        return nextStart.map { min($0, limit) } ?? limit
    }

    /// The address an attempt goes to.
    package func address(of attempt: Int) -> Address? {
        addresses.indices.contains(attempt) ? addresses[attempt] : nil
    }

    package mutating func start(at now: Instant) -> [Effect] {
        guard started == 0, !isDone else { return [] }
        guard !addresses.isEmpty else {
            isDone = true
            return [.failed(LinkFailure(.nameNotFound, "The server's name has no address."))]
        }
        return connectNext(at: now)
    }

    package mutating func connected(_ attempt: Int, at now: Instant) -> [Effect] {
        guard !isDone, underWay.contains(attempt) else { return [] }
        isDone = true
        return [.chosen(attempt, addresses[attempt])] + underWay.filter { $0 != attempt }.map { .abandon($0) }
    }

    /// `problem` is a sentence for people.
    package mutating func failed(_ attempt: Int, _ problem: String, at now: Instant) -> [Effect] {
        guard !isDone, let place = underWay.firstIndex(of: attempt) else { return [] }
        underWay.remove(at: place)
        lastProblem = problem
        guard started == addresses.count else { return connectNext(at: now) }
        guard underWay.isEmpty else { return [] }
        return fail(.unreachable, problem)
    }

    package mutating func timerFired(at now: Instant) -> [Effect] {
        guard !isDone, started > 0 else { return [] }
        if now >= limit {
            let detail = lastProblem.map { " The last failure was: \($0)" } ?? ""
            return fail(.timedOut, "The server did not take the connection in time.\(detail)")
        }
        guard let nextStart, now >= nextStart else { return [] }
        return connectNext(at: now)
    }

    private mutating func connectNext(at now: Instant) -> [Effect] {
        let attempt = started
        started += 1
        underWay.append(attempt)
        nextStart = started < addresses.count ? now.advanced(by: stagger) : nil
        return [.connect(attempt, addresses[attempt])]
    }

    private mutating func fail(_ kind: LinkFailure.Kind, _ message: String) -> [Effect] {
        isDone = true
        let effects = underWay.map { Effect.abandon($0) }
        underWay = []
        return effects + [.failed(LinkFailure(kind, message))]
    }

    /// RFC 8305 §4: families take turns, beginning with that of the first address.
    ///
    /// Doubles are left out.
    private static func interleaved(_ addresses: [Address]) -> [Address] {
        var seen: Set<Address> = []
        let distinct = addresses.filter { seen.insert($0).inserted }
        guard let first = distinct.first else { return [] }
        let preferred = distinct.filter { $0.isV4 == first.isV4 }
        let others = distinct.filter { $0.isV4 != first.isV4 }
        var result: [Address] = []
        for index in 0..<max(preferred.count, others.count) {
            if index < preferred.count { result.append(preferred[index]) }
            if index < others.count { result.append(others[index]) }
        }
        return result
    }
}

extension Dialer.Address: CustomStringConvertible {
    /// The address as it stands in a URL: "127.0.0.1:80", "[::1]:80".
    package var description: String {
        switch self {
        case .v4(let bits, let port):
            return [24, 16, 8, 0].map { String(bits >> $0 & 255) }.joined(separator: ".") + ":\(port)"
        case .v6(let high, let low, let port, let scope):
            let groups = [high, low].flatMap { half in
                [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> $0) }
            }
            return "[\(Self.text(of: groups))\(scope == 0 ? "" : "%\(scope)")]:\(port)"
        }
    }

    /// RFC 5952: lower case, no leading zeros, the longest run of two zero groups or more as "::".
    private static func text(of groups: [UInt16]) -> String {
        var best = 0..<0
        var start: Int?
        for index in 0...groups.count {
            if index < groups.count, groups[index] == 0 {
                start = start ?? index
            } else if let from = start {
                if index - from > max(best.count, 1) { best = from..<index }
                start = nil
            }
        }
        func joined(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !best.isEmpty else { return joined(groups[...]) }
        return joined(groups[..<best.lowerBound]) + "::" + joined(groups[best.upperBound...])
    }
}
