// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    @Suite("Listener", .timeLimit(.minutes(2)))
    struct ListenerTests {
        @Test("a port that is taken, and a name in place of an address, are failures that say so")
        func wrongAddress() async throws {
            try await withLoop(.standard) { loop in
                let (_, listener) = try EchoServer.listen(on: loop)
                for host in ["127.0.0.1", "example.org"] {
                    do throws(LinkFailure) {
                        _ = try Listener(loop: loop, host: host, port: listener.port) { _ in EchoServer()
                        }
                        Issue.record("listens on \(host)")
                    } catch {
                        #expect(error.kind == .unavailable)
                        #expect(error.message.contains(host))
                    }
                }
            }
        }

        @Test("where there is no memory to watch it at first, it listens as soon as there is some")
        func lateStart() async throws {
            let poller = StoppedPoller(try PollPoller())
            poller.refusals = 1
            let serverLoop = try EventLoop(poller: poller)
            defer { serverLoop.shutDown() }
            let (_, listener) = try EchoServer.listen(on: serverLoop)
            try await withLoop(.standard) { loop in
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                await recorder.untilOpen()
                #expect(recorder.reports.elements.contains { $0.isOpened })
                recorder.onLoop { $0.abandon() }
            }
        }

        @Test(
            "an aborted connection is reset at the client, and reports nothing at the server",
            arguments: [true, false])
        func aborting(_ reset: Bool) async throws {
            try await withLoop(.standard) { loop in
                let (server, listener) = try EchoServer.listen(on: loop) { server in
                    server.received = { connection, _ in reset ? connection.abort() : connection.cut() }
                }
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                await recorder.untilOpen()
                recorder.onLoop { $0.send([Transmission(SendID(1), .text("x"))]) }
                #expect(await recorder.untilEnd().last?.failure?.kind == .lost)
                #expect(server.ends.elements.isEmpty)
            }
        }

        @Test("a close by the server reaches the client with its code and reason")
        func closing() async throws {
            try await withLoop(.standard) { loop in
                let (server, listener) = try EchoServer.listen(on: loop) { server in
                    server.received = { connection, _ in
                        #expect(!connection.close(.abnormal))
                        #expect(connection.close(CloseCode(rawValue: 4001), reason: "bye"))
                    }
                }
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                await recorder.untilOpen()
                recorder.onLoop { $0.send([Transmission(SendID(1), .text("x"))]) }
                let end = LinkEnd.closed(code: CloseCode(rawValue: 4001), reason: "bye")
                #expect(await recorder.untilEnd().last == .closed(end))
                let echo = LinkEnd.closed(code: CloseCode(rawValue: 4001), reason: "")
                #expect(await server.ends.wait { !$0.isEmpty } == [echo])
            }
        }

        @Test("who asks is told when all that was queued has been written, once and not before")
        func written() async throws {
            try await withLoop(.standard) { loop in
                let unwritten = Collector<Int>()
                let (_, listener) = try EchoServer.listen(on: loop) { server in
                    server.received = { connection, _ in
                        // More than the kernel takes at once.
                        let message = Message.binary([UInt8](repeating: 1, count: 64 << 10))
                        for _ in 0..<128 { connection.send(message) }
                        connection.tellWritten()
                    }
                    server.wrote = { unwritten.append($0.unwrittenBytes) }
                }
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                await recorder.untilOpen()
                recorder.onLoop { $0.send([Transmission(SendID(1), .text("x"))]) }
                #expect(await unwritten.wait { !$0.isEmpty } == [0])
                recorder.onLoop { $0.close(.normal, reason: "") }
                _ = await recorder.untilEnd()
                #expect(unwritten.elements == [0])
            }
        }

        @Test("a connection that says nothing is ended by the handshake's limit")
        func silentClient() async throws {
            try await withLoop(.standard) { loop in
                var limits = LinkLimits()
                limits.handshake = .milliseconds(30)
                let (server, _) = try EchoServer.listen(on: loop, limits: limits) { server in
                    server.requested = { _, _ in }
                }
                let listener = try Listener(loop: loop, limits: limits) { _ in server }
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                guard case .failed(let failure)? = await server.ends.wait(until: { !$0.isEmpty }).first else {
                    Issue.record("not failed")
                    return
                }
                #expect(failure.kind == .timedOut)
                #expect(await recorder.untilEnd().last?.failure?.kind == .lost)
            }
        }

        @Test(
            "a loop that is shut down with links on it closes them all and reports nothing",
            arguments: EventLoop.Polling.allCases)
        func shutDown(_ polling: EventLoop.Polling) async throws {
            let serverLoop = try EventLoop()
            let (server, listener) = try EchoServer.listen(on: serverLoop)
            var recorders: [LinkRecorder] = []
            let loop = try EventLoop(polling: polling)
            for _ in 0..<20 {
                let recorder = LinkRecorder.open(loop.request(listener.port), on: loop)
                await recorder.untilOpen()
                recorders.append(recorder)
            }
            loop.shutDown()
            #expect(await server.ends.wait { $0.count == 20 }.count == 20)
            for recorder in recorders { #expect(!recorder.reports.elements.contains { $0.isLast }) }
            serverLoop.shutDown()
        }

        @Test("two thousand connections at once are served")
        func manyConnections() async throws {
            let serverLoop = try EventLoop()
            let loop = try EventLoop()
            defer {
                loop.shutDown()
                serverLoop.shutDown()
            }
            let (_, listener) = try EchoServer.listen(on: serverLoop)
            var recorders: [LinkRecorder] = []
            for _ in 0..<2000 {
                recorders.append(
                    LinkRecorder.open(loop.request(listener.port, opening: .seconds(60)), on: loop))
            }
            for recorder in recorders {
                await recorder.untilOpen()
                recorder.onLoop { $0.send([Transmission(SendID(1), .text("hi"))]) }
            }
            for recorder in recorders {
                let reports = await recorder.reports.wait {
                    $0.contains { !$0.messages.isEmpty || $0.isLast }
                }
                #expect(reports.flatMap(\.messages) == [.text("hi")])
            }
        }
    }
}
