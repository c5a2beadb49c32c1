// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What to make of an HTTP answer to the opening handshake.
package struct RefusalVerdict {
    package enum Remedy: Equatable {
        /// Ask for another token and try once more.
        case freshToken
        /// Nothing this client can do.
        case none
        /// Try again, not before that much time when the server named one.
        case retry(atLeast: Duration?)
        /// Only a change elsewhere mends it: final until the first greeting, retried at the cap afterwards.
        case elsewhere
    }

    package var error: SenteError
    package var remedy: Remedy

    package init(_ refusal: Refusal, at now: Moment, triesToken: Bool) {
        switch refusal.status {
        case 401, 403:
            remedy = triesToken ? .freshToken : .none
            error = SenteError(
                .unauthorized, "The server refused the credentials: check the token, headers and parameters.")
        case 408, 425, 429, 500...599:
            remedy = .retry(atLeast: refusal.header("retry-after").flatMap { retryAfter($0, at: now) })
            error = SenteError(.serverUnavailable, "The server asked to come back later.")
        case 300...399:
            remedy = .elsewhere
            let place = refusal.header("location").map { " to \($0.prefix(200))" } ?? ""
            error = SenteError(
                .refused, refusal.problem ?? "The server redirects\(place): configure that address instead.")
        case 200...299:
            remedy = .elsewhere
            error = SenteError(
                .protocolMismatch,
                "The server answered with a page instead of a WebSocket: check the URL's path.")
        default:
            remedy = .elsewhere
            error = SenteError(.refused, "The server refused the WebSocket: check the URL.")
        }
        error.httpStatus = refusal.status
        error.headers = refusal.headers.map { SenteError.Header(name: $0.name, value: $0.value) }
        error.body = refusal.body
    }
}

/// `Retry-After`: seconds or an HTTP date (RFC 9110 §10.2.3), at most an hour.
private func retryAfter(_ text: String, at now: Moment) -> Duration? {
    let text = text.filter { $0 != "\t" }
    if let seconds = Int64(text.trimmingBlanks) { return .seconds(min(max(0, seconds), 3_600)) }
    guard let date = HTTPDate.milliseconds(text.trimmingBlanks) else { return nil }
    return .milliseconds(min(max(0, date - now.wallMilliseconds), 3_600_000))
}

extension String {
    fileprivate var trimmingBlanks: String {
        var text = self[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
