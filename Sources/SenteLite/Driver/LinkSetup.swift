// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteTransport

/// Makes a link's request of the configuration and what the providers gave, and asks the providers.
struct LinkSetup: Sendable {
    let url: String
    let configuration: SenteClient.Configuration

    func request(_ target: LinkTarget) -> LinkRequest {
        request(endpoint: target.endpoint, token: target.token, deadline: target.deadline)
    }

    private func request(endpoint: String?, token: String?, deadline: Instant) -> LinkRequest {
        var headers = configuration.headers.sorted { $0.key < $1.key }.map {
            Refusal.Header($0.key, $0.value)
        }
        if let token {
            // A token of the provider's stands in place of one that was configured.
            headers.removeAll { $0.name.lowercased() == "authorization" }
            headers.append(Refusal.Header("Authorization", "Bearer \(token)"))
        }
        return LinkRequest(
            url: Self.add(configuration.parameters, to: endpoint ?? url), headers: headers,
            messageLimit: max(configuration.limits.incomingMessage, configuration.limits.outgoingMessage),
            openDeadline: deadline, closeLimit: configuration.timeouts.close)
    }

    /// Why no link could ever be opened with these; nil when nothing is wrong.
    var problem: String? { problem(endpoint: nil, token: nil) }

    private func problem(endpoint: String?, token: String?) -> String? {
        request(endpoint: endpoint, token: token, deadline: .distantFuture).problem
    }

    func answer(_ ask: Ask) async -> Provision {
        do {
            switch ask {
            case .endpoint: return try await endpoint()
            case .token(let reason): return try await token(reason)
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

    private func token(_ reason: TokenReason) async throws -> Provision {
        guard let token = try await configuration.tokenProvider?(reason) else { return .token(nil) }
        if let problem = problem(endpoint: nil, token: token) {
            return .failed("The token cannot be sent. \(problem)")
        }
        return .token(token)
    }

    /// Adds query parameters, in the order of their names.
    static func add(_ parameters: [String: String], to url: String) -> String {
        guard !parameters.isEmpty else { return url }
        let query = parameters.sorted { $0.key < $1.key }.map { "\(encoded($0.key))=\(encoded($0.value))" }
        let joint = !url.contains("?") ? "?" : url.hasSuffix("?") || url.hasSuffix("&") ? "" : "&"
        return url + joint + query.joined(separator: "&")
    }

    /// Percent-encodes everything but RFC 3986's unreserved characters (§2.3).
    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
