// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What a failed attempt leaves to hope for at the endpoint where it was made; the better one is the greater.
package enum Prospect: Comparable, Sendable {
    /// Nothing that this client has or can ask for will be taken there.
    case hopeless
    /// Only a change elsewhere mends it (a certificate, a server, a portal that wants to be logged in to).
    case elsewhere
    /// Trying the same again can help.
    case mendable
}

/// The URLs a server is reached at, what each of them said last, and which of them an attempt goes to.
///
/// They are tried in rounds: each URL once a round, the last one that led to an open link first. After a loss those come
/// before that have not been tried since links were stable. A word holds for the URL it came from alone: a server that asks
/// to come back later is passed over until then, and nothing is final while another URL may be better.
package struct EndpointList: Sendable {
    private struct Endpoint: Sendable {
        let url: String
        /// Of the last attempt; nil when there was none since a link was open or the app asked to connect.
        var prospect: Prospect?
        /// The server there asked not to come before.
        var notBefore: Instant?
        /// An attempt was made there since a link was stable, or the app asked to connect.
        var wasTried = false

        func isReady(at now: Instant) -> Bool { notBefore.map { $0 <= now } ?? true }
    }

    /// Never empty: without URLs to choose from, one stands for wherever the attempts go.
    private var endpoints: [Endpoint]
    /// How many of them are the app's, the first ones.
    private let configured: Int
    private let order: EndpointOrder
    /// What is left of the round, by index.
    private var round: [Int] = []
    private var lastGood: Int?
    /// Where the latest attempt went.
    private var current = 0

    package init(_ urls: [String], order: EndpointOrder) {
        var seen: Set<String> = []
        let distinct = urls.filter { seen.insert($0).inserted }
        endpoints = (distinct.isEmpty ? [""] : distinct).map { Endpoint(url: $0) }
        configured = endpoints.count
        self.order = order
    }

    /// The URL of the latest attempt; nil when there is nothing to choose.
    package var currentURL: String? { endpoints.count > 1 ? endpoints[current].url : nil }

    /// The best that any of them leaves to hope for.
    package var prospect: Prospect {
        endpoints.reduce(.hopeless) { max($0, $1.prospect ?? .mendable) }
    }

    /// When the first of them may be tried again; nil when one may be now.
    package func notBefore(at now: Instant) -> Instant? {
        guard !endpoints.contains(where: { $0.isReady(at: now) }) else { return nil }
        return endpoints.compactMap(\.notBefore).min()
    }

    /// Chooses where the next attempt goes: the first of the round that asked for no rest, else of a new round.
    package mutating func advance(at now: Instant, using random: inout Generator) {
        if !round.contains(where: { endpoints[$0].isReady(at: now) }) { beginRound(using: &random) }
        let position = round.firstIndex { endpoints[$0].isReady(at: now) } ?? 0
        current = round[position]
        endpoints[current].wasTried = true
        round.removeFirst(position + 1)
    }

    /// Whether another than the latest attempt's has not been tried yet, and asked for no rest.
    package func hasUntried(at now: Instant) -> Bool {
        endpoints.indices.contains { isUntried($0, at: now) }
    }

    /// The next attempts go to those that have not been tried yet.
    package mutating func failOver(at now: Instant, using random: inout Generator) {
        round = ordered(endpoints.indices.filter { isUntried($0, at: now) }, using: &random)
    }

    private func isUntried(_ index: Int, at now: Instant) -> Bool {
        index != current && !endpoints[index].wasTried && endpoints[index].isReady(at: now)
    }

    private mutating func beginRound(using random: inout Generator) {
        let others = endpoints.indices.filter { $0 != lastGood }
        round = (lastGood.map { [$0] } ?? []) + ordered(others, using: &random)
    }

    /// The app prefers what it lists first; those that a server named are alike, and each client takes them in an order of
    /// its own: all that fell from one server should not come to one other.
    private func ordered(_ indices: [Int], using random: inout Generator) -> [Int] {
        guard order == .listed else { return indices.shuffled(using: &random) }
        let named = indices.drop { $0 < configured }
        return indices.dropLast(named.count) + named.shuffled(using: &random)
    }

    /// The latest attempt came to nothing; `rest` is how long the server asked to be left alone.
    package mutating func failed(_ prospect: Prospect, rest: Duration? = nil, at now: Instant) {
        endpoints[current].prospect = prospect
        endpoints[current].notBefore = rest.map { now.advanced(by: $0) }
    }

    /// The latest attempt led to an open link: the next one begins there.
    package mutating func succeeded() {
        lastGood = current
        endpoints[current].notBefore = nil
        forgetFailures()
    }

    /// The link of the latest attempt ended, after it was stable: all others may be tried.
    package mutating func lostStable() {
        for index in endpoints.indices { endpoints[index].wasTried = index == current }
    }

    /// The server named others: they stand behind the app's own, in place of those it named before.
    package mutating func learn(_ urls: [String]) {
        let currentURL = endpoints[current].url
        let goodURL = lastGood.map { endpoints[$0].url }
        var known: [String: Endpoint] = [:]
        for endpoint in endpoints { known[endpoint.url] = endpoint }
        endpoints.removeLast(endpoints.count - configured)
        var seen = Set(endpoints.map(\.url))
        // Where the client is now it may be alone in knowing.
        for url in urls + [currentURL] where seen.insert(url).inserted {
            endpoints.append(known[url] ?? Endpoint(url: url))
        }
        current = endpoints.firstIndex { $0.url == currentURL } ?? 0
        lastGood = goodURL.flatMap { url in endpoints.firstIndex { $0.url == url } }
        round = []
    }

    /// The server of the latest attempt is about to stop: another is to be tried before.
    package mutating func leave(until time: Instant) {
        endpoints[current].notBefore = time
        lastGood = nil
        forgetFailures()
    }

    /// What failed so far says nothing about the attempts to come; what a server asked for still holds.
    package mutating func startAnew() {
        forgetFailures()
        for index in endpoints.indices { endpoints[index].wasTried = false }
    }

    private mutating func forgetFailures() {
        round = []
        for index in endpoints.indices { endpoints[index].prospect = nil }
    }
}
