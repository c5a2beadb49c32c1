// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSocket
import SenteWire
import Testing

/// Told the same, our server says the same, value for value, when its user does what the recorded one did.
@Suite(
    "Recordings of Sente's server",
    .enabled(if: Transcript.folder != nil, "Set SENTE_SHARED to the folder with the recordings to run these.")
)
struct SenteTranscriptTests {
    @Test(
        "They are followed frame for frame",
        arguments: [
            ("sente-ws-edn", .edn, 30), ("sente-ws-transit", .transitJSON, 28),
            ("sente-ws-transit-verbose", .transitJSONVerbose, 27),
            ("sente-ws-msgpack", .senteMessagePack, 27),
            ("sente-ws-gzip-edn", .gzip(over: .edn, compressor: .zlib), 28), ("sente-ws-close", .edn, 10),
            ("sente-jvmclient-basic", .edn, 7), ("sente-jvmclient-keepalive", .edn, 7),
        ] as [(String, WireFormat, Int)])
    func replay(_ name: String, _ format: WireFormat, _ count: Int) throws {
        let lines = try Transcript(name).lines
        var server = TranscriptServer(format, answers: Self.answers(in: lines, format)) {
            guard name == "sente-jvmclient-keepalive" else { return }
            $0.keepAlive = .seconds(1)
            $0.pingTimeout = .milliseconds(1_500)
        }
        var theirs: [UInt64: [ConnectionOutput]] = [:]
        // Whose end has begun: what follows only answers it.
        var ended: Set<UInt64> = []
        for line in lines {
            server.advance(to: line.milliseconds)
            switch line.entry {
            case .upgrade(let target, _): server.connect(line.connection, target)
            case .client(let message): server.receive(message, line.connection)
            case .clientClose:
                if ended.insert(line.connection).inserted { server.close(line.connection) }
            case .server(let message):
                let value = try format.decode(message.bytes)
                theirs[line.connection, default: []].append(.value(TranscriptServer.timeless(value)))
            case .serverClose(let code):
                guard ended.insert(line.connection).inserted else { continue }
                theirs[line.connection, default: []].append(.close(code))
            case .serverDrop:
                guard ended.insert(line.connection).inserted else { continue }
                theirs[line.connection, default: []].append(.drop)
            case .refused: break
            }
        }
        #expect(theirs.values.reduce(0) { $0 + $1.count } == count)
        #expect(server.outputs == theirs)
    }

    /// What the recorded user answered, by callback: its own data where that is not the server's business.
    private static func answers(in lines: [Transcript.Line], _ format: WireFormat) -> [Value: Value] {
        var answers: [Value: Value] = [:]
        for line in lines {
            guard case .server(let message) = line.entry, let value = try? format.decode(message.bytes),
                let callback = value[1], !callback.isNull, answers[callback] == nil
            else { continue }
            answers[callback] = value[0] ?? .null
        }
        return answers
    }

    @Test("Every refusal has the recorded status and text, and who is let in is let in")
    func refusals() throws {
        var admitted: String?
        var count = 0
        for line in try Transcript("sente-ws-refusals").lines {
            switch line.entry {
            case .upgrade(let target, let headers): admitted = Self.admission(target, headers)
            case .refused(let status, let body):
                #expect(admitted == "\(status) \(body)")
                admitted = nil
                count += 1
            case .server:
                #expect(admitted == "upgrade")
                count += 1
            default: break
            }
        }
        #expect(count == 16)
    }

    /// The recorded side had a server of its own on each path.
    private static func admission(_ target: String, _ headers: [HTTPHeader]) -> String {
        var configuration = ServerConfiguration(.sente)
        let request = HTTPRequest(method: "GET", target: target, headers: headers, isUpgrade: true)
        configuration.sente.path = request.path
        switch request.path {
        case "/chsk-csrf": configuration.csrfToken = "csrf-token-for-tests"
        case "/chsk-session":
            configuration.csrfToken =
                request.header("Cookie") == nil ? "no session, no token" : request.parameter("csrf-token")
        case "/chsk-origin": configuration.sente.allowedOrigins = ["http://good.example"]
        case "/chsk-reject":
            configuration.faults.refusing = .answer(Refusal(status: 429, body: Array("Slow down".utf8)))
        case "/chsk-auth":
            // Who may come in is its user's business, not the session's: see the tests on real sockets.
            guard request.header("Authorization") != nil || request.parameter("token") == "good" else {
                return "401 Unauthorized request"
            }
        case "/nowhere": configuration.sente.path = "/chsk"
        default: break
        }
        var session = ServerSession(configuration, seed: 1)
        switch session.admit(request, at: Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 0)) {
        case .upgrade: return "upgrade"
        case .answer(let refusal): return "\(refusal.status) \(String(decoding: refusal.body, as: UTF8.self))"
        case .disconnect: return "disconnect"
        }
    }
}
