// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteWire
import Testing

/// What a server does on one connection, and what is to come of it.
struct Misbehaviour: Sendable, CustomTestStringConvertible {
    let name: String
    /// The error the status names, and the close code in it.
    let code: SenteError.Code
    var closeCode: CloseCode?
    /// The code of the client's close frame; nil when it sends none.
    var told: UInt16?
    var lastClose: CloseCode?
    var httpStatus: Int?
    /// Whether a first attempt that meets it is the last.
    var isFinal = false
    let act: @Sendable (RawConnection) -> Void

    var testDescription: String { name }

    /// Before the greeting.
    static let openings: [Misbehaviour] = [
        Misbehaviour(name: "no HTTP at all", code: .protocolMismatch, isFinal: true) {
            $0.readHead()
            $0.write("SSH-2.0-OpenSSH_9.2\r\n\r\n")
        },
        Misbehaviour(name: "noise", code: .protocolMismatch, isFinal: true) {
            $0.readHead()
            $0.write((0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) })
        },
        Misbehaviour(name: "a page", code: .protocolMismatch, httpStatus: 200, isFinal: true) {
            $0.readHead()
            $0.write("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\n<html>hello!")
        },
        Misbehaviour(name: "not found", code: .refused, httpStatus: 404, isFinal: true) {
            $0.readHead()
            $0.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        },
        Misbehaviour(name: "elsewhere", code: .refused, httpStatus: 302, isFinal: true) {
            $0.readHead()
            $0.write("HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        },
        Misbehaviour(name: "busy", code: .serverUnavailable, httpStatus: 503) {
            $0.readHead()
            $0.write("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n")
        },
        Misbehaviour(name: "an endless head", code: .protocolMismatch, isFinal: true) {
            $0.readHead()
            $0.write("HTTP/1.1 101 Switching Protocols\r\n")
            for number in 0..<2_000 { $0.write("X-\(number): \(String(repeating: "x", count: 64))\r\n") }
        },
        Misbehaviour(name: "a wrong accept key", code: .protocolMismatch, isFinal: true) {
            $0.upgrade(key: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        },
        Misbehaviour(
            name: "an answer with a mistake in its head", code: .protocolViolation, lastClose: .abnormal
        ) {
            $0.readHead()
            $0.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nno colon\r\n\r\n")
        },
        Misbehaviour(name: "an end instead of an answer", code: .connectionLost, lastClose: .abnormal) {
            $0.readHead()
            $0.endWriting()
        },
        Misbehaviour(name: "an end in the middle of the answer", code: .connectionLost, lastClose: .abnormal)
        {
            $0.readHead()
            $0.write("HTTP/1.1 101 Switching Prot")
            $0.endWriting()
        },
        Misbehaviour(name: "an end before the greeting", code: .connectionLost, lastClose: .abnormal) {
            $0.upgrade()
            $0.endWriting()
        },
        Misbehaviour(
            name: "a close frame instead of the greeting", code: .connectionLost, closeCode: .tryAgainLater,
            told: 1013, lastClose: .tryAgainLater
        ) {
            $0.upgrade()
            $0.frame(8, [0x03, 0xF5] + Array("full".utf8))
        },
        Misbehaviour(name: "no greeting", code: .timedOut) { $0.upgrade() },
        Misbehaviour(name: "no answer to the request", code: .timedOut) { $0.readHead() },
        Misbehaviour(name: "an unknown dialect", code: .protocolMismatch, told: 1003, isFinal: true) {
            $0.upgrade()
            $0.text("hello there")
        },
        Misbehaviour(name: "vectors in plain JSON", code: .protocolMismatch, told: 1003, isFinal: true) {
            $0.upgrade()
            $0.text(#"["chsk/handshake",["u","t",{},true]]"#)
        },
        Misbehaviour(name: "a binary greeting", code: .protocolMismatch, told: 1003, isFinal: true) {
            $0.upgrade()
            $0.frame(2, [0, 1, 2, 3])
        },
        Misbehaviour(
            name: "a masked greeting", code: .protocolViolation, closeCode: .protocolError, told: 1002,
            lastClose: .protocolError
        ) {
            $0.upgrade()
            $0.write([0x81, 0x82, 1, 2, 3, 4, 0x7A, 0x7F])
        },
    ]

    /// After the greeting.
    static let frames: [Misbehaviour] = [
        violation("a reserved opcode", .protocolError) { $0.frame(3, [1]) },
        violation("a reserved bit", .protocolError) { $0.write([0xC1, 0x01, 0x20]) },
        violation("a masked frame", .protocolError) { $0.write([0x81, 0x81, 1, 2, 3, 4, 0x21]) },
        violation("a fragmented ping", .protocolError) { $0.write([0x09, 0x00]) },
        violation("a long ping", .protocolError) { $0.frame(9, [UInt8](repeating: 0, count: 126)) },
        violation("a continuation of nothing", .protocolError) { $0.frame(0, [1]) },
        violation("a message inside another", .protocolError) {
            $0.write([0x01, 0x01, 0x20])
            $0.text("{}")
        },
        violation("a length with its top bit set", .protocolError) {
            $0.write([0x82, 0x7F] + [UInt8](repeating: 0xFF, count: 8))
        },
        violation("text that is no UTF-8", .invalidData) { $0.frame(1, [0x22, 0xC3, 0x28, 0x22]) },
        violation("a surrogate in UTF-8", .invalidData) { $0.frame(1, [0xED, 0xA0, 0x80]) },
        violation("a message beyond the limit", .messageTooBig) {
            $0.frame(1, [UInt8](repeating: 0x20, count: 5_000))
        },
        violation("a length of 2⁶², of which nothing comes", .messageTooBig) {
            $0.write([0x82, 0x7F, 0x40, 0, 0, 0, 0, 0, 0, 0])
        },
        violation("fragments that grow beyond the limit", .messageTooBig) {
            $0.write([0x01, 0x00])
            for _ in 0..<100 { $0.write([0x00, 0x64] + [UInt8](repeating: 0x20, count: 100)) }
        },
        violation("a close frame of one byte", .protocolError) { $0.frame(8, [3]) },
        violation("a close code that may not be sent", .protocolError) { $0.frame(8, [0x03, 0xED]) },
        violation("a close reason that is no UTF-8", .invalidData) { $0.frame(8, [0x03, 0xE8, 0xFF]) },
        Misbehaviour(name: "half a frame, then the end", code: .connectionLost, lastClose: .abnormal) {
            $0.write([0x81, 0x7E, 0x01])
            $0.endWriting()
        },
        Misbehaviour(name: "half a message, then the end", code: .connectionLost, lastClose: .abnormal) {
            $0.write([0x01, 0x03] + Array("{\"t".utf8))
            $0.endWriting()
        },
        Misbehaviour(name: "the end", code: .connectionLost, lastClose: .abnormal) { $0.endWriting() },
        Misbehaviour(
            name: "a close frame with 1006, which means that the connection is lost", code: .connectionLost,
            told: 1002, lastClose: .abnormal
        ) { $0.frame(8, [0x03, 0xEE]) },
        Misbehaviour(
            name: "a close frame without a code", code: .connectionLost, closeCode: .noStatus,
            lastClose: .noStatus
        ) { $0.frame(8, []) },
        Misbehaviour(
            name: "a close frame with 4999", code: .connectionLost, closeCode: CloseCode(rawValue: 4999),
            told: 4999, lastClose: CloseCode(rawValue: 4999)
        ) { $0.frame(8, [0x13, 0x87]) },
    ]

    private static func violation(
        _ name: String, _ code: CloseCode, _ act: @escaping @Sendable (RawConnection) -> Void
    ) -> Misbehaviour {
        Misbehaviour(
            name: name, code: .protocolViolation, closeCode: code, told: code.rawValue, lastClose: code,
            act: act)
    }
}

extension Loopback {
    @Suite("What a server does wrong")
    struct BadInputTests {
        /// A client that meets `act` on connection `number`, and a good server on every other.
        private func meet(
            _ misbehaviour: Misbehaviour, on number: Int, isGreeted: Bool,
            _ body: (SenteClient, Collector<ConnectionStatus>) async throws -> Void
        ) async throws {
            let told = Collector<UInt16?>()
            let server = try RawServer { connection, connectionNumber in
                guard connectionNumber == number else {
                    connection.upgrade()
                    connection.greet()
                    _ = connection.readToEnd()
                    return
                }
                if isGreeted {
                    connection.upgrade()
                    connection.greet()
                }
                misbehaviour.act(connection)
                told.append(connection.readToEnd())
            }
            defer { server.stop() }
            let client = try client(server.port) {
                $0.limits = SizeLimits(incomingMessage: 4_096, outgoingMessage: 4_096)
                // Only those that never answer or greet wait for it.
                $0.timeouts.connect = misbehaviour.code == .timedOut ? .milliseconds(300) : .seconds(30)
            }
            let statuses = client.collectStatuses()
            try await body(client, statuses)
            let codes = try await told.wait("the end of the bad connection") { !$0.isEmpty }
            #expect(codes == [misbehaviour.told])
            await client.disconnect()
        }

        private func check(_ status: ConnectionStatus, _ misbehaviour: Misbehaviour) {
            #expect(status.lastError?.code == misbehaviour.code, "\(String(describing: status.lastError))")
            #expect(status.lastError?.closeCode == misbehaviour.closeCode)
            #expect(status.lastError?.httpStatus == misbehaviour.httpStatus)
            #expect(status.lastClose?.code == misbehaviour.lastClose)
        }

        @Test(
            "a first connection that goes wrong ends as it should, for good or not",
            arguments: Misbehaviour.openings)
        func first(_ misbehaviour: Misbehaviour) async throws {
            try await meet(misbehaviour, on: 0, isGreeted: false) { client, statuses in
                if misbehaviour.isFinal {
                    let failure = await error { () throws(SenteError) in try await client.connect() }
                    #expect(failure?.code == misbehaviour.code)
                    #expect(client.state == .failed)
                    check(client.status, misbehaviour)
                    // Whoever asks again is served again.
                    try await client.connect()
                } else {
                    try await client.connect()
                    let retry = try await statuses.first("a retry") { $0.state == .reconnecting }
                    check(retry, misbehaviour)
                }
                #expect(client.state == .open)
            }
        }

        @Test(
            "once a server has greeted, no later attempt that goes wrong is the last one",
            arguments: Misbehaviour.openings)
        func later(_ misbehaviour: Misbehaviour) async throws {
            try await meet(misbehaviour, on: 1, isGreeted: false) { client, statuses in
                try await client.connect()
                client.reconnect()
                let states = try await statuses.wait("open again") { seen in
                    seen.count { $0.state == .open } == 2
                }
                let retry = try #require(states.last { $0.state == .reconnecting })
                check(retry, misbehaviour)
                #expect(!states.contains { $0.state == .failed })
            }
        }

        @Test(
            "a wrong frame ends the link with its close code, and the client goes on",
            arguments: Misbehaviour.frames)
        func wrongFrame(_ misbehaviour: Misbehaviour) async throws {
            try await meet(misbehaviour, on: 0, isGreeted: true) { client, statuses in
                try await client.connect()
                let states = try await statuses.wait("open again") { seen in
                    seen.count { $0.state == .open } == 2
                }
                let retry = try #require(states.first { $0.state == .reconnecting })
                check(retry, misbehaviour)
            }
        }

        @Test("what is no message of the protocol is counted, and everything behind it is heard")
        func garbageMessages() async throws {
            let garbage: [[UInt8]] = [
                [], Array("{".utf8), Array("null".utf8), Array("[1,2]".utf8), Array(#""text""#.utf8),
                Array("{\"type\":17}".utf8), Array("{} {}".utf8),
                Array("{\"type\":\"subscription-result\"}".utf8),
                Array("{\"type\":\"publish-result\",\"channel-id\":7}".utf8),
                Array("{\"type\":\"rpc-response\",\"request-id\":{}}".utf8),
                Array(String(repeating: "[", count: 4_000).utf8),
                Array("{\"type\":\"channel-message\"}".utf8),
                Array("{\"type\":\"pong\",\"original-timestamp\":1e999}".utf8),
                Array("{\"type\":\"channel-list\",\"channels\":[{}]}".utf8),
                Array("{\"type\":\"welcome\"}".utf8),
            ]
            let server = try RawServer { connection, _ in
                connection.upgrade()
                connection.greet()
                for bytes in garbage { connection.frame(1, bytes) }
                for bytes in garbage { connection.frame(2, bytes) }
                connection.text(#"{"type":"done"}"#)
                _ = connection.readToEnd()
            }
            defer { server.stop() }
            let client = try client(server.port)
            let done = Collector<Event>()
            client.on("done") { done.append($0) }
            try await client.connect()
            _ = try await done.first("what came last") { _ in true }
            #expect(client.state == .open)
            #expect(client.metrics.undecodable > 0)
            #expect(client.metrics.connection.attempts == 1)
            await client.disconnect()
        }

        @Test("a server that does nothing at all is found out by the heartbeat")
        func silence() async throws {
            let server = try RawServer { connection, number in
                connection.upgrade()
                connection.greet()
                _ = connection.readToEnd()
            }
            defer { server.stop() }
            let client = try client(server.port) {
                $0.heartbeat = Heartbeat(interval: .milliseconds(100), limit: .milliseconds(100))
            }
            let statuses = client.collectStatuses()
            try await client.connect()
            let retry = try await statuses.first("a retry") { $0.state == .reconnecting }
            #expect(retry.lastError?.code == .silent)
            #expect(retry.lastClose?.code == .abnormal)
            await client.disconnect()
        }
    }

    @Suite("What a user does wrong")
    struct WrongArgumentTests {
        @Test(
            "a URL that is none is refused at the start, with what is wrong",
            arguments: [
                ("", ""), ("127.0.0.1:3000", ""), ("http://127.0.0.1/", "http"), ("ws://", ""),
                ("ws://127.0.0.1:0/", "0"), ("ws://127.0.0.1:65536/", "65536"), ("ws://127.0.0.1:-1/", "-1"),
                ("ws://127.0.0.1:port/", "port"), ("ws://127.0.0.1/#part", "#"), ("ws://[::1/", "["),
                ("ws://user@127.0.0.1/", "user"), ("ws://127.0.0.1/ a", " "), ("ws://127.0.0.1/\r\nX: y", ""),
            ])
        func url(_ text: String, _ part: String) {
            let failure = #expect(throws: SenteError.self) { _ = try SenteClient(text) }
            #expect(failure?.code == .invalidArgument)
            #expect(failure?.message.isEmpty == false)
            #expect(failure?.message.contains(part) == true || part.isEmpty, "\(String(describing: failure))")
        }

        @Test("a channel's name or data no server takes is refused at the call, by name, and nothing is sent")
        func arguments() async throws {
            try await withServer { server, port in
                let client = try client(port)
                try await client.connect()
                let long = String(repeating: "x", count: 1_025)
                for name in ["", "a\u{0}b", "line\nbreak", long] {
                    let failures = [
                        await error { () throws(SenteError) in _ = try await client.subscribe(name) },
                        await error { () throws(SenteError) in try await client.unsubscribe(name) },
                        await error { () throws(SenteError) in try await client.publish([:], to: name) },
                        await error { () throws(SenteError) in _ = try await client.request([:], on: name) },
                        await error { () throws(SenteError) in try await client.respond(on: name) { $0 } },
                    ]
                    for failure in failures {
                        #expect(failure?.code == .invalidArgument)
                        #expect(failure?.message.contains("channel") == true)
                    }
                }
                let unfit: [Value] = [2, "text", [1, 2], true, 1.5]
                for data in unfit {
                    let failures = [
                        await error { () throws(SenteError) in try await client.publish(data, to: "c") },
                        await error { () throws(SenteError) in _ = try await client.request(data, on: "c") },
                        await error { () throws(SenteError) in
                            try await client.send(Event(id: "e", data: data))
                        },
                    ]
                    for failure in failures {
                        #expect(failure?.code == .invalidArgument)
                        #expect(failure?.message.contains("data") == true)
                        #expect(failure?.outcome == .notSent)
                    }
                }
                let big: Value = ["text": .string(String(repeating: "x", count: 2 << 20))]
                let tooLarge = await error { () throws(SenteError) in try await client.publish(big, to: "c") }
                #expect(tooLarge?.code == .messageTooLarge)
                for id: Keyword in ["", "subscribe", "ping"] {
                    let failure = await error { () throws(SenteError) in try await client.send(Event(id: id))
                    }
                    #expect(failure?.code == .invalidArgument)
                    #expect(failure?.message.contains("id") == true)
                }
                let nan = await error { () throws(SenteError) in
                    try await client.publish(["x": .double(.nan)], to: "c")
                }
                #expect(nan?.outcome == .notSent)
                #expect(await server.stats.connections.first?.messageCount == 0)
                #expect(client.state == .open)
                await client.disconnect()
            }
        }

        @Test("a configuration that makes no sense is refused at the start, by name")
        func configuration() {
            let changes: [(String, (inout SenteClient.Configuration) -> Void)] = [
                ("timeouts.connect", { $0.timeouts.connect = .zero }),
                ("timeouts.request", { $0.timeouts.request = .seconds(-1) }),
                ("timeouts.close", { $0.timeouts.close = .zero }),
                ("limits.incomingMessage", { $0.limits.incomingMessage = 0 }),
                ("limits.outgoingMessage", { $0.limits.outgoingMessage = -5 }),
                ("outbox.maximumMessages", { $0.outbox.maximumMessages = 0 }),
                ("inbox.maximumBytes", { $0.inbox.maximumBytes = 0 }),
                ("heartbeat.interval", { $0.heartbeat = Heartbeat(interval: .zero) }),
                ("compression.level", { $0.compression?.level = 10 }),
                ("compression.threshold", { $0.compression?.threshold = -1 }),
                ("compression.outgoingWindowBits", { $0.compression?.outgoingWindowBits = 8 }),
                ("compression.incomingWindowBits", { $0.compression?.incomingWindowBits = 16 }),
                ("X-Bad", { $0.headers = ["X-Bad": "a\r\nb"] }),
            ]
            for (name, change) in changes {
                var configuration = SenteClient.Configuration()
                change(&configuration)
                let failure = #expect(throws: SenteError.self) {
                    _ = try SenteClient("ws://127.0.0.1:1/", configuration: configuration)
                }
                #expect(failure?.code == .invalidArgument)
                #expect(failure?.message.contains(name) == true, "\(String(describing: failure))")
            }
        }
    }
}
