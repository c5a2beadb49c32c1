// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTestSupport

extension TLSConfiguration.PEM {
    /// The file; nil for bytes.
    fileprivate var path: String? {
        if case .file(let path) = self { path } else { nil }
    }
}

extension Intermediary.Setup {
    /// The paths of the server's certificate and key.
    static func paths() throws -> (certificate: String, key: String) {
        let pair = try Certificates.made.get().server
        return (pair.certificate.path ?? "", pair.key.path ?? "")
    }

    /// A reverse proxy with TLS, as its manual has it for WebSocket; it drops a link on which the server said nothing for
    /// `readTimeout` seconds.
    static func nginx(_ workspace: Intermediary.Workspace, to server: Int, readTimeout: Int = 60) throws
        -> Self
    {
        let (certificate, key) = try paths()
        return nginx(
            workspace,
            serving: """
                listen 127.0.0.1:\(workspace.port) ssl;
                ssl_certificate \(certificate);
                ssl_certificate_key \(key);
                location / {
                    proxy_pass http://127.0.0.1:\(server);
                    proxy_http_version 1.1;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection upgrade;
                    proxy_read_timeout \(readTimeout)s;
                }
                """)
    }

    /// nginx as one process that keeps what it writes in its folder, with one server.
    static func nginx(_ workspace: Intermediary.Workspace, serving server: String) -> Self {
        let temporary = ["client_body", "proxy", "fastcgi", "scgi", "uwsgi"]
            .map { "\($0)_temp_path \(workspace.folder)/\($0);" }.joined(separator: " ")
        return Self(
            program: .nginx, arguments: ["-e", "stderr", "-c", "\(workspace.folder)/nginx.conf"],
            files: [
                "nginx.conf": """
                daemon off;
                master_process off;
                pid \(workspace.folder)/pid;
                error_log stderr;
                events {}
                http {
                    access_log off;
                    \(temporary)
                    server {
                        \(server)
                    }
                }

                """
            ])
    }

    /// A balancer with TLS that drops a link on which neither side said anything for `tunnelTimeout` seconds.
    static func haproxy(_ workspace: Intermediary.Workspace, to server: Int, tunnelTimeout: Int) throws
        -> Self
    {
        let certificates = try Certificates.made.get()
        let pair = certificates.server
        let both = try [pair.certificate, pair.key]
            .map { String(decoding: try certificates.bytes($0), as: UTF8.self) }.joined(separator: "\n")
        return Self(
            program: .haproxy, arguments: ["-db", "-f", "\(workspace.folder)/haproxy.cfg"],
            files: [
                "server.pem": both,
                "haproxy.cfg": """
                global
                    maxconn 100
                defaults
                    mode http
                    timeout connect 5s
                    timeout client 30s
                    timeout server 30s
                    timeout tunnel \(tunnelTimeout)s
                frontend front
                    bind 127.0.0.1:\(workspace.port) ssl crt \(workspace.folder)/server.pem
                    default_backend back
                backend back
                    server one 127.0.0.1:\(server)

                """,
            ])
    }

    /// TLS and nothing else.
    static func stunnel(_ workspace: Intermediary.Workspace, to server: Int) throws -> Self {
        let (certificate, key) = try paths()
        return Self(
            program: .stunnel, arguments: ["\(workspace.folder)/stunnel.conf"],
            files: [
                "stunnel.conf": """
                foreground = yes
                pid =
                syslog = no
                [ws]
                accept = 127.0.0.1:\(workspace.port)
                connect = 127.0.0.1:\(server)
                cert = \(certificate)
                key = \(key)

                """
            ])
    }

    /// A proxy for CONNECT that lets pass what `rules` do.
    static func tinyproxy(_ workspace: Intermediary.Workspace, _ rules: [String], filter: String = "") -> Self
    {
        let settings = ["Port \(workspace.port)", "Listen 127.0.0.1", "Timeout 60", "MaxClients 20"] + rules
        let filters = filter.isEmpty ? [] : ["Filter \"\(workspace.folder)/filter\""]
        return Self(
            program: .tinyproxy, arguments: ["-d", "-c", "\(workspace.folder)/tinyproxy.conf"],
            files: [
                "filter": filter + "\n",
                "tinyproxy.conf": (settings + filters).joined(separator: "\n") + "\n",
            ])
    }

    /// A SOCKS server; of a name's addresses it takes an IPv4 one.
    static func microsocks(_ workspace: Intermediary.Workspace, _ options: [String] = []) -> Self {
        Self(
            program: .microsocks,
            arguments: ["-i", "127.0.0.1", "-p", "\(workspace.port)", "-b", "127.0.0.1"] + options)
    }
}
