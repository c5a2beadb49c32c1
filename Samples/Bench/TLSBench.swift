// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteLite
import SenteTransport

/// TLS against C on the same libssl, in turns: figures and their ratios.
///
/// The folder holds what the TLS reference makes there: `ca.pem`, `srv.pem`, `srv.key`, and, for the ratios to C, the
/// compiled `tls_server` and `tls_client`. To compare ping-pongs keep all of it on one core (`taskset -c 1`).
enum TLSBench {
    private static let rounds = 5

    static func run(_ folder: String) async throws {
        let own = try BenchServerProcess.start(["tls-serve", folder], sayingPorts: 3)
        defer { own.stop() }
        let reference = try CReference(folder)
        defer { reference?.stop() }
        var ratios: [String: [Double]] = [:]
        var names: [String] = []
        func note(_ name: String, _ value: Double) {
            if ratios[name] == nil { names.append(name) }
            ratios[name, default: []].append(value)
        }
        let (resuming, forgetful, plain) = (own.ports[0], own.ports[1], own.ports[2])
        for round in 0..<rounds {
            BenchOutput.standard.progress("round \(round + 1) of \(rounds)")
            let full = try await handshakes(load(folder, forgetful, 300), "full")
            let resumed = try await handshakes(load(folder, resuming, 300), "resumed")
            var bare = load(folder, plain, 300)
            bare.url = "ws://127.0.0.1:\(plain)/"
            let unsecured = try await handshakes(bare, "none")
            let pingPong = shown(try await TransportBench.run(load(folder, resuming, 5_000)))
            let flood = shown(try await TransportBench.run(load(folder, resuming, 4_000, floods: true)))
            let base = unsecured.figure("cpu_us")
            note(
                "CPU of a resumed handshake, of a full one (both less a connection without TLS)",
                (resumed.figure("cpu_us") - base) / (full.figure("cpu_us") - base))
            note(
                "CPU of a resumed connection, of a full one", resumed.figure("cpu_us") / full.figure("cpu_us")
            )
            guard let c = try reference?.run() else { continue }
            BenchOutput.standard.show(sentence: c.line)
            note("connection (TCP, TLS, upgrade) p50, of C's (TCP, TLS)", full.figure("p50_us") / c.handshake)
            note("ping-pong p50, of C's", pingPong.figure("p50_us") / c.pingPong)
            note("receive of 64 KiB messages, of C's", flood.figure("msgs_s") * 65_536 / 1e6 / c.receive)
        }
        if reference == nil {
            BenchOutput.standard.show(
                sentence: "\(folder) holds no tls_server and tls_client: no ratios to C.")
        }
        for name in names {
            let values = (ratios[name] ?? []).sorted()
            let parts = name.components(separatedBy: ", of ")
            BenchOutput.standard.show(ratio: values[values.count / 2], parts[0], of: parts.last ?? "")
        }
        let idle = try await TransportBench.run(load(folder, resuming, 1_000, idles: true))
        BenchOutput.standard.show(
            sentence: "an idle connection: \((idle.figure("kib_per_conn") * 10).rounded() / 10) KiB")
    }

    /// Echo servers: on TLS one that gives sessions to resume and one that gives none, and one without TLS.
    static func serve(_ folder: String) async throws {
        var tls = ServerTLS(certificates: .file("\(folder)/srv.pem"), key: .file("\(folder)/srv.key"))
        let loop = try EventLoop.shared()
        let resuming = try Listener(loop: loop, tls: tls) { _ in EchoServer() }
        tls.givesSessions = false
        let forgetful = try Listener(loop: loop, tls: tls) { _ in EchoServer() }
        let plain = try Listener(loop: loop) { _ in EchoServer() }
        try BenchServer.live(saying: [resuming, forgetful, plain].map { Int($0.port) })
    }

    private static func load(
        _ folder: String, _ port: Int, _ count: Int, floods: Bool = false, idles: Bool = false
    ) -> Load {
        var load = Load(
            "wss://127.0.0.1:\(port)\(floods ? "/flood" : "/")",
            mode: floods ? .flood : idles ? .idle : .pingpong,
            size: floods ? 64 << 10 : 64, count: count, window: 1, handOver: .callback,
            // Else the server would be measured, which queues all that was ordered.
            order: floods ? 32 : nil)
        load.configuration.tls.roots = .only(.file("\(folder)/ca.pem"))
        return load
    }

    /// From the call to the open WebSocket.
    private static func handshakes(_ load: Load, _ name: String) async throws -> BenchResult {
        let loop = try EventLoop.shared()
        var watch = Stopwatch()
        for round in 0..<load.warmUp + load.count {
            if round == load.warmUp { watch.start(expecting: load.count) }
            let start = Measure.nanoseconds()
            let connection = try await load.open(on: loop)
            if round >= load.warmUp { watch.record(Measure.nanoseconds() - start) }
            connection.close()
            _ = await connection.receive()
        }
        return shown(watch.result("sente-tls-\(name)", load))
    }

    private static func shown(_ result: BenchResult) -> BenchResult {
        BenchOutput.standard.show(result)
        return result
    }
}

/// The server and the client in C.
private struct CReference {
    struct Figures {
        let line: String
        let handshake: Double
        let pingPong: Double
        let receive: Double
    }

    private static let port = 40_443
    private let folder: String
    private let server = Process()

    /// Starts the server; nil when the programs are not there.
    init?(_ folder: String) throws {
        let files = FileManager.default
        self.folder = folder
        let programs = ["tls_server", "tls_client"].map { "\(folder)/\($0)" }
        guard programs.allSatisfy(files.isExecutableFile(atPath:)) else { return nil }
        let output = Pipe()
        server.executableURL = URL(fileURLWithPath: programs[0])
        server.arguments = ["\(Self.port)"]
        server.currentDirectoryURL = URL(fileURLWithPath: folder)
        server.standardOutput = output
        try server.run()
        // It says that it is ready.
        _ = output.fileHandleForReading.availableData
    }

    func run() throws -> Figures {
        let client = Process()
        let output = Pipe()
        client.executableURL = URL(fileURLWithPath: "\(folder)/tls_client")
        client.arguments = ["\(Self.port)"]
        client.currentDirectoryURL = URL(fileURLWithPath: folder)
        client.standardOutput = output
        try client.run()
        let line = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        client.waitUntilExit()
        // c-linked-fd  handshake p50 900 us, ping-pong 64B p50 17.4 us, receive 1100 MB/s
        let words = line.split(whereSeparator: \.isWhitespace)
        let numbers = ["us,", "MB/s"].flatMap { unit in
            words.indices.filter { words[$0] == unit && $0 > 0 }.compactMap { Double(words[$0 - 1]) }
        }
        guard numbers.count == 3 else {
            throw LinkFailure(.unreachable, "tls_client said no figures: \(line)")
        }
        return Figures(
            line: line.trimmingCharacters(in: .whitespacesAndNewlines), handshake: numbers[0],
            pingPong: numbers[1], receive: numbers[2])
    }

    func stop() {
        // A process started from a task inherits that thread's blocked signals; this one cannot be blocked.
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
    }
}
