// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite
import Testing

/// The page for Sente's users, counted, and one use of each name it promises.
///
/// Behind each use stands the name in the page's first column; the test holds the two together.
@Suite("The page for those who come from Sente")
struct MigrationTests {
    // MARK: What Sente has, client side

    /// Never called: to be compiled.
    static func makes() throws {
        let url = "ws://127.0.0.1:3000/chsk"  // path // :protocol // :host // :port // :url
        var configuration = SenteClient.Configuration()
        configuration.csrfToken = { "token" }  // ?csrf-token-or-fn
        configuration.parameters = ["app": "1"]  // :params
        configuration.headers = ["X-App": "1"]  // :headers
        configuration.format = .edn  // :packer
        configuration.clientID = UUID().uuidString  // :client-id
        configuration.channelSocket.wrapsReceivedEvents = true  // :wrap-recv-evs?
        configuration.channelSocket.errorPolicy = .default
        configuration.reconnect = .custom { .seconds($0.retry) }  // :backoff-ms-fn
        configuration.reconnect = .never  // :auto-reconnect?
        configuration.reconnect = .exponential(
            initial: .seconds(1),  // :reconnect-delay
            maximum: .seconds(30))  // :max-reconnect-delay
        configuration.heartbeat?.interval = .seconds(20)  // :ws-kalive-ms
        configuration.heartbeat?.limit = .seconds(5)  // :ws-ping-timeout-ms
        configuration.inbox.maximumMessages = 2_048  // :recv-buf-or-n
        configuration.outbox = .off
        configuration.outbox = OutboxPolicy()  // :send-queue
        configuration.outbox.maximumMessages = 1_000  // :max-depth
        // make-channel-socket-client! // make-channel-socket! // make-client!
        let client: ChannelSocketClient = try makeChannelSocketClient(url, configuration: configuration)
        let chsk: ChannelSocket = client.chsk  // :chsk
        let chRecv: ReceiveChannel = client.chRecv  // :ch-recv
        let sendFn: SendFunction = client.sendFn  // :send-fn
        let state: ObservableState<ChannelSocketState> = client.state  // :state
        let errors: ErrorChannel = client.errors
        print(chsk, chRecv, sendFn, state, errors)
    }

    /// Never called.
    static func connects(_ chsk: ChannelSocket) {
        chsk.connect()  // chsk-connect!
        chsk.disconnect()  // chsk-disconnect! // close!
        chsk.reconnect()  // chsk-reconnect!
        chsk.breakConnection()  // chsk-break-connection!
        print(chsk.clientID)
    }

    /// Never called.
    static func sends(_ client: ChannelSocketClient) async throws {
        let event = Event("chat/say", ["text": "hello"])
        let result: SendResult = try client.sendFn(event)  // chsk-send! // send!
        if result.isAccepted { print(await result.delivery?.outcome as Any) }  // enqueue-async!
        let reply: SendReply = try await client.sendFn(event, timeout: .seconds(5))
        if reply.isSuccess { print(reply.value as Any) }  // cb-success?
        if reply.isError { print("no answer") }  // cb-error?
        try client.sendFn(event, timeout: .seconds(5)) { reply in
            switch reply {
            case .value(let value): print(value)
            case .closed: print("closed")  // :chsk/closed
            case .timeout: print("timeout")  // :chsk/timeout
            case .error(let error): print(error)  // :chsk/error
            }
        }
        let value: Value = [.keyword("chat/say"), 1]
        print((try? Event(validating: value)) != nil)  // event?
        do throws(SenteError) { _ = try Event(validating: value) } catch { print(error) }  // validate-event
        _ = try Event(validating: value)  // assert-event
    }

    /// Never called.
    static func receives(_ client: ChannelSocketClient) async throws {
        // start-client-chsk-router! // start-chsk-router! // client-event-msg? // event-msg?
        let router: Router = startRouter(client.chRecv) { (message: EventMessage) in
            print(message.event)  // :event
            print(message.id)  // :id
            print(message.data)  // :?data
            print(message.sendFn)  // :send-fn
            print(message.state.value)  // :state of a message
            print(message.chRecv)  // :ch-recv of a message
            print(message.clientID)  // :client-id of a message
            print(message.uid as Any)  // :uid of a message
            print(message.reply as Any)  // :?reply-fn
            print(message.missed)
        }
        router.stop()  // stop! of a router
        let handlers: [Keyword: EventHandler] = [
            "chsk/state": { message in  // :chsk/state
                guard let change = message.stateChange else { return }
                print(change.new.isFirstOpen)  // :first-open?
                print(change.openChanged)  // :open-changed?
                print(change.opened, change.closed)  // :opened? // :closed?
            },
            "chsk/handshake": { _ in },  // :chsk/handshake
            "chsk/recv": { _ in },  // :chsk/recv
            "chsk/ws-ping": { _ in },  // :chsk/ws-ping
            "chsk/error": { _ in },
        ]
        startRouter(client.chRecv, handlers, default: { _ in })
        client.errors.onError { report in  // :error-handler // :on-error
            if report.code == .undecodable { print(report) }  // :chsk/bad-event
        }
        client.chRecv.on(.all) { message in print(message.event) }  // :trace-evs? // :on-message // :*
        for await message in client.chRecv { try message.chRecv.put(Event("my/event")) }
    }

    /// Never called.
    static func looks(at client: ChannelSocketClient) async {
        let state = client.state.value
        print(state.type)  // :type of the state // :type
        print(state.isOpen)  // :open?
        print(state.everOpened)  // :ever-opened?
        print(state.uid as Any)  // :uid // get-uid
        print(state.csrfToken as Any)  // :csrf-token // get-csrf-token
        print(state.handshakeData as Any)  // :handshake-data
        print(state.lastWSError?.error as Any)  // :last-ws-error
        print(state.lastWSClose?.code as Any)  // :last-ws-close
        print(state.lastClose?.reason as Any)  // :last-close
        print(state.nextReconnect as Any)  // :udt-next-reconnect
        print(state.reconnectCount, state.lastError as Any, state.value)
        client.state.onChange { old, new in
            if new.isFirstOpen { print("open") }  // :on-open
            if !new.isFirstOpen && new.isOpen && !old.isOpen { print("open again") }  // :on-reconnect
            if old.isOpen && !new.isOpen { print("closed") }  // :on-close
        }
        for await state in client.state { print(state.isOpen) }
        for report in client.errors.recent { print(report.context.operation, report.time, report.action) }
        for await report in client.errors { print(report.error, report.context.attempt) }
    }

    /// Never called.
    static func packs() throws {
        print(WireFormat.edn)  // edn packer
        print(WireFormat.transitJSON, WireFormat.transitJSONVerbose)  // transit packer
        print(WireFormat.senteMessagePack)  // msgpack packer
        print(WireFormat.gzip(over: .edn))  // gzip packer
        // IPacker2
        print(
            WireFormat(name: "mine", isBinary: false) { _, _, _ in
            } decode: { _, _ in
                .null
            })
    }

    // MARK: What sente-lite has, client side

    /// Never called.
    static func liteChannels(_ client: ChannelSocketClient) async throws {
        let below: SenteClient = client.chsk.client
        print(below.state)  // get-status
        print(below.metrics)  // get-stats
        print(below.metrics.outbox)  // queue-stats
        _ = try await below.subscribe("news")  // subscribe!
        try await below.unsubscribe("news")  // unsubscribe!
        try await below.publish(["n": 1], to: "news")  // publish!
        try below.enqueue(Event("a/b"))  // enqueue!
        try await below.send(Event("a/b"))  // enqueue-blocking!
    }

    /// Never called.
    static func liteHandlers(_ chRecv: ReceiveChannel) async throws {
        chRecv.on("chsk/handshake") { _ in }  // :on-channel-ready
        let registration = chRecv.on(where: { $0.data == 1 }) { _ in }  // on!
        // off!
        chRecv.off("a/b")
        chRecv.off(.all)
        chRecv.off(registration)
        // :once? // :timeout-ms
        try chRecv.once("a/b", timeout: .seconds(1)) { result in
            switch result {
            case .success(let message): print(message.data)
            case .failure(let error):
                print(error.code == .timedOut)  // {:error :timeout}
                print(error.code == .connectionLost || error.code == .disconnected)  // {:error :closed}
            }
        }
        print(try await chRecv.take("a/b", timeout: .seconds(1)).message)  // take!
        _ = try chRecv.take(where: { $0.data[Keyword("request-id")] == 7 })  // rpc-waiter
        print(chRecv.handlerCount)  // handler-count
    }

    /// Never called: what comes on top.
    static func steps(_ client: ChannelSocketClient) async {
        let handler = StepHandler(state: 0, outputs: .init(log: { print($0) })) { count, event in
            (
                count + 1,
                [
                    .send(Event("chat/read")), .publish([:], channel: "news"), .log("\(event.id)"),
                    .metrics(1),
                    .custom(2),
                ]
            )
        }
        startRouter(client.chRecv, handler)
        startRouter(client.chRecv, ["chat/said": handler.handler])
        await handler.replace { count, _ in (count, []) }
        print(await handler.state)
        client.errors.report(CocoaError(.fileNoSuchFile), operation: .app, event: Event("a/b"))
        _ = ErrorPolicy { error, context in
            context.operation == .handle ? .escalate : ErrorPolicy.default.action(for: error, in: context)
        }
    }

    // MARK: The page

    private struct Row {
        var name: String
        var verdict: String
    }

    /// The rows of the page's tables.
    private static func rows() throws -> [Row] {
        let page = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Sources/SenteLite/SenteLite.docc/ComingFromSente.md")
        return try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasPrefix("| ") && !$0.hasPrefix("| ---") }
            .map { line in
                let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
                return Row(name: cells[0].replacingOccurrences(of: "`", with: ""), verdict: cells[1])
            }
            .filter { $0.verdict != "here" }
    }

    @Test("at least 85 of a hundred names are the same or adapted, and every verdict is one of three")
    func counts() throws {
        let rows = try Self.rows()
        let kept = rows.filter { $0.verdict == "same" || $0.verdict == "adapted" }.count
        let absent = rows.filter { $0.verdict == "absent" }.count
        #expect(kept + absent == rows.count)
        #expect(rows.count > 100)
        #expect(kept * 100 >= rows.count * 85, "\(kept) of \(rows.count)")
    }

    @Test("each name that is kept has its use above")
    func uses() throws {
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let marks = Set(
            source.split(separator: "\n").flatMap { line in
                line.components(separatedBy: "// ").dropFirst().map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
            })
        for row in try Self.rows() where row.verdict != "absent" {
            #expect(marks.contains(row.name), "\(row.name) has no use here.")
        }
    }
}
