// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import SenteURLSession
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@Suite(
    "Links over Foundation's WebSocket", .enabled(if: WebSocketCurl.isHere, WebSocketCurl.reason),
    .timeLimit(.minutes(2)))
struct URLSessionLinkTests {
    // MARK: Opening

    @Test(
        "The handshake carries path, query, headers and subprotocols; open comes first, with the server's choice"
    )
    func opening() async throws {
        try await EchoServer.run({ server in
            server.requested = { connection, _ in connection.accept(subprotocol: "b") }
        }) { server, loop, request in
            var request = request
            request.headers = [.init("Authorization", "Bearer t"), .init("X-Other", "1")]
            request.subprotocols = ["a", "b"]
            let recorder = LinkRecorder.open(request, on: loop)
            await recorder.untilOpen()
            #expect(recorder.reports.elements.first == .opened(LinkOpening(subprotocol: "b")))
            let asked = try #require(server.requests.elements.first)
            #expect(asked.target == "/path?q=1")
            #expect(asked.header("authorization") == "Bearer t")
            #expect(asked.header("x-other") == "1")
            #expect(asked.subprotocols == ["a", "b"])
            recorder.onLoop { $0.abandon() }
        }
    }

    @Test("A copy of the configuration is told to Foundation")
    func configuration() async throws {
        try await EchoServer.run { server, loop, request in
            let configuration = URLSessionConfiguration.ephemeral
            configuration.httpAdditionalHeaders = ["X-Injected": "yes"]
            let transport = URLSessionTransport(configuration)
            configuration.httpAdditionalHeaders = ["X-Injected": "too late"]
            let recorder = LinkRecorder.open(request, on: loop, transport: transport)
            await recorder.untilOpen()
            #expect(server.requests.elements.first?.header("X-Injected") == "yes")
            recorder.onLoop { $0.abandon() }
        }
    }

    @Test(
        "A server's refusal is told with its status and headers", arguments: [401, 403, 404, 429, 503])
    func refusal(status: Int) async throws {
        try await EchoServer.run({ server in
            server.requested = { connection, _ in
                connection.respond(status: status, headers: [HTTPHeader("Retry-After", "7")])
            }
        }) { _, loop, request in
            let end = await LinkRecorder.open(request, on: loop).untilEnd()
            guard case .refused(let refusal)? = end.last else {
                Issue.record("\(end)")
                return
            }
            #expect(end.count == 1)
            #expect(refusal.status == status)
            #expect(refusal.header("retry-after") == "7")
        }
    }

    @Test(
        "A redirect is followed, and credentials stay with the origin they are for", arguments: [true, false])
    func redirect(toOther: Bool) async throws {
        try await EchoServer.run { other, loop, there in
            try await EchoServer.run({ server in
                server.requested = { connection, request in
                    guard request.path != "/new" else { return _ = connection.accept() }
                    let place = toOther ? there.url.replacing("ws:", with: "http:") : "/new?q=2"
                    connection.respond(status: 302, headers: [HTTPHeader("Location", place)])
                }
            }) { server, _, request in
                var request = request
                request.headers = [.init("Authorization", "Bearer t"), .init("Origin", "https://app.test")]
                let recorder = LinkRecorder.open(request, on: loop)
                await recorder.untilOpen()
                #expect(recorder.reports.elements.first?.isOpened == true)
                recorder.onLoop { $0.send([Transmission(SendID(1), .text("x"))]) }
                await recorder.reports.wait { !$0.flatMap(\.messages).isEmpty }
                let asked = try #require((toOther ? other : server).requests.elements.last)
                #expect(asked.target == (toOther ? "/path?q=1" : "/new?q=2"))
                #expect(asked.header("authorization") == (toOther ? nil : "Bearer t"))
                #expect(asked.header("origin") == "https://app.test")
                recorder.onLoop { $0.abandon() }
            }
        }
    }

    @Test("A redirect in a circle is a refusal that says so")
    func redirectLoop() async throws {
        try await EchoServer.run({ server in
            server.requested = { connection, request in
                connection.respond(status: 307, headers: [HTTPHeader("Location", request.target)])
            }
        }) { server, loop, request in
            let end = await LinkRecorder.open(request, on: loop).untilEnd()
            guard case .refused(let refusal)? = end.last else {
                Issue.record("\(end)")
                return
            }
            #expect(refusal.status == 307)
            #expect(refusal.problem?.contains("loop") == true)
            #expect(server.requests.elements.count == 1)
        }
    }

    @Test("A proxy that Foundation cannot be told of is refused, by its name")
    func proxy() async throws {
        try await EchoServer.run { _, loop, request in
            var request = request
            request.proxy = .url("socks5://user:secret@127.0.0.1:9")
            let end = await LinkRecorder.open(request, on: loop).untilEnd()
            #if canImport(FoundationNetworking)
            #expect(end.last?.failure?.kind == .proxy(.unusable))
            #expect(end.last?.failure?.message.contains("socks5://127.0.0.1:9") == true)
            #expect(end.last?.failure?.message.contains("secret") == false)
            #else
            #expect(end.last?.failure != nil)
            #endif
            request.proxy = .url("gopher://x")
            #expect(await LinkRecorder.open(request, on: loop).untilEnd().last?.failure != nil)
            for setting in [
                ProxySetting.environment, .none, .url("http://127.0.0.1:9", except: ["127.0.0.1"]),
            ] {
                request.proxy = setting
                let recorder = LinkRecorder.open(request, on: loop)
                await recorder.untilOpen()
                #expect(recorder.reports.elements.first?.isOpened == true)
                recorder.onLoop { $0.abandon() }
            }
        }
    }

    @Test("Nobody there, no such name, no answer, no such URL: each has its kind")
    func failures() async throws {
        try await EchoServer.run({ server in server.requested = { _, _ in } }) { _, loop, request in
            var silent = request
            silent.openDeadline = loop.now.instant.advanced(by: .milliseconds(300))
            let rows: [(LinkRequest, LinkFailure.Kind)] = [
                (silent, .timedOut), (request.to("ws://127.0.0.1:1/"), .unreachable),
                (request.to("ws://no-such-host.invalid/"), .nameNotFound),
                (request.to("http://127.0.0.1/"), .unavailable), (request.to("ws://a b/"), .unavailable),
            ]
            for (request, kind) in rows {
                let end = await LinkRecorder.open(request, on: loop).untilEnd()
                #expect(end.count == 1)
                #expect(end.last?.failure?.kind == kind, "\(request.url): \(end)")
            }
        }
    }

    @Test("What Foundation cannot be told of TLS is refused, by the setting's name")
    func untoldTLS() async throws {
        try await EchoServer.run { server, loop, request in
            let pem = TLSConfiguration.PEM.bytes([])
            var settings = [TLSConfiguration(identity: .init(certificates: pem, key: pem))]
            #if canImport(FoundationNetworking)
            settings += [
                TLSConfiguration(roots: .only(pem)), TLSConfiguration(verification: .dangerouslyDisabled),
            ]
            #endif
            for tls in settings {
                var request = request.to("wss://127.0.0.1:1/")
                request.tls = tls
                let end = await LinkRecorder.open(request, on: loop).untilEnd()
                #expect(end.count == 1)
                #expect(end.last?.failure?.kind == .misconfigured)
                #expect(end.last?.failure?.message.contains("`tls") == true)
            }
        }
    }

    // MARK: Messages

    @Test("Messages go and come whole and in order, each with its `wrote`, empty and large ones too")
    func echo() async throws {
        try await EchoServer.run { _, loop, request in
            let recorder = LinkRecorder.open(request, on: loop)
            await recorder.untilOpen()
            let large = [UInt8](unsafeUninitializedCapacity: 2 << 20) { buffer, count in
                for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index &* 31) }
                count = buffer.count
            }
            let messages =
                [Message.text(""), .binary([]), .text("grüß 🌍"), .binary([0, 255, 10]), .binary(large)]
                + (0..<500).map { .text("message \($0)") }
            recorder.onLoop { link in
                link.send(messages.enumerated().map { Transmission(SendID(UInt64($0.offset)), $0.element) })
            }
            await recorder.reports.wait { $0.flatMap(\.messages).count >= messages.count }
            #expect(recorder.messages == messages)
            #expect(Set(recorder.writes.map(\.number)) == Set(0..<UInt64(messages.count)))
            #expect(recorder.writes.count == messages.count)
            #expect(recorder.reports.elements.contains(.progress))
            recorder.onLoop { $0.abandon() }
        }
    }

    @Test("What the server says at once after the handshake is not lost")
    func earlyMessages() async throws {
        try await EchoServer.run({ server in
            server.opened = { connection in for number in 0..<20 { connection.send(.text("\(number)")) } }
        }) { _, loop, request in
            let recorder = LinkRecorder.open(request, on: loop)
            await recorder.reports.wait { $0.flatMap(\.messages).count >= 20 }
            #expect(recorder.messages == (0..<20).map { .text("\($0)") })
            #expect(recorder.reports.elements.first?.isOpened == true)
            recorder.onLoop { $0.abandon() }
        }
    }

    @Test("Before open, after the end and beyond the limit messages are dropped without a word")
    func dropped() async throws {
        try await EchoServer.run { server, loop, request in
            var request = request
            request.messageLimits = MessageLimits(both: 1_000)
            let recorder = LinkRecorder.open(request, on: loop)
            recorder.onLoop { $0.send([Transmission(SendID(1), .text("too early"))]) }
            await recorder.untilOpen()
            recorder.onLoop {
                $0.send([
                    Transmission(SendID(2), .binary([UInt8](repeating: 1, count: 1_001))),
                    Transmission(SendID(3), .text("x")),
                ])
            }
            await recorder.reports.wait { $0.flatMap(\.messages) == [.text("x")] }
            recorder.onLoop {
                $0.close(.normal, reason: "")
                $0.send([Transmission(SendID(4), .text("too late"))])
            }
            _ = await recorder.untilEnd()
            recorder.onLoop { $0.send([Transmission(SendID(5), .text("far too late"))]) }
            #expect(server.messages.elements == [.text("x")])
            #expect(recorder.writes == [SendID(3)])
        }
    }

    @Test("A message beyond the limit ends the link with 1009")
    func tooBig() async throws {
        try await EchoServer.run({ server in
            server.opened = { $0.send(.binary([UInt8](repeating: 1, count: 1_001))) }
        }) { server, loop, request in
            var request = request
            request.messageLimits = MessageLimits(both: 1_000)
            let end = await LinkRecorder.open(request, on: loop).untilEnd()
            #expect(end.flatMap(\.messages).isEmpty)
            #expect(end.last?.failure?.kind == .protocolViolation)
            #expect(end.last?.failure?.closeCode == .messageTooBig)
            await server.ends.wait { !$0.isEmpty }
            #expect(server.ends.elements == [.closed(code: .messageTooBig, reason: "")])
        }
    }

    @Test("While reading is paused nothing comes; then all of it does")
    func pausing() async throws {
        try await EchoServer.run { _, loop, request in
            let recorder = LinkRecorder.open(request, on: loop)
            await recorder.untilOpen()
            let sent = Collector<Void>()
            recorder.onLoop { link in
                link.pauseReading()
                link.send((0..<50).map { Transmission(SendID($0), .text("\($0)")) })
                sent.append(())
            }
            await recorder.reports.wait { $0.flatMap(\.writes).count == 50 }
            #expect(recorder.messages.isEmpty)
            recorder.onLoop { link in
                link.resumeReading()
                link.resumeReading()
                link.pauseReading()
                link.resumeReading()
            }
            await recorder.reports.wait { $0.flatMap(\.messages).count >= 50 }
            #expect(recorder.messages == (0..<50).map { .text("\($0)") })
            recorder.onLoop { $0.abandon() }
        }
    }

    // MARK: Ends

    @Test("The server's close frame is told with code and reason", arguments: [1000, 1001, 1011])
    func serverCloses(code: UInt16) async throws {
        try await EchoServer.run({ server in
            server.received = { connection, _ in
                connection.close(CloseCode(rawValue: code), reason: "bye")
            }
        }) { server, loop, request in
            let recorder = LinkRecorder.open(request, on: loop)
            await recorder.untilOpen()
            recorder.onLoop { $0.send([Transmission(SendID(1), .text("go"))]) }
            let end = await recorder.untilEnd()
            #expect(end.last == .closed(.closed(code: CloseCode(rawValue: code), reason: "bye")))
            #expect(end.count(where: \.isLast) == 1)
        }
    }

    @Test("Our close frame goes out after what was sent before, with its code and reason")
    func clientCloses() async throws {
        try await EchoServer.run { server, loop, request in
            let recorder = LinkRecorder.open(request, on: loop)
            await recorder.untilOpen()
            let messages = (0..<50).map { Transmission(SendID($0), Message.text("\($0)")) }
            recorder.onLoop {
                $0.send(messages)
                $0.close(.goingAway, reason: String(repeating: "ü", count: 100))
                $0.close(.normal, reason: "a second one")
            }
            let end = await recorder.untilEnd()
            guard case .closed? = end.last else {
                Issue.record("\(end)")
                return
            }
            #expect(server.messages.elements == messages.map(\.message))
            await server.ends.wait { !$0.isEmpty }
            let reason = String(repeating: "ü", count: 61)
            #expect(server.ends.elements == [.closed(code: .goingAway, reason: reason)])
            #expect(recorder.writes.count == 50)
        }
    }

    @Test("Codes that may not stand on the wire leave as 1000")
    func oddCodes() async throws {
        try await EchoServer.run { server, loop, request in
            let recorder = LinkRecorder.open(request, on: loop)
            await recorder.untilOpen()
            recorder.onLoop { $0.close(.abnormal, reason: "") }
            _ = await recorder.untilEnd()
            await server.ends.wait { !$0.isEmpty }
            #expect(server.ends.elements == [.closed(code: .normal, reason: "")])
        }
    }

    @Test("A connection that is cut is lost", arguments: [true, false])
    func cut(reset: Bool) async throws {
        try await EchoServer.run({ server in
            server.received = { connection, _ in reset ? connection.abort() : connection.cut() }
        }) { _, loop, request in
            let recorder = LinkRecorder.open(request, on: loop)
            await recorder.untilOpen()
            recorder.onLoop { $0.send([Transmission(SendID(1), .text("go"))]) }
            let end = await recorder.untilEnd()
            #expect(end.last?.failure?.kind == .lost)
            #expect(end.count(where: \.isLast) == 1)
        }
    }

    @Test("A peer that does not answer our close frame is waited for so long and no longer")
    func silentClose() async throws {
        try await EchoServer.run({ server in
            server.opened = { $0.setReadingPaused(true) }
        }) { _, loop, request in
            var request = request
            request.closeLimit = .milliseconds(200)
            let recorder = LinkRecorder.open(request, on: loop)
            await recorder.untilOpen()
            recorder.onLoop { $0.close(.normal, reason: "") }
            #expect(await recorder.untilEnd().last?.failure?.kind == .lost)
        }
    }

    @Test("Closed before it was open, a link reports one end; abandoned, nothing")
    func early() async throws {
        try await EchoServer.run({ server in server.requested = { _, _ in } }) { _, loop, request in
            let closed = LinkRecorder.open(request, on: loop)
            closed.onLoop { $0.close(.normal, reason: "") }
            let end = await closed.untilEnd()
            #expect(end.count == 1)
            #expect(end.last?.failure?.kind == .lost)
            let abandoned = LinkRecorder.open(request, on: loop)
            abandoned.onLoop {
                $0.abandon()
                $0.abandon()
                $0.close(.normal, reason: "")
                $0.pauseReading()
                $0.resumeReading()
            }
            let after = LinkRecorder.open(request.to("ws://127.0.0.1:1/"), on: loop)
            _ = await after.untilEnd()
            #expect(abandoned.reports.elements.isEmpty)
        }
    }

    @Test(
        "An ended link is kept by nobody, nor is its observer",
        arguments: ["closed", "cut", "abandoned", "refused"])
    func lifetime(how: String) async throws {
        try await EchoServer.run({ server in
            if how == "refused" {
                server.requested = { connection, _ in connection.respond(status: 404) }
            }
            server.received = { connection, _ in connection.cut() }
        }) { _, loop, request in
            var recorder: LinkRecorder? = LinkRecorder.open(request, on: loop)
            await recorder?.untilOpen()
            switch how {
            case "closed": recorder?.onLoop { $0.close(.normal, reason: "") }
            case "cut": recorder?.onLoop { $0.send([Transmission(SendID(1), .text("go"))]) }
            case "abandoned": recorder?.onLoop { $0.abandon() }
            default: break
            }
            if how != "abandoned" { _ = await recorder?.untilEnd() }
            let link = await recorder?.release()
            weak let observer = recorder
            recorder = nil
            while link?() != nil || observer != nil { await Task.yield() }
        }
    }

    #if os(Linux)
    @Test("Links that have ended leave no descriptor behind")
    func descriptors() async throws {
        try await EchoServer.run({ server in server.received = { connection, _ in connection.cut() } }) {
            _, loop, request in
            var counts: [Int] = []
            for _ in 0..<2 {
                for number in 0..<60 {
                    let recorder = LinkRecorder.open(request, on: loop)
                    await recorder.untilOpen()
                    switch number % 3 {
                    case 0: recorder.onLoop { $0.close(.normal, reason: "") }
                    case 1: recorder.onLoop { $0.send([Transmission(SendID(1), .text("go"))]) }
                    default: recorder.onLoop { $0.abandon() }
                    }
                    if number % 3 < 2 { _ = await recorder.untilEnd() }
                }
                counts.append(try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count)
            }
            // The other tests' own come and go meanwhile.
            #expect(counts[1] <= counts[0] + 60)
        }
    }
    #endif

    @Test("Many links at once each get their own messages")
    func many() async throws {
        try await EchoServer.run { _, loop, request in
            let recorders = (0..<20).map { _ in LinkRecorder.open(request, on: loop) }
            for (number, recorder) in recorders.enumerated() {
                await recorder.untilOpen()
                recorder.onLoop {
                    $0.send((0..<20).map { Transmission(SendID($0), .text("\(number).\($0)")) })
                }
            }
            for (number, recorder) in recorders.enumerated() {
                await recorder.reports.wait { $0.flatMap(\.messages).count >= 20 }
                #expect(recorder.messages == (0..<20).map { .text("\(number).\($0)") })
                recorder.onLoop { $0.abandon() }
            }
        }
    }
}

extension LinkRequest {
    func to(_ url: String) -> LinkRequest {
        var request = self
        request.url = url
        return request
    }
}
