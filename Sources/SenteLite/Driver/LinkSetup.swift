// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteTransport

/// Makes a link's request of the configuration and what the providers gave, and asks the providers.
struct LinkSetup: Sendable {
    let url: String
    let configuration: SenteClient.Configuration

    func request(_ target: LinkTarget) -> LinkRequest {
        var headers = configuration.headers.map { Refusal.Header($0.name, $0.value) }
        Cookies.add(configuration.cookies, to: &headers)
        if let token = target.token {
            // A token of the provider's stands in place of one that was configured.
            headers.removeAll { $0.name.lowercased() == "authorization" }
            headers.append(Refusal.Header("Authorization", "Bearer \(token)"))
        }
        let url = configuration.parameters.added(to: target.endpoint ?? url)
        var request = LinkRequest(
            url: target.parameters.added(to: url), headers: headers,
            compression: configuration.compression,
            messageLimit: max(configuration.limits.incomingMessage, configuration.limits.outgoingMessage),
            openDeadline: target.deadline, closeLimit: configuration.timeouts.close, tls: configuration.tls)
        request.proxy = configuration.proxy
        return request
    }

    /// Why no link could ever be opened with these; nil when nothing is wrong.
    var problem: String? {
        ([url] + configuration.endpoints).lazy.compactMap { problem(endpoint: $0, token: nil) }.first
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
                return .parameters(try await configuration.parametersProvider?(reason) ?? [:])
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
