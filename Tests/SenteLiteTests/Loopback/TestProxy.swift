// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteSocket
import SenteTestSupport

/// A proxy on this machine: CONNECT or SOCKS 5, with a login if it has one.
///
/// It leads to ports of this machine: names are known to it alone, so that whoever gets through has let it look them up.
final class TestProxy: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case http
        case socks5
    }

    /// What a client asked for.
    struct Request: Sendable, Equatable {
        var host: String
        var port: Int
        /// `user:password`, when the client said it.
        var login: String?
    }

    enum Answer: Sendable {
        case lead(port: Int)
        /// An HTTP status, or a SOCKS reply code.
        case refuse(Int)
    }

    let requests = Collector<Request>()
    private let kind: Kind
    private let login: String?
    private let server: RawServer

    /// Lets clients with `login` through, or all without one, to where `route` says.
    ///
    /// Connection `trouble.number`, from 0 on, gets what `trouble.act` writes to it instead.
    init(
        _ kind: Kind, login: String? = nil,
        trouble: (number: Int, act: @Sendable (RawConnection) -> Void)? = nil,
        route: @escaping @Sendable (Request) -> Answer
    ) throws {
        self.kind = kind
        self.login = login
        server = try RawServer(isConcurrent: true) { [requests] connection, number in
            if let trouble, trouble.number == number {
                // Unread bytes would turn the end into a reset, which destroys what was written.
                if kind == .http { connection.readHead() } else { _ = connection.take(3) }
                trouble.act(connection)
                while connection.take(1) != nil {}
                return
            }
            guard
                let request = kind == .http
                    ? Self.readConnect(connection, login) : Self.readSOCKS(connection, login)
            else { return }
            requests.append(request)
            switch route(request) {
            case .refuse(let code): Self.refuse(connection, kind, code)
            case .lead(let port):
                guard let other = RawConnection(port: port) else {
                    return Self.refuse(connection, kind, kind == .http ? 502 : 5)
                }
                connection.write(
                    kind == .http
                        ? Array("HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n".utf8)
                        : [5, 0, 0, 1, 127, 0, 0, 1, 0, 0])
                connection.relay(to: other)
                other.close()
            }
        }
    }

    var port: Int { server.port }

    /// Its URL, with a login or another text before the host.
    func url(_ login: String? = nil) -> String {
        "\(kind.rawValue)://\(login.map { $0 + "@" } ?? "")127.0.0.1:\(port)"
    }

    func stop() { server.stop() }

    // MARK: Protocols

    private static func readConnect(_ connection: RawConnection, _ login: String?) -> Request? {
        let lines = connection.readHead().split(separator: "\r\n").map(String.init)
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3, words[0] == "CONNECT", let colon = words[1].lastIndex(of: ":"),
            let port = Int(words[1][colon...].dropFirst())
        else {
            refuse(connection, .http, 400)
            return nil
        }
        let given = lines.first { $0.hasPrefix("Proxy-Authorization: Basic ") }.map {
            String($0.dropFirst(27))
        }
        var request = Request(host: String(words[1][..<colon]), port: port)
        if let login {
            guard given == Base64.encode(Array(login.utf8)) else {
                refuse(connection, .http, 407)
                return nil
            }
            request.login = login
        } else {
            request.login = given
        }
        return request
    }

    private static func readSOCKS(_ connection: RawConnection, _ login: String?) -> Request? {
        func text(_ count: Int) -> String? {
            connection.take(count).map { String(decoding: $0, as: UTF8.self) }
        }
        func length() -> Int? { connection.take(1).map { Int($0[0]) } }
        guard connection.take(1) == [5], let count = length(), let methods = connection.take(count) else {
            return nil
        }
        let method: UInt8 = login == nil ? 0 : 2
        guard methods.contains(method) else {
            connection.write([5, 0xFF])
            return nil
        }
        connection.write([5, method])
        var said: String?
        if let login {
            guard connection.take(1) == [1], let user = length().flatMap(text),
                let password = length().flatMap(text)
            else { return nil }
            said = "\(user):\(password)"
            connection.write([1, said == login ? 0 : 1])
            guard said == login else { return nil }
        }
        guard connection.take(3) == [5, 1, 0], let type = connection.take(1)?.first,
            let host = type == 3 ? length().flatMap(text) : text(type == 1 ? 4 : 16),
            let port = connection.take(2)
        else { return nil }
        return Request(host: host, port: Int(port[0]) << 8 | Int(port[1]), login: said)
    }

    private static func refuse(_ connection: RawConnection, _ kind: Kind, _ code: Int) {
        switch kind {
        case .http:
            let wants = code == 407 ? "Proxy-Authenticate: Basic realm=\"test\"\r\n" : ""
            connection.write("HTTP/1.1 \(code) No\r\n\(wants)Content-Length: 3\r\n\r\nno\n")
        case .socks5: connection.write([5, UInt8(truncatingIfNeeded: code), 0, 1, 0, 0, 0, 0, 0, 0])
        }
        connection.endWriting()
    }
}
