// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTestSupport
import SenteBase
import SenteCore
import SenteLite
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

extension Loopback {
    @Suite("Many connections")
    struct ScaleTests {
        /// A tenth of them where each costs ten times as much.
        private static let clients = Machine.isSanitized ? 100 : 1_000
        private static let connections = Machine.isSanitized ? 1_000 : 10_000

        /// One of many, and what it hears.
        private struct Member: Sendable {
            let number: Int
            let client: SenteClient
            /// The messages of the channel all share, and of its own.
            let shared = Collector<ChannelMessage>()
            let own = Collector<ChannelMessage>()
            let states: Collector<ConnectionStatus>

            init(_ number: Int, portFile: String, roots: TLSConfiguration.Roots? = nil) throws {
                self.number = number
                var configuration = SenteClient.Configuration()
                configuration.endpointProvider = .portFile(portFile)
                configuration.reconnect = .exponential(
                    initial: .milliseconds(200), jitter: 1, maximum: .seconds(2), attempts: nil)
                configuration.timeouts = TimeLimits(connect: .seconds(60), request: .seconds(120))
                configuration.outbox.timeToLive = nil
                if let roots { configuration.tls.roots = roots }
                let scheme = roots == nil ? "ws" : "wss"
                client = try SenteClient("\(scheme)://127.0.0.1:1/", configuration: configuration)
                states = client.collectStatuses()
                client.onMessage(in: "all") { [shared] in shared.append($0) }
                client.onMessage(in: "own-\(number)") { [own] in own.append($0) }
            }
        }

        /// Runs `body` for all at once.
        private func each(
            _ members: [Member], _ body: @escaping @Sendable (Member) async throws -> Void
        ) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for member in members { group.addTask { try await body(member) } }
                try await group.waitForAll()
            }
        }

        private func broadcast(_ name: Value, to members: [Member]) async throws {
            let receipt = try await members[0].client.publish(["name": name], to: "all")
            #expect(receipt.deliveredTo == members.count)
            try await each(members) { member in
                _ = try await member.shared.first("the broadcast \(name)") { $0.data["name"] == name }
            }
        }

        @Test(
            "a thousand clients of one process outlive the end of their server's: all back, all subscribed, nothing queued lost"
        )
        func manyClients() async throws {
            try await withPortFile { path in
                let options = ["--port-file", path, "--max-connections", "2000", "--max-subscribers", "2000"]
                let clock = ContinuousClock()
                let before = Machine.residentSize(of: getpid())
                let (server, _) = try await SampleProcess.serve(options)
                let members = try (0..<Self.clients).map { try Member($0, portFile: path) }
                let opening = try await clock.measure {
                    try await each(members) { try await $0.client.connect(timeout: .seconds(60)) }
                }
                let size = (Machine.residentSize(of: getpid()) - before) / Self.clients
                try await each(members) { member in
                    for channel in ["all", "own-\(member.number)"] {
                        let subscription = try await member.client.subscribe(channel)
                        #expect(subscription.isConfirmed)
                    }
                }
                let telling = try await clock.measure { try await broadcast("first", to: members) }

                try await server.kill()
                try await each(members) { member in
                    _ = try await member.states.first("the loss") { $0.state == .reconnecting }
                }
                // Queued while no server runs.
                let queued = try members.map { member in
                    #expect(member.client.state != .open)
                    let event = try member.client.enqueue(
                        Event(id: "queued", data: ["n": Value(member.number)]))
                    let publish = Task {
                        try await member.client.publish(
                            ["n": Value(member.number)], to: "own-\(member.number)")
                    }
                    return (member, event, publish)
                }
                try await each(members) { member in
                    try await eventually("two messages wait") { member.client.metrics.outbox.messages == 2 }
                }
                var successor: SampleProcess?
                let returning = try await clock.measure {
                    successor = try await SampleProcess.serve(options).0
                    for (member, event, publish) in queued {
                        #expect(await event.outcome == .written)
                        #expect(try await publish.value.deliveredTo == 1)
                        let own = try await member.own.wait("its own message") { !$0.isEmpty }
                        #expect(own.map(\.data) == [["n": Value(member.number)]])
                    }
                }
                try await broadcast("second", to: members)
                for member in members {
                    #expect(member.shared.elements.map(\.data) == [["name": "first"], ["name": "second"]])
                    #expect(member.client.metrics.connection.reconnects == 1)
                    #expect(member.client.metrics.subscriptions.confirmed == 2)
                }
                print(
                    "Loopback scale: \(Self.clients) clients, open in \(opening), a broadcast heard by all in \(telling),",
                    "all back and their queues empty \(returning) after the server's start; \(size) KiB a client"
                )
                try await each(members) { await $0.client.disconnect() }
                #expect(try await successor?.quit() == 0)
            }
        }

        @Test(
            "a thousand clients over TLS are all open again within 60 s of their server's return, and own little when idle",
            .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
        func manySecureClients() async throws {
            let certificates = try Certificates.made.get()
            guard case .file(let certificate) = certificates.server.certificate,
                case .file(let key) = certificates.server.key
            else { return }
            try await withPortFile { path in
                let options = [
                    "--port-file", path, "--max-connections", "2000", "--cert", certificate, "--key", key,
                ]
                let clock = ContinuousClock()
                let (server, _) = try await SampleProcess.serve(options)
                // The first client pays for the library, the context and the code that is read in only now.
                let first = try Member(0, portFile: path, roots: .only(certificates.authority))
                try await first.client.connect(timeout: .seconds(60))
                let before = Machine.residentSize(of: getpid())
                let others = try (1..<Self.clients).map {
                    try Member($0, portFile: path, roots: .only(certificates.authority))
                }
                let members = [first] + others
                let opening = try await clock.measure {
                    try await each(members) { try await $0.client.connect(timeout: .seconds(60)) }
                }
                let size = (Machine.residentSize(of: getpid()) - before) / others.count
                try await server.kill()
                try await each(members) { member in
                    _ = try await member.states.first("the loss") { $0.state == .reconnecting }
                }
                var successor: SampleProcess?
                let returning = try await clock.measure {
                    successor = try await SampleProcess.serve(options).0
                    try await each(members) { try await $0.client.connect(timeout: .seconds(60)) }
                }
                print(
                    "Loopback scale: \(Self.clients) clients over TLS, open in \(opening),",
                    "all back \(returning) after the server's start; \(size) KiB a client")
                #expect(returning < .seconds(60))
                if !Machine.isSanitized { #expect(size <= 40) }
                for member in members { #expect(member.client.metrics.connection.reconnects == 1) }
                try await each(members) { await $0.client.disconnect() }
                #expect(try await successor?.quit() == 0)
            }
        }

        @Test(
            "ten thousand connections to a server in another process are all pinged, and all hear a broadcast",
            .enabled(
                if: Machine.descriptorLimit >= Self.connections + 500,
                "a process may have only \(Machine.descriptorLimit) descriptors"))
        func manyConnections() async throws {
            let (server, port) = try await SampleProcess.serve([
                "--max-connections", "20000", "--max-subscribers", "20000", "--heartbeat", "3",
                "--heartbeat-timeout", "120",
            ])
            let loop = try EventLoop()
            defer { loop.shutDown() }
            let clock = ContinuousClock()
            let crowd = Crowd(Self.connections, port: port, on: loop)
            let opening = try await clock.measure {
                crowd.open()
                try await crowd.all("subscribed") { $0.subscribed }
            }
            let telling = try await clock.measure {
                crowd.publish()
                try await crowd.all("told") { $0.told }
            }
            try await crowd.all("pinged") { $0.pinged }
            let size = Machine.residentSize(of: server.id) / Self.connections
            print(
                "Loopback scale: \(Self.connections) connections, subscribed in \(opening), a broadcast heard by all in",
                "\(telling); the server takes \(size) KiB a connection")
            #expect(crowd.ends.elements.isEmpty)
            #expect(try await server.quit() == 0)
            #expect(server.lines.last?["connections"] == Value(Self.connections))
        }
    }
}

/// Thousands of links with nothing above them; each subscribes when it is greeted and answers pings.
private final class Crowd: LinkObserver, @unchecked Sendable {
    /// How many links had which message at least once.
    struct Counts: Sendable {
        var subscribed = 0
        var told = 0
        var pinged = 0
    }

    let ends = Collector<LinkReport>()
    private let counts = Collector<Counts>()
    private let loop: EventLoop
    private let port: Int
    private let size: Int

    // The loop's own.
    private var links: [any TransportLink] = []
    private var current = Counts()
    private var isPinged: [Bool]

    /// How many are on their way at once, so that the server's backlog suffices.
    private static let atOnce = 256

    init(_ size: Int, port: Int, on loop: EventLoop) {
        self.size = size
        self.port = port
        self.loop = loop
        isPinged = Array(repeating: false, count: size)
    }

    func open() {
        loop.post { for _ in 0..<Self.atOnce { self.openNext() } }
    }

    func publish() {
        loop.post { self.say(#"{"type":"publish","channel-id":"all","data":{"n":1}}"#, on: 0) }
    }

    func all(_ what: String, _ count: @escaping @Sendable (Counts) -> Int) async throws {
        let size = size
        try await counts.wait("all \(size) are \(what)", within: .seconds(240)) { all in
            all.last.map { count($0) == size } ?? false
        }
    }

    private func openNext() {
        guard links.count < size else { return }
        let request = LinkRequest(
            url: "ws://127.0.0.1:\(port)/", openDeadline: loop.now.instant.advanced(by: .seconds(60)))
        links.append(SocketTransport().open(LinkID(UInt64(links.count)), request, on: loop, observer: self))
    }

    private func say(_ text: String, on number: Int) {
        links[number].send([Transmission(SendID(1), Message(.text, Array(text.utf8)))])
    }

    func link(_ id: LinkID, reported reports: [LinkReport]) {
        for report in reports {
            switch report {
            case .received(let messages): for message in messages { take(message, on: Int(id.number)) }
            case .closed, .refused: ends.append(report)
            case .opened, .progress, .wrote, .answered: break
            }
        }
    }

    private func take(_ message: Message, on number: Int) {
        let text = String(decoding: message.bytes.prefix(40), as: UTF8.self)
        if text.hasPrefix(#"{"type":"welcome""#) {
            say(#"{"type":"subscribe","channel-id":"all"}"#, on: number)
            openNext()
        } else if text.hasPrefix(#"{"type":"subscription-result""#) {
            current.subscribed += 1
        } else if text.hasPrefix(#"{"type":"channel-message""#) {
            current.told += 1
        } else if text.hasPrefix(#"{"type":"ping""#) {
            say(#"{"type":"pong"}"#, on: number)
            guard !isPinged[number] else { return }
            isPinged[number] = true
            current.pinged += 1
        } else {
            return
        }
        counts.append(current)
    }
}
