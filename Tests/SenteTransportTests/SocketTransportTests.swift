// SPDX-License-Identifier: Apache-2.0

import Dispatch
import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    @Suite("SocketTransport", .timeLimit(.minutes(2)))
    struct SocketTransportTests {
        @Test(
            "messages go there and back, writes are reported, and both sides agree on the close",
            arguments: EventLoop.Polling.allCases)
        func echo(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                var limits = LinkLimits()
                limits.message = MessageLimits(both: 8 << 20)
                let (server, listener) = try EchoServer.listen(on: loop, limits: limits)
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                await recorder.untilOpen()
                let big = Message.binary([UInt8](repeating: 7, count: 3_000_000))
                recorder.onLoop {
                    $0.send([
                        Transmission(SendID(1), .text("hi")), Transmission(SendID(2), big),
                        Transmission(SendID(3), .text("bye")),
                    ])
                }
                let reports = await recorder.reports.wait {
                    $0.flatMap(\.messages).count == 3 && $0.flatMap(\.writes).count == 3
                }
                #expect(reports.flatMap(\.messages) == [.text("hi"), big, .text("bye")])
                #expect(reports.flatMap(\.writes) == [SendID(1), SendID(2), SendID(3)])
                #expect(reports.contains(.progress))
                recorder.onLoop { $0.close(.goingAway, reason: "done") }
                let end = LinkEnd.closed(code: .goingAway, reason: "")
                #expect(await recorder.untilEnd().last == .closed(end))
                #expect(await server.ends.wait { !$0.isEmpty } == [.closed(code: .goingAway, reason: "done")])
                listener.stop()
                await waitUntilIdle(loop)
            }
        }

        @Test("progress is reported while a large message is only partly here, once a batch")
        func progress() async throws {
            try await withLoop(.standard) { loop in
                let (opened, halfSeen) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
                let server = try RawServer { connection in
                    connection.write(connection.readHandshake())
                    let whole = frame(2, [UInt8](repeating: 1, count: 40_000))
                    opened.wait()
                    connection.write(Array(whole[..<20_000]))
                    halfSeen.wait()
                    connection.write(Array(whole[20_000...]))
                    connection.drain()
                }
                let recorder = LinkRecorder.open(loop.request(UInt16(server.port)), on: loop)
                await recorder.untilOpen()
                opened.signal()
                _ = await recorder.batches.wait { $0.contains([.progress]) }
                halfSeen.signal()
                let reports = await recorder.reports.wait { !$0.flatMap(\.messages).isEmpty }
                #expect(reports.flatMap(\.messages).map(\.bytes.count) == [40_000])
                for batch in recorder.batches.elements { #expect(batch.count { $0 == .progress } <= 1) }
                recorder.onLoop { $0.abandon() }
            }
        }

        #if os(Linux)
        @Test("a link tells how much of what it sent was lost: nothing, on the way to itself")
        func loss() async throws {
            try await withLoop(.standard) { loop in
                let (_, listener) = try EchoServer.listen(on: loop)
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                let losses = Collector<Double?>()
                await recorder.untilOpen()
                recorder.onLoop { losses.append($0.loss) }
                #expect(await losses.wait { !$0.isEmpty } == [0])
                recorder.onLoop { $0.abandon() }
                listener.stop()
                await waitUntilIdle(loop)
            }
        }
        #endif

        /// A name with two addresses: one where something else stands, and one that echoes.
        private func withTwo(
            _ requested: @escaping (ServerConnection) -> Void,
            _ body: (_ open: (_ host: String, _ opening: Duration) -> LinkRecorder) async throws -> Void
        ) async throws {
            try await withLoop(.standard) { loop in
                let (_, good) = try EchoServer.listen(on: loop)
                let bad = EchoServer()
                bad.requested = { connection, _ in requested(connection) }
                let listener = try Listener(loop: loop, host: "::1", port: good.port) { _ in bad }
                // One thread, so that the address of the wrong one is found first.
                let lookup = NameLookup(threads: 1) { _, port, family in
                    let text = family == .v6 ? "::1" : "127.0.0.1"
                    return .success([text].compactMap { Dialer.Address(literal: $0, port: port) })
                }
                let transport = SocketTransport(lookup: lookup)
                try await body { host, opening in
                    LinkRecorder.open(
                        loop.request(good.port, host: host, opening: opening), on: loop, transport: transport)
                }
                listener.stop()
                good.stop()
            }
        }

        /// Whether a link opens before something else happens.
        private func isOpen(
            _ link: LinkRecorder, before other: @escaping @Sendable () async -> Void
        ) async -> Bool {
            await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    await link.untilOpen()
                    return true
                }
                group.addTask {
                    await other()
                    return false
                }
                defer { group.cancelAll() }
                return await group.next() ?? false
            }
        }

        /// Where a link that is now abandoned was opened; nil where it was not.
        private func address(_ recorder: LinkRecorder) async -> String? {
            await recorder.untilOpen()
            recorder.onLoop { $0.abandon() }
            for case .opened(let opening) in recorder.reports.elements { return opening.remoteAddress }
            return nil
        }

        @Test(
            "an address that accepts and never answers stands behind the name's others at the next attempt",
            arguments: ["localhost", "two.example"], [false, true])
        func silentAddress(host: String, isAbandoned: Bool) async throws {
            try await withTwo({ _ in }) { open in
                let first = open(host, .milliseconds(300))
                if isAbandoned {
                    // As a session does, whose limit for the attempt is the same.
                    let end = first.loop.now.instant.advanced(by: .milliseconds(301))
                    let timer = Box<(any HostTimer)?>(nil)
                    let gone = Collector<Void>()
                    first.loop.post {
                        timer.value = first.loop.makeTimer {
                            first.onLoop { $0.abandon() }
                            first.loop.post { gone.append(()) }
                        }
                        timer.value?.arm(at: end)
                    }
                    _ = await gone.wait { !$0.isEmpty }
                    await first.loop.run { timer.value = nil }
                } else {
                    #expect(await first.untilEnd().last?.failure?.kind == .timedOut)
                }
                for _ in 0..<2 {
                    #expect(await address(open(host, .seconds(20)))?.hasPrefix("127.0.0.1:") == true)
                }
            }
        }

        @Test("so does an address where another server stands", arguments: ["localhost", "two.example"])
        func otherServer(host: String) async throws {
            try await withTwo({ $0.respond(status: 404) }) { open in
                guard case .refused? = await open(host, .seconds(20)).untilEnd().last else {
                    Issue.record("It was not refused.")
                    return
                }
                #expect(await address(open(host, .seconds(20)))?.hasPrefix("127.0.0.1:") == true)
            }
        }

        @Test("a link that its owner gives up before its limit says nothing of the address")
        func givenUp() async throws {
            // On a busy machine a link may have waited so long that its address is rightly passed over: then once more, by a
            // transport that knows nothing yet.
            for _ in 0..<10 where try await givesUpThrice() { return }
            Issue.record("The address of links that were given up was passed over.")
        }

        /// False where a link was opened at the other address.
        private func givesUpThrice() async throws -> Bool {
            let asked = Collector<Void>()
            var isPassedOver = false
            try await withTwo({ _ in asked.append(()) }) { open in
                for count in 1...3 where !isPassedOver {
                    let link = open("localhost", .seconds(20))
                    isPassedOver = await isOpen(link, before: { _ = await asked.wait { $0.count >= count } })
                    link.onLoop { if count == 1 { $0.close(.normal, reason: "") } else { $0.abandon() } }
                }
            }
            return !isPassedOver
        }

        @Test("several sends of one turn arrive together", arguments: EventLoop.Polling.allCases)
        func coalescing(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let batches = Collector<Int>()
                let (_, listener) = try EchoServer.listen(on: loop) { server in
                    server.received = { _, messages in batches.append(messages.count) }
                }
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                await recorder.untilOpen()
                recorder.onLoop { link in
                    for number in 0..<100 {
                        link.send([Transmission(SendID(UInt64(number)), .text("m\(number)"))])
                    }
                }
                #expect(await batches.wait { $0.reduce(0, +) == 100 } == [100])
                let wrote = await recorder.batches.wait { !$0.joined().flatMap(\.writes).isEmpty }
                #expect(wrote.map { $0.flatMap(\.writes).count }.filter { $0 > 0 } == [100])
                recorder.onLoop { $0.abandon() }
            }
        }

        @Test("while reading is paused nothing is reported, and everything afterwards")
        func pausing() async throws {
            try await withLoop(.standard) { loop in
                let (server, listener) = try EchoServer.listen(on: loop)
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                await recorder.untilOpen()
                let connection = try #require(await server.connections.wait { !$0.isEmpty }.first)
                recorder.onLoop { link in
                    link.pauseReading()
                    for number in 0..<50 { connection.send(.text("\(number)")) }
                }
                for _ in 0..<20 { await loop.run {} }
                #expect(recorder.reports.elements.flatMap(\.messages).isEmpty)
                recorder.onLoop { $0.resumeReading() }
                let reports = await recorder.reports.wait { $0.flatMap(\.messages).count == 50 }
                #expect(reports.flatMap(\.messages).map(\.string) == (0..<50).map(String.init))
                recorder.onLoop { $0.abandon() }
            }
        }

        @Test("a peer that stops reading holds back the writes, and gets all of them in order later")
        func backPressure() async throws {
            try await withLoop(.standard) { loop in
                let received = Collector<Int>()
                let (server, listener) = try EchoServer.listen(on: loop) { server in
                    server.opened = { $0.setReadingPaused(true) }
                    server.received = { _, messages in
                        received.append(contentsOf: messages.map { Int($0.bytes[0]) })
                    }
                }
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                await recorder.untilOpen()
                let connection = try #require(await server.connections.wait { !$0.isEmpty }.first)
                recorder.onLoop { link in
                    for number in 0..<64 {
                        let message = Message.binary([UInt8](repeating: UInt8(number), count: 1_000_000))
                        link.send([Transmission(SendID(UInt64(number)), message)])
                    }
                }
                for _ in 0..<50 { await loop.run {} }
                let early = recorder.reports.elements.flatMap(\.writes).count
                #expect(early < 64)
                loop.post { connection.setReadingPaused(false) }
                let reports = await recorder.reports.wait { $0.flatMap(\.writes).count == 64 }
                #expect(reports.flatMap(\.writes).map(\.number) == Array(0..<64))
                #expect(await received.wait { $0.count == 64 } == Array(0..<64))
                recorder.onLoop { $0.abandon() }
            }
        }

        @Test(
            "of what a peer does not read, the system holds little, so that what is urgent need not wait behind it"
        )
        func shortQueue() async throws {
            try await withLoop(.standard) { loop in
                let (server, listener) = try EchoServer.listen(on: loop) { server in
                    server.opened = { $0.setReadingPaused(true) }
                }
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                await recorder.untilOpen()
                _ = await server.connections.wait { !$0.isEmpty }
                recorder.onLoop { link in
                    for number in 0..<1_000 {
                        let message = Message.binary([UInt8](repeating: 1, count: 10_000))
                        link.send([Transmission(SendID(UInt64(number)), message)])
                    }
                }
                for _ in 0..<200 { await loop.run {} }
                #expect(recorder.reports.elements.flatMap(\.writes).count < 60)
                recorder.onLoop { $0.abandon() }
            }
        }

        @Test("a port nobody listens on is reported as unreachable", arguments: EventLoop.Polling.allCases)
        func refusedPort(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let recorder = LinkRecorder.open(loop.request(try freePort(loop)), on: loop)
                let failure = await recorder.untilEnd().last?.failure
                #expect(failure?.kind == .unreachable)
                #expect(failure?.message.contains("127.0.0.1") == true)
                await waitUntilIdle(loop)
            }
        }

        @Test("a name of which one address is dead is reached by the other")
        func deadAddress() async throws {
            try await withLoop(.standard) { loop in
                // localhost is ::1 and 127.0.0.1; only one of them is listened on.
                let (_, listener) = try EchoServer.listen(on: loop)
                let recorder = LinkRecorder.open(loop.request(listener.port, host: "localhost"), on: loop)
                await recorder.untilOpen()
                guard case .opened(let opening)? = recorder.reports.elements.first(where: \.isOpened) else {
                    Issue.record("not opened: \(recorder.reports.elements)")
                    return
                }
                #expect(opening.remoteAddress == "127.0.0.1:\(listener.port)")
                recorder.onLoop { $0.abandon() }
            }
        }

        @Test("a name that does not exist is reported as such")
        func unknownName() async throws {
            try await withLoop(.standard) { loop in
                let recorder = LinkRecorder.open(loop.request(80, host: "name.invalid"), on: loop)
                #expect(await recorder.untilEnd().last?.failure?.kind == .nameNotFound)
            }
        }

        @Test(
            "what can never be opened is reported, and named beforehand",
            arguments: ["http://x", "ws://", "ws://h/#f", ""])
        func wrongURL(_ url: String) async throws {
            try await withLoop(.standard) { loop in
                let request = LinkRequest(url: url, openDeadline: .distantFuture)
                let recorder = LinkRecorder.open(request, on: loop)
                #expect(await recorder.untilEnd().last?.failure?.kind == .unavailable)
                #expect(request.problem != nil)
            }
        }

        @Test(
            "a server that takes the connection and says nothing hits the deadline",
            arguments: EventLoop.Polling.allCases)
        func slowHandshake(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let server = try RawServer { $0.drain() }
                let start = loop.now.instant
                let recorder = LinkRecorder.open(
                    loop.request(UInt16(server.port), opening: .milliseconds(100)), on: loop)
                #expect(await recorder.untilEnd().last?.failure?.kind == .timedOut)
                #expect(start.duration(to: loop.now.instant) >= .milliseconds(100))
                await waitUntilIdle(loop)
            }
        }

        @Test(
            "an end of TCP at any offset of the handshake and a frame ends the link once",
            arguments: [false, true])
        func cutAnywhere(_ reset: Bool) async throws {
            try await withLoop(.standard) { loop in
                let cuts = Cuts(reset: reset)
                let server = try RawServer { cuts.serve($0) }
                for _ in 0...cuts.total {
                    let recorder = LinkRecorder.open(loop.request(UInt16(server.port)), on: loop)
                    let reports = await recorder.untilEnd()
                    #expect(reports.filter(\.isLast).count == 1)
                    let kind = reports.last?.failure?.kind
                    #expect(kind == .lost, "\(reports)")
                }
                await waitUntilIdle(loop)
            }
        }

        @Test("frames in the same bytes as the 101, and cut anywhere after it, are not lost")
        func leftover() async throws {
            try await withLoop(.standard) { loop in
                let server = try RawServer { connection in
                    let frames = frame(1, Array("one".utf8)) + frame(1, Array("two".utf8))
                    connection.write(connection.readHandshake() + frames[..<7])
                    connection.write(Array(frames[7...]) + frame(8, [3, 232]))
                    connection.drain()
                }
                var request = loop.request(UInt16(server.port))
                request.closeLimit = .milliseconds(50)
                let recorder = LinkRecorder.open(request, on: loop)
                let reports = await recorder.untilEnd()
                #expect(reports.flatMap(\.messages).map(\.string) == ["one", "two"])
                #expect(reports.last == .closed(.closed(code: .normal, reason: "")))
                await waitUntilIdle(loop)
            }
        }

        @Test("a plain HTTP answer is a refusal with its body")
        func refusal() async throws {
            try await withLoop(.standard) { loop in
                let (_, listener) = try EchoServer.listen(on: loop) { server in
                    server.requested = { connection, _ in
                        connection.respond(
                            status: 403, headers: [Refusal.Header("X-Why", "no")], body: Array("go away".utf8)
                        )
                    }
                }
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                guard case .refused(let refusal)? = await recorder.untilEnd().last else {
                    Issue.record("not refused")
                    return
                }
                #expect(refusal.status == 403)
                #expect(refusal.header("x-why") == "no")
                #expect(refusal.body == Array("go away".utf8))
                listener.stop()
                await waitUntilIdle(loop)
            }
        }

        @Test("a server that leaves TCP open after the close is left within the limit")
        func serverLeavesOpen() async throws {
            try await withLoop(.standard) { loop in
                let (server, listener) = try EchoServer.listen(on: loop) { server in
                    server.opened = { $0.leaveOpenAfterClose() }
                }
                var request = loop.request(listener.port)
                request.closeLimit = .milliseconds(500)
                let recorder = LinkRecorder.open(request, on: loop)
                await recorder.untilOpen()
                recorder.onLoop { $0.close(.normal, reason: "") }
                #expect(await recorder.untilEnd().last == .closed(.closed(code: .normal, reason: "")))
                // Left are the listener's descriptor and the server's end.
                while await loop.run({ loop.descriptorCount }) > 2 { await Task.yield() }
                let connection = server.connections.elements[0]
                loop.post { connection.cut() }
                listener.stop()
                await waitUntilIdle(loop)
            }
        }

        @Test("an abandoned link reports nothing more, at whatever stage", arguments: 0..<4)
        func abandoning(_ stage: Int) async throws {
            try await withLoop(.standard) { loop in
                let (_, listener) = try EchoServer.listen(on: loop)
                let host = stage == 0 ? "name.invalid" : "127.0.0.1"
                let recorder = LinkRecorder.open(loop.request(listener.port, host: host), on: loop)
                if stage >= 2 { await recorder.untilOpen() }
                await loop.run {}
                let count = Box(0)
                recorder.onLoop { link in
                    if stage == 3 { link.send([Transmission(SendID(1), .text("x"))]) }
                    count.value = recorder.reports.elements.count
                    link.abandon()
                    link.close(.normal, reason: "")
                    link.send([Transmission(SendID(2), .text("x"))])
                }
                listener.stop()
                await waitUntilIdle(loop)
                #expect(recorder.reports.elements.count == count.value)
            }
        }

        @Test("closing before the link is open ends it once", arguments: ["127.0.0.1", "name.invalid"])
        func closingEarly(_ host: String) async throws {
            try await withLoop(.standard) { loop in
                let server = try RawServer { $0.drain() }
                let recorder = LinkRecorder.open(loop.request(UInt16(server.port), host: host), on: loop)
                recorder.onLoop { $0.close(.normal, reason: "") }
                #expect(await recorder.untilEnd().last?.failure?.kind == .lost)
                await waitUntilIdle(loop)
            }
        }

        @Test(
            "a thousand links opened and closed leave no descriptor, timer or registration",
            arguments: EventLoop.Polling.allCases)
        func manyLinks(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let (server, listener) = try EchoServer.listen(on: loop)
                let port = listener.port
                await withTaskGroup(of: Void.self) { group in
                    for index in 0..<1000 {
                        group.addTask {
                            let recorder = LinkRecorder.open(loop.request(port), on: loop)
                            await recorder.untilOpen()
                            recorder.onLoop {
                                index.isMultiple(of: 3) ? $0.abandon() : $0.close(.normal, reason: "")
                            }
                            if !index.isMultiple(of: 3) { _ = await recorder.untilEnd() }
                        }
                        if index >= 200 { await group.next() }
                    }
                }
                listener.stop()
                await waitUntilIdle(loop)
                _ = await server.ends.wait { $0.count == 1000 }
            }
        }

        /// Waits until the loop holds nothing any more: no descriptor, no armed deadline.
        private func waitUntilIdle(_ loop: EventLoop) async {
            while await loop.run({ loop.descriptorCount + loop.timerCount }) > 0 { await Task.yield() }
        }

        /// A port that was free a moment ago.
        private func freePort(_ loop: EventLoop) throws -> UInt16 {
            let listener = try Listener(loop: loop) { _ in EchoServer() }
            listener.stop()
            return listener.port
        }
    }
}

/// Answers each connection with one byte more than the one before, then ends it.
private final class Cuts: @unchecked Sendable {
    private let reset: Bool
    private let tail = frame(1, Array("hello".utf8))
    private var cut = 0
    /// The length of the 101 and of all but the last byte of a frame behind it.
    let total = 129 + 6

    init(reset: Bool) {
        self.reset = reset
    }

    func serve(_ connection: RawConnection) {
        let bytes = connection.readHandshake() + tail
        precondition(bytes.count == total + 1, "\(bytes.count)")
        connection.write(Array(bytes[..<cut]))
        cut += 1
        if reset { connection.reset() }
    }
}
