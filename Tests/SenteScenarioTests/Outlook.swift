// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// What a client has been told by each of its server's URLs, as the rules remember it.
struct Outlook {
    private enum Word: Int {
        case hopeless, elsewhere, mendable
    }

    private let urls: Set<String>
    private let asksCredentials: Bool
    private var words: [String: Word] = [:]
    private var rests: [String: Instant] = [:]
    private var freshTokensRefused = 0
    private var wasGreeted = false
    /// Where the attempt goes that is under way.
    private var url = ""

    init(_ configuration: SessionConfiguration) {
        let hasChoice = !configuration.asksEndpoint && Set(configuration.endpoints).count > 1
        urls = hasChoice ? Set(configuration.endpoints) : [""]
        asksCredentials = configuration.asksToken || configuration.asksParameters
    }

    private var best: Word {
        let words = urls.map { self.words[$0] ?? .mendable }
        return words.max { $0.rawValue < $1.rawValue } ?? .mendable
    }

    /// Whether the failures so far may end in `failed`.
    var isFinal: Bool { best == .hopeless || (best == .elsewhere && !wasGreeted) }

    /// Whether the next attempt waits as long as the policy ever does.
    var isAtCap: Bool { best == .elsewhere && wasGreeted }

    /// When the next attempt may be made at the earliest; nil when now.
    func notBefore(at now: Instant) -> Instant? {
        let ends = urls.map { rests[$0] ?? now }
        return ends.min().flatMap { $0 > now ? $0 : nil }
    }

    mutating func attemptBegins(at url: String?, appAsked: Bool) {
        self.url = url ?? ""
        guard appAsked else { return }
        words = [:]
        freshTokensRefused = 0
    }

    mutating func attemptFailed(_ error: SenteError?, rest: Duration?, at now: Instant) {
        rests[url] = rest.map { now.advanced(by: $0) }
        switch error?.code {
        case .unauthorized? where asksCredentials:
            freshTokensRefused += 1
            words[url] = freshTokensRefused >= 2 ? .hopeless : .elsewhere
        case .unauthorized?, .protocolMismatch?, .untrusted?, .refused?: words[url] = .elsewhere
        default: words[url] = .mendable
        }
    }

    mutating func opened() {
        wasGreeted = true
        words = [:]
        rests[url] = nil
        freshTokensRefused = 0
    }
}
