// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What to make of an HTTP answer to the opening handshake.
extension Refusal {
    /// Other credentials might be taken.
    package var isOfCredentials: Bool { status == 401 || status == 403 }

    /// What it leaves to hope for when nothing else is tried there.
    package var prospect: Prospect {
        switch status {
        case 408, 425, 429, 500...599: .mendable
        default: .elsewhere
        }
    }

    /// The error it stands for, with all that the server said.
    package var error: SenteError {
        var (code, message) = summary
        if status >= 400, let line = firstLine { message += " It says: “\(line)”." }
        var error = SenteError(code, message)
        error.httpStatus = status
        error.headers = headers.map { SenteError.Header(name: $0.name, value: $0.value) }
        error.body = body
        return error
    }

    private var summary: (SenteError.Code, String) {
        switch status {
        case 401, 403:
            (.unauthorized, "The server refused the credentials: check the token, headers and parameters.")
        case 408, 425, 429, 503: (.serverUnavailable, "The server asked to come back later.")
        case 500...599: (.serverUnavailable, "The server could not take the connection (HTTP \(status)).")
        case 300...399:
            (
                .refused,
                problem
                    ?? "The server redirects\(header("location").map { " to \($0.prefix(200))" } ?? ""): configure that address instead."
            )
        case 200...299:
            (
                .protocolMismatch,
                "The server answered with a page instead of a WebSocket: check the URL's path."
            )
        case 400 where isOfTLS:
            (.refused, "The server speaks TLS on this port: use wss: instead of ws:.")
        default: (.refused, "The server refused the WebSocket: check the URL.")
        }
    }

    /// Whether a server that wants TLS says so in HTTP, as nginx, Apache and Go's do.
    private var isOfTLS: Bool {
        let text = String(decoding: body.prefix(1_024), as: UTF8.self).lowercased()
        return ["to https port", "to an https server", "to an ssl-enabled server port"].contains {
            text.contains($0)
        }
    }

    /// The first line of text in the body, such as Sente's reason for an HTTP 500; a page of HTML has none.
    package var firstLine: String? {
        let text = String(decoding: body.prefix(1_024), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).lazy.map { $0.drop(while: \.isWhitespace) }
        guard let line = lines.first(where: { !$0.isEmpty }), line.first != "<" else { return nil }
        return line.excerpt(200)
    }

    /// How long the server asks to be left alone, at most an hour: `Retry-After` in seconds or as an HTTP date
    /// (RFC 9110 §10.2.3).
    ///
    /// A date is the server's word, and only its own clock, the `Date` of the same answer, tells how far off it is.
    package var rest: Duration? {
        guard prospect == .mendable, let text = header("retry-after")?.trimmingBlanks else { return nil }
        if let seconds = Int64(text) { return .seconds(min(max(0, seconds), 3_600)) }
        guard let date = HTTPDate.milliseconds(text),
            let now = header("date").flatMap({ HTTPDate.milliseconds($0.trimmingBlanks) })
        else { return nil }
        return .milliseconds(min(max(0, date - now), 3_600_000))
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        var text = self[...]
        while text.first.map(isBlank) == true { text.removeFirst() }
        while text.last.map(isBlank) == true { text.removeLast() }
        return String(text)
    }
}
