// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteCore
package import SenteTransport
package import SenteWire

/// Makes a link's request of the configuration and what the providers gave, and asks the providers.
///
/// The client's one copy of its configuration stands here: it has more than a kilobyte.
package final class LinkSetup: Sendable {
    let url: String
    let configuration: SenteClient.Configuration

    package init(url: String, configuration: SenteClient.Configuration) {
        self.url = url
        self.configuration = configuration
    }

    package func request(_ target: LinkTarget, trace: TraceContext? = nil) -> LinkRequest {
        var headers = configuration.headers.map { Refusal.Header($0.name, $0.value) }
        headers += trace?.fields.map { Refusal.Header($0.name, $0.text) } ?? []
        Cookies.add(configuration.cookies, to: &headers)
        let isNATS = configuration.dialect == .nats
        // A server of NATS is told who comes after it has spoken.
        if let token = target.token, !isNATS {
            // A token of the provider's stands in place of one that was configured.
            headers.removeAll { $0.name.lowercased() == "authorization" }
            headers.append(Refusal.Header("Authorization", "Bearer \(token)"))
        }
        var request = LinkRequest(
            url: parameters(target).added(to: target.endpoint ?? url), headers: headers,
            compression: configuration.compression,
            messageLimits: MessageLimits(
                incoming: configuration.limits.incomingMessage, outgoing: configuration.limits.outgoingMessage
            ),
            openDeadline: target.deadline, closeLimit: configuration.timeouts.close, tls: configuration.tls)
        request.proxy = configuration.proxy
        if isNATS {
            request.payload = .stream
            // Its servers end the link when a message unfolds to more than `max_payload` (nats-server#7625).
            request.compression = nil
            // The dialect bounds messages; frames hold their lines and headers as well.
            request.messageLimits.outgoing = .max
        }
        return request
    }

    /// The app's, then `client-id` and `csrf-token`, which win over those of the same name (sente.cljc, `connect-fn`).
    private func parameters(_ target: LinkTarget) -> NamedValues {
        var own = NamedValues()
        if configuration.dialect != .nats { own[Self.clientIDParameter] = configuration.clientID }
        if configuration.csrfToken != nil { own[Self.csrfToken] = target.parameters[Self.csrfToken] }
        let theirs = (configuration.parameters.pairs + target.parameters.pairs).filter { pair in
            own[pair.name] == nil && (pair.name != Self.csrfToken || configuration.csrfToken == nil)
        }
        return NamedValues(theirs + own.pairs)
    }

    /// Tells who speaks on a link; made for its first message.
    var detector: DialectDetector {
        DialectDetector(
            dialect: configuration.dialect, format: configuration.format,
            fallback: configuration.fallbackFormat, compressor: .gzip,
            readsTraces: configuration.tracing, nats: configuration.nats)
    }

    static let clientIDParameter = "client-id"
    private static let csrfToken = "csrf-token"

    /// Why no link could ever be opened with these; nil when nothing is wrong.
    var problem: String? {
        ([url] + configuration.endpoints).lazy.compactMap { self.problem(endpoint: $0, token: nil) }.first
    }

    private func problem(endpoint: String?, token: String?) -> String? {
        request(LinkTarget(endpoint: endpoint, token: token, deadline: .distantFuture)).problem
    }

    func answer(_ ask: Ask) async -> Provision {
        do {
            switch ask {
            case .endpoint: return try await endpoint()
            case .token(let reason): return try await token(reason)
            case .parameters(let reason):
                var parameters = try await configuration.parametersProvider?(reason) ?? [:]
                if let provider = configuration.csrfToken {
                    parameters[Self.csrfToken] = try await provider()
                }
                return .parameters(parameters)
            case .delay(let context):
                guard case .custom(let delay) = configuration.reconnect.rule else { return .delay(nil) }
                return .delay(delay(context))
            }
        } catch {
            return .failed((error as? SenteError)?.description ?? String(describing: error))
        }
    }

    private func endpoint() async throws -> Provision {
        guard let provider = configuration.endpointProvider else { return .endpoint(url) }
        let endpoint = try await provider.provide(url)
        if let problem = problem(endpoint: endpoint, token: nil) {
            return .failed("The endpoint provider gave “\(endpoint)”. \(problem)")
        }
        return .endpoint(endpoint)
    }

    private func token(_ reason: AttemptReason) async throws -> Provision {
        guard let token = try await configuration.tokenProvider?(reason) else { return .token(nil) }
        if let problem = problem(endpoint: nil, token: token) {
            return .failed("The token cannot be sent. \(problem)")
        }
        return .token(token)
    }
}
