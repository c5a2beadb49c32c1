// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    @Suite(
        "TLS 1.3 key updates", .timeLimit(.minutes(5)),
        .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
    struct KeyUpdateTests {
        @Test(
            "RFC 8446 §4.6.3: a server's new key is taken up, and answered with one of ours when it asks",
            arguments: ["k", "K"])
        func update(command: String) async throws {
            let server = try OpenSSLServer(try Certificates.made.get())
            defer { server.stop() }
            let port = try #require(await server.port())
            try await withLoop(.standard) { loop in
                let certificates = try Certificates.made.get()
                async let opening = WebSocketConnection.open(
                    "wss://127.0.0.1:\(port)/", tls: TLSConfiguration(roots: .only(certificates.authority)),
                    on: loop)
                await server.accept()
                let connection = try await opening
                for round in 0..<5 {
                    server.type(Array("\(command)\n".utf8))
                    // The server reads what is typed before what comes: these words are of the time after the command.
                    let words = "words of ours \(round)"
                    connection.send(.text(words))
                    await server.has(words)
                    server.type(frame(1, Array("words of theirs \(round)".utf8)))
                    #expect(await connection.receive() == .text("words of theirs \(round)"))
                }
                let large = Message.binary([UInt8](repeating: 7, count: 100_000))
                connection.send(large)
                connection.send(.text("the end"))
                await server.has("the end")
            }
        }
    }
}

/// `openssl s_server`, which writes what comes and sends what is typed, some letters excepted.
private final class OpenSSLServer: Sendable {
    private let process = Process()
    private let input = Pipe()
    private let output = Collector<UInt8>()

    init(_ certificates: Certificates) throws {
        guard case .file(let certificate) = certificates.server.certificate,
            case .file(let key) = certificates.server.key
        else { throw LinkFailure(.misconfigured, "The tests' certificate is no file.") }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-tls1_3",
        ]
        process.standardInput = input
        let said = Pipe()
        process.standardOutput = said
        process.standardError = FileHandle.nullDevice
        said.fileHandleForReading.readabilityHandler = { [output] in
            let data = $0.availableData
            if data.isEmpty { $0.readabilityHandler = nil } else { output.append(contentsOf: Array(data)) }
        }
        try process.run()
    }

    /// Kills it: a process that is started on a thread of Dispatch's has all other signals blocked, and would live on.
    func stop() { kill(process.processIdentifier, SIGKILL) }

    func type(_ bytes: [UInt8]) {
        input.fileHandleForWriting.write(Data(bytes))
    }

    /// The port, which it says when it listens ("ACCEPT 127.0.0.1:40123").
    func port() async -> Int? {
        let said = await output.wait { Self.port(in: $0) != nil }
        return Self.port(in: said)
    }

    private static func port(in bytes: [UInt8]) -> Int? {
        let text = String(decoding: bytes, as: UTF8.self)
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .first { $0.hasPrefix("ACCEPT ") }
        return line?.split(separator: ":").last.flatMap { Int($0) }
    }

    /// Accepts the upgrade that came.
    func accept() async {
        let said = await output.wait { String(decoding: $0, as: UTF8.self).contains("\r\n\r\n") }
        let text = String(decoding: said, as: UTF8.self)
        let key = text.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") }?.dropFirst(19)
        let answer = key.flatMap { HandshakeKey(String($0)) }?.answer ?? ""
        type(
            Array(
                ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Accept: \(answer)\r\n\r\n").utf8))
    }

    /// Waits until a short text came, which is masked.
    func has(_ text: String) async {
        let words = Array(text.utf8)
        _ = await output.wait { bytes in
            bytes.indices.dropLast(words.count + 5).contains { start in
                bytes[start] == 0x81 && Int(bytes[start + 1]) == 0x80 | words.count
                    && words.indices.allSatisfy {
                        bytes[start + 6 + $0] ^ bytes[start + 2 + $0 % 4] == words[$0]
                    }
            }
        }
    }
}
