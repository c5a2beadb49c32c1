// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// The URLs a server is reached at, and which of them an attempt goes to.
///
/// They are tried in rounds: each URL once a round, the last one that led to an open link first.
package struct EndpointList: Sendable {
    private let urls: [String]
    private let order: EndpointOrder
    /// What is left of the round.
    private var round: ArraySlice<String> = []
    private var lastGood: String?
    /// An attempt of this round ended in a way that can be another one next time.
    private var hasHope = false
    /// Where the latest attempt went.
    package private(set) var current: String?

    package init(_ urls: [String], order: EndpointOrder) {
        var seen: Set<String> = []
        self.urls = urls.filter { seen.insert($0).inserted }
        self.order = order
    }

    /// Whether every URL of the round ended in what retrying cannot mend.
    package var isHopeless: Bool { round.isEmpty && !hasHope }

    /// Where the next attempt goes; nil when there is nothing to choose.
    package mutating func next(using random: inout Generator) -> String? {
        guard urls.count > 1 else { return nil }
        if round.isEmpty {
            let others = urls.filter { $0 != lastGood }
            let ordered = order == .shuffled ? others.shuffled(using: &random) : others
            hasHope = false
            round = ((lastGood.map { [$0] } ?? []) + ordered)[...]
        }
        current = round.popFirst()
        return current
    }

    /// The latest attempt came to nothing; `isMendable` tells whether trying the same again can help.
    package mutating func failed(isMendable: Bool) {
        // Without a choice each attempt is a round.
        hasHope = isMendable || (current != nil && hasHope)
    }

    /// The latest attempt led to an open link: the next one begins there.
    package mutating func succeeded() {
        lastGood = current
        round = []
        hasHope = false
    }
}
