// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// What a client has been told by each of its server's URLs, as the rules remember it.
struct EndpointModel {
    private enum Prospect: Int {
        case hopeless, elsewhere, retryable
    }

    private let urls: Set<String>
    private let asksCredentials: Bool
    private var prospects: [String: Prospect] = [:]
    private var restsUntil: [String: Instant] = [:]
    /// Since a link was stable or the app asked to connect.
    private var tried: Set<String> = []
    private var freshTokensRefused = 0
    private var wasGreeted = false
    /// Where the attempt goes that is under way.
    private var url = ""

    init(_ configuration: SessionConfiguration) {
        let hasChoice = !configuration.asksEndpoint && Set(configuration.endpoints).count > 1
        urls = hasChoice ? Set(configuration.endpoints) : [""]
        asksCredentials = configuration.asksToken || configuration.asksParameters
    }

    private var best: Prospect {
        let prospects = urls.map { self.prospects[$0] ?? .retryable }
        return prospects.max { $0.rawValue < $1.rawValue } ?? .retryable
    }

    /// Whether the failures so far may end in `failed`.
    var isFinal: Bool { best == .hopeless || (best == .elsewhere && !wasGreeted) }

    /// Whether the next attempt waits as long as the policy ever does.
    var isAtCap: Bool { best == .elsewhere && wasGreeted }

    /// When the next attempt may be made at the earliest; nil when now.
    func notBefore(at now: Instant) -> Instant? {
        let ends = urls.map { restsUntil[$0] ?? now }
        return ends.min().flatMap { $0 > now ? $0 : nil }
    }

    /// Whether another is left to go to at once.
    func hasUntried(at now: Instant) -> Bool {
        urls.contains { $0 != url && !tried.contains($0) && restsUntil[$0].map { $0 <= now } ?? true }
    }

    /// Whether an attempt was made where one had been already.
    var isRepeated = false

    mutating func attemptBegins(at url: String?, appAsked: Bool) {
        self.url = url ?? ""
        if appAsked {
            prospects = [:]
            freshTokensRefused = 0
            tried = []
        }
        isRepeated = !tried.insert(self.url).inserted
    }

    /// The link that ended had been open for long.
    mutating func lostStable() { tried = [url] }

    mutating func attemptFailed(_ error: SenteError?, rest: Duration?, at now: Instant) {
        restsUntil[url] = rest.map { now.advanced(by: $0) }
        switch error?.code {
        case .unauthorized? where asksCredentials:
            freshTokensRefused += 1
            prospects[url] = freshTokensRefused >= 2 ? .hopeless : .elsewhere
        case .unauthorized?, .protocolMismatch?, .untrusted?, .refused?: prospects[url] = .elsewhere
        default: prospects[url] = .retryable
        }
    }

    mutating func opened() {
        wasGreeted = true
        prospects = [:]
        restsUntil[url] = nil
        freshTokensRefused = 0
    }
}
