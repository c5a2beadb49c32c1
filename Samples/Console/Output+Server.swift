// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteLite
package import SenteServer

/// The lines about a server.
extension Output {
    /// Where it listens, once it does.
    func write(serving configuration: ServerConfiguration, port: Int) {
        write(
            .status,
            [
                "state": "running", "host": Value(configuration.host), "port": Value(port),
                "url": Value(configuration.url(port: port)),
                "mode": Value(configuration.dialect.rawValue), "format": Value(configuration.format.name),
            ])
    }

    /// A client that came, went or was turned away.
    func write(access: ServerAccess) {
        write(.access, Self.fields(of: access))
    }

    /// Their fields.
    package static func fields(of access: ServerAccess) -> [(String, Value?)] {
        switch access {
        case .came(let visitor): [("event", "came")] + fields(of: visitor)
        case .went(let visitor, let stayed, let messages, let end):
            [("event", "went")] + fields(of: visitor)
                + [
                    ("stayed", Value(stayed.milliseconds)), ("messages", Value(messages)),
                    ("reason", Value(end.sentence)),
                ]
        case .refused(let visitor, let status):
            [("event", "refused")] + fields(of: visitor) + [("status", Value(status))]
        }
    }

    private static func fields(of visitor: ServerAccess.Visitor) -> [(String, Value?)] {
        // Tokens travel in the query, and have no place in a log.
        let path = visitor.target.prefix { $0 != "?" }
        return [
            ("connection", visitor.name.map { Value($0) }), ("peer", visitor.remoteAddress.map { Value($0) }),
            ("path", Value(String(path))),
        ]
    }
}

extension LinkEnd {
    fileprivate var sentence: String {
        switch self {
        case .closed(let code, let reason):
            "closed with \(code.rawValue)" + (reason.isEmpty ? "" : " (\(reason))")
        case .failed(let failure): failure.message
        }
    }
}

extension ServerConfiguration {
    /// What clients are given; an address that listens everywhere is reached at this machine's own.
    fileprivate func url(port: Int) -> String {
        let host =
            switch host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "[::1]"
            case let host: host.contains(":") ? "[\(host)]" : host
            }
        // Sente's servers have a path by habit.
        let path = dialect == .sente ? String((sente.path ?? "/chsk").drop { $0 == "/" }) : ""
        return "\(tls == nil ? "ws" : "wss")://\(host):\(port)/\(path)"
    }
}
