// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteLite
import SenteSocket
import SenteTelemetry

/// One way through the client whose instructions are counted.
///
/// All of it runs on the calling thread, by the calls that an app makes: suspending and resuming the app's task counts too.
enum MeasuredPath: String, CaseIterable {
    /// A message of 64 bytes through the link alone, and its echo.
    case linkEcho = "link echo"
    case publish = "publish with acknowledgement"
    /// The same with a telemetry that wants what is at least `.info`, as an app has it: nothing of each message.
    case toldPublish = "publish, telemetry at info"
    /// A request that the server forwards and somebody answers.
    case request = "request"
    /// Messages that come ten at a time, taken from a subscription.
    case inbox = "delivery to an inbox"
    case toldInbox = "delivery to an inbox, telemetry at info"
    /// The same to `onMessage`.
    case closure = "delivery to a closure"
    /// The same three with a server that agrees to all of flow, over a link that is never cut: what counting and keeping cost.
    case flowPublish = "publish with flow agreed"
    case flowRequest = "request with flow agreed"
    case flowInbox = "delivery to an inbox with flow agreed"
    /// The ten come as one.
    case batchInbox = "delivery in batches to an inbox"
    /// The same two on NATS, whose ten messages come in one frame.
    case natsPublish = "publish to NATS"
    case natsInbox = "delivery from NATS to an inbox"
    /// A wake-up with bytes that are for nobody: a pong (RFC 6455 §5.5.3).
    case idleTurn = "idle turn"

    /// What comes together in one wake-up.
    static let burst = 10

    private static let data: Value = ["number": 1, "text": "hello"]
    private static let channel = PreparedServer.channel
    private static let delivery =
        #"{"type":"channel-message","channel-id":"bench","data":{"number":1,"text":"hello"},"broadcast-time":1700000000000,"sender-conn-id":"c2"}"#

    /// The link's first subscription has the number 1.
    private static let natsDelivery = "MSG bench 1 27\r\n{\"number\":1,\"text\":\"hello\"}\r\n"

    /// Goes this way so many times; `count` is a multiple of the burst.
    func run(_ count: Int) throws {
        guard let thread = OneThread() else {
            throw CountingError("This runtime has no hook for tasks, so they cannot be counted.")
        }
        if self == .linkEcho { return try Self.echo(count, thread) }
        let server = try PreparedServer(on: thread, flow: hasFlow, nats: isNATS)
        let ending = Ending()
        Task.detached {
            do {
                let client = try await open(server, thread)
                try await go(count, client, server, thread)
                ending.isReached = true
            } catch {
                print(error)
            }
        }
        thread.run()
        guard ending.isReached else { throw CountingError("“\(rawValue)” did not come to its end.") }
    }

    private final class Ending: @unchecked Sendable {
        var isReached = false
    }

    private var hasFlow: Bool { [.flowPublish, .flowRequest, .flowInbox, .batchInbox].contains(self) }

    private var isNATS: Bool { self == .natsPublish || self == .natsInbox }

    private var hasTelemetry: Bool { self == .toldPublish || self == .toldInbox }

    private func open(_ server: PreparedServer, _ thread: OneThread) async throws -> SenteClient {
        var configuration = SenteClient.Configuration()
        configuration.proxy = .none
        configuration.compression = nil
        configuration.networkPath = .none
        if isNATS { configuration.dialect = .nats }
        if hasTelemetry {
            let telemetry = Telemetry()
            // On the calling thread, as all of it.
            telemetry.add(MemoryHandler(10), as: "memory", HandlerOptions(mode: .synchronous))
            configuration.telemetry = telemetry
        }
        let client = try SenteClient(
            "ws://host/", configuration: configuration, host: thread, transport: server, seed: 7)
        try await client.connect()
        if hasFlow { for await status in client.states where status.features != nil { break } }
        return client
    }

    private func go(
        _ count: Int, _ client: SenteClient, _ server: PreparedServer, _ thread: OneThread
    ) async throws {
        switch self {
        case .linkEcho: break
        case .publish, .toldPublish, .flowPublish:
            server.answer(with: [
                #"{"type":"publish-result","channel-id":"bench","success":true,"message-id":"m1","delivered-to":1}"#
            ])
            for _ in 0..<count { try await client.publish(Self.data, to: Self.channel) }
        case .request, .flowRequest:
            server.answer(with: [
                #"{"type":"rpc-request-result","request-id":"r1","channel-id":"bench","delivery":{"success":true,"message-id":"m1","delivered-to":1}}"#,
                #"{"type":"rpc-response","request-id":"r1","data":{"number":1,"text":"hello"},"error?":false,"error":false}"#,
            ])
            for _ in 0..<count { _ = try await client.request(Self.data, on: Self.channel) }
        case .inbox, .toldInbox, .flowInbox, .batchInbox:
            server.answer(with: [
                #"{"type":"subscription-result","channel-id":"bench","success":true,"retained-messages":[]}"#
            ])
            let messages = self == .batchInbox ? [Self.batch] : Self.deliveries
            try await Self.consume(count, messages, client, server, thread)
        case .natsPublish:
            for _ in 0..<count { try await client.publish(Self.data, to: Self.channel) }
        case .natsInbox:
            let together = Array(repeating: Self.natsDelivery, count: Self.burst).joined()
            try await Self.consume(count, [together], client, server, thread)
        case .closure:
            let received = Counter()
            client.onMessage(in: Self.channel) { _ in received.count += 1 }
            thread.run()
            let bytes = server.bytes(of: Self.deliveries)
            for _ in 0..<count / Self.burst {
                server.arrive(bytes)
                thread.run()
            }
            guard received.count == count else { throw CountingError("\(received.count) messages came.") }
        case .idleTurn:
            for _ in 0..<count {
                server.arrive([0x8A, 0x00])
                thread.run()
            }
        }
    }

    private final class Counter: @unchecked Sendable {
        var count = 0
    }

    private static var deliveries: [String] { Array(repeating: delivery, count: burst) }

    private static var batch: String {
        #"{"type":"flow-batch","messages":[\#(deliveries.joined(separator: ","))]}"#
    }

    /// Takes a burst at a time, which comes as these messages.
    private static func consume(
        _ count: Int, _ burstMessages: [String], _ client: SenteClient, _ server: PreparedServer,
        _ thread: OneThread
    ) async throws {
        var messages = try await client.subscribe(channel).makeAsyncIterator()
        let bytes = server.bytes(of: burstMessages)
        for _ in 0..<count / burst {
            server.arrive(bytes)
            for _ in 0..<burst {
                guard await messages.next() != nil else { throw CountingError("The subscription ended.") }
            }
            thread.run()
        }
    }

    private static func echo(_ count: Int, _ thread: OneThread) throws {
        var pair = try LinkPair(entropy: thread.entropy)
        var masks = MaskKeys(thread.entropy)
        let message = Message.text(String(repeating: "x", count: 64))
        let answer = pair.fromServer(message)
        var reports: [LinkReport] = []
        for number in 0..<count {
            _ = pair.client.send(message, id: SendID(UInt64(number)), at: LinkPair.start, masks: &masks)
            pair.client.withOutput(into: &reports) { $0.count }
            answer.withUnsafeBytes {
                pair.client.receive($0, at: LinkPair.start, masks: &masks, into: &reports)
            }
            guard reports.count == 2 else { throw CountingError("The echo is missing.") }
            reports.removeAll(keepingCapacity: true)
        }
    }
}
