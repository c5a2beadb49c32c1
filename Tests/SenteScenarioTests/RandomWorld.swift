// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire

/// A world in which apps do whatever apps do, and whatever can go wrong does.
///
/// All of it follows from one seed.
struct RandomWorld {
    let world: TestWorld
    private let channels = ["news", "chat", "small", "echo", "kept"]
    /// What the clients want of flow; the server announces nothing.
    private let flow: FlowPolicy

    init(
        seed: UInt64, _ dialect: Dialect = .senteLiteMaps, flow: FlowPolicy = FlowPolicy(),
        isRecording: Bool = false
    ) {
        self.flow = flow
        var random = Generator(seed: ~seed)
        world = TestWorld(seed: seed, .any(dialect, using: &random), isRecording: isRecording)
    }

    var wire: WireSetup { world.wire }

    /// Lives for so long, then heals, and checks that everything is well again.
    func advance(by duration: Duration) {
        prepareServer()
        for _ in 0..<world.pick([1, 2, 2, 3]) { addClient() }
        scheduleFaults()
        world.advance(by: duration)
        heal()
    }

    // MARK: Who lives there

    private func prepareServer() {
        world.server.configuration.answeringChannels = ["echo"]
        world.server.configuration.channels = [
            .init("small", ChannelConfiguration(maximumSubscribers: 1)),
            .init("kept", ChannelConfiguration(retention: 5)),
            .init("quick", ChannelConfiguration(requestLimit: .seconds(2))),
        ]
        world.network.latency = 1...Int.random(in: 1...200, using: &world.random)
    }

    private func addClient() {
        let outbox = randomOutbox()
        let inbox = randomInbox()
        let reconnect = randomPolicy()
        let hasHeartbeat = world.chance(0.85)
        let window = world.pick([512, 4 << 10, 64 << 10])
        let answers = world.pick([1, 4, 16])
        let connectLimit = world.milliseconds(500...10_000)
        let asks = (world.chance(0.3), world.chance(0.3), world.chance(0.3))
        let endpoints = world.chance(0.2) ? ["ws://a.test/", "ws://b.test/", "ws://c.test/"] : []
        let order = world.pick(EndpointOrder.allCases)
        let client = world.addClient(sizes: SizeLimits(outgoingMessage: 4_096)) {
            $0.flow = flow
            $0.compressor = { _, _ in WireSetup.store }
            $0.reconnect = reconnect
            $0.outbox = outbox
            $0.inbox = inbox
            if !hasHeartbeat { $0.heartbeat = nil }
            $0.writeWindow = window
            $0.times.connect = connectLimit
            $0.endpoints = endpoints
            $0.endpointOrder = order
            $0.asksEndpoint = asks.0
            $0.asksToken = asks.1
            $0.asksParameters = asks.2
        }
        client.keepsResults = false
        client.behavior.concurrency = answers
        client.behavior.answers = 0...world.pick([500, 10_000])
        client.behavior.delay = world.milliseconds(0...4_000)
        client.connect()
        keepActing(client)
    }

    private func randomPolicy() -> ReconnectPolicy {
        switch Int.random(in: 0..<8, using: &world.random) {
        case 0: .fleet
        case 1: .senteLite
        case 2: .never
        case 3: .custom { _ in nil }
        case 4: .exponential(initial: .milliseconds(100), multiplier: 3, jitter: 1, maximum: .seconds(4))
        default: .default
        }
    }

    private func randomOutbox() -> OutboxPolicy {
        if world.chance(0.2) { return .off }
        return OutboxPolicy(
            maximumMessages: world.pick([3, 20, 1_000]), maximumBytes: world.pick([2 << 10, 1 << 20]),
            timeToLive: world.pick([.seconds(3), .seconds(30), nil]),
            overflow: world.pick(OutboxPolicy.Overflow.allCases))
    }

    private func randomInbox() -> InboxPolicy {
        InboxPolicy(
            maximumMessages: world.pick([2, 50, 16_384]), maximumBytes: world.pick([300, 16 << 20]),
            overflow: world.pick(InboxPolicy.Overflow.allCases))
    }

    // MARK: What apps do

    private func keepActing(_ client: WorldClient) {
        world.after(world.milliseconds(20...34_000)) { [self] world in
            guard !world.isHealing else { return }
            if !client.isSuspended { act(client) }
            keepActing(client)
        }
    }

    private func act(_ client: WorldClient) {
        let channel = world.pick(channels)
        switch Int.random(in: 0..<100, using: &world.random) {
        case 0..<6: client.connect(limit: world.pick([nil, .seconds(1), .seconds(30)]))
        case 6..<9: client.disconnect()
        case 9..<11:
            client.disconnect()
            client.connect(limit: .seconds(20))
        case 11..<13: client.reconnect()
        case 13..<24: if wire.hasChannels { subscribe(client, channel) } else { sendAwaitingReply(client) }
        case 24..<28: if wire.hasChannels { client.unsubscribe(channel) } else { send(client) }
        case 28..<37: if wire.hasRequests { respond(client) } else { sendAwaitingReply(client) }
        case 37..<52: if wire.hasChannels { publish(client, channel) } else { send(client) }
        case 52..<66: if wire.hasRequests { request(client) } else { sendAwaitingReply(client) }
        case 66..<74: send(client)
        case 74..<79: client.sendAwaitingEcho(limit: world.milliseconds(100...10_000))
        case 79..<82: if wire.hasRequests { client.listChannels() } else { sendAwaitingReply(client) }
        case 82..<84: if wire.hasRequests { client.listSubscriptions() } else { sendAwaitingReply(client) }
        case 84..<88: client.ping()
        case 88..<94: cancelSomething(client)
        case 94..<96: if wire.hasChannels { listen(client, channel) } else { listenToEvents(client) }
        default: burst(client, channel)
        }
    }

    private func subscribe(_ client: WorldClient, _ channel: String) {
        let isScoped = world.chance(0.4)
        let (call, inbox) = client.subscribe(channel, scoped: isScoped, history: isScoped ? .last(1) : .all)
        if isScoped {
            world.after(world.milliseconds(0...world.pick([100, 60_000]))) { world in
                if world.chance(0.3) { client.drain(inbox) } else { client.endScope(inbox) }
            }
        } else if world.chance(0.2) {
            world.after(world.milliseconds(0...60_000)) { _ in client.closeInbox(inbox) }
        }
        if world.chance(0.1) { world.after(world.milliseconds(0...200)) { _ in client.cancel(call) } }
    }

    func respond(_ client: WorldClient) {
        let inbox = client.respond(on: world.pick(["service", "quick"]))
        world.after(world.milliseconds(5_000...200_000)) { _ in client.endScope(inbox) }
    }

    private func listen(_ client: WorldClient, _ channel: String) {
        let inbox = client.listen(to: channel)
        world.after(world.milliseconds(1_000...60_000)) { _ in client.closeInbox(inbox) }
    }

    private func listenToEvents(_ client: WorldClient) {
        let inbox = client.listen(to: world.pick([.allEvents, .event(wire.id("mark")), .pings]))
        world.after(world.milliseconds(1_000...60_000)) { _ in client.closeInbox(inbox) }
    }

    private func publish(_ client: WorldClient, _ channel: String) {
        client.publish(
            to: world.chance(0.05) ? "nowhere" : channel, size: world.pick([0, 0, 0, 100, 700]),
            excludeSender: world.chance(0.2), limit: world.pick([nil, .milliseconds(300), .seconds(10)]))
    }

    func request(_ client: WorldClient) {
        client.request(
            on: world.pick(["service", "service", "quick", "echo", "nowhere"]),
            limit: world.pick([.milliseconds(200), .seconds(3), .seconds(10)]))
    }

    /// An event that the server answers.
    private func sendAwaitingReply(_ client: WorldClient) {
        client.sendAwaitingReply(limit: world.pick([.milliseconds(200), .seconds(3), .seconds(10)]))
    }

    private func send(_ client: WorldClient) {
        switch Int.random(in: 0..<8, using: &world.random) {
        case 0 where wire.hasChannels: client.publish(to: "news", size: 5_000)
        case 0: client.send("note", data: ["padding": .string(String(repeating: "x", count: 5_000))])
        case 1: client.sendUnencodable()
        default: client.send(world.pick(["note", "mark"]), limit: world.pick([nil, .seconds(1)]))
        }
    }

    private func cancelSomething(_ client: WorldClient) {
        let open = client.calls.keys.sorted()
        if !open.isEmpty { client.cancel(world.pick(open)) }
    }

    private func burst(_ client: WorldClient, _ channel: String) {
        for _ in 0..<Int.random(in: 3...30, using: &world.random) {
            if wire.hasChannels, world.chance(0.7) {
                client.publish(to: channel, limit: .seconds(10))
            } else if wire.hasRequests {
                client.request(on: "service", limit: .seconds(5))
            } else {
                client.sendAwaitingReply(limit: .seconds(5))
            }
        }
    }

    // MARK: The end

    private func heal() {
        world.log("healing")
        world.isHealing = true
        world.network = NetworkConditions()
        for pipe in world.pipes { pipe.clearBudgets() }
        world.server.start()
        world.server.setFaults { $0 = Faults() }
        for client in world.clients {
            client.behavior = WorldClient.Behavior()
            client.takeEverything()
            // Where nobody looks for silence nothing ends by it: the network's own notice must.
            if client.configuration.heartbeat?.limit == nil { client.pipe?.endSilence() }
        }
        world.advance(by: .seconds(100))
        for client in world.clients where client.rules.wantsLink || client.state == .failed {
            client.connect()
        }
        world.advance(by: .seconds(40))
        for client in world.clients { checkHealed(client) }
        for client in world.clients { client.disconnect() }
        world.advance(by: .seconds(20))
        for client in world.clients { checkEnded(client) }
    }

    private func checkHealed(_ client: WorldClient) {
        func violate(_ rule: Int, _ text: String) { world.violate(rule, "\(client), healed: \(text)") }
        guard client.rules.wantsLink else {
            if client.state != .closed { violate(2, "nobody wants a link, and it is \(client.state)") }
            return
        }
        guard client.state == .open else { return violate(1, "the state is \(client.state), not open") }
        let subscriptions = world.server.subscriptions(of: client)
        if subscriptions.sorted() != client.rules.wishes.inOrder.sorted() {
            violate(6, "the server knows \(subscriptions), the wishes are \(client.rules.wishes.inOrder)")
        }
        // Sente watches only the latest connection of a client: it may still hold one that fell silent.
        let connections = world.server.connections(of: client)
        let hasOne = wire.dialect == .sente || connections.count == 1
        if !hasOne || client.pipe.map({ connections.contains($0.connection) }) != true {
            violate(3, "the server knows \(connections)")
        }
        if client.view.outboxCount > 0 { violate(5, "\(client.view.outboxCount) messages wait") }
        if !client.calls.isEmpty { violate(4, "these calls are open: \(client.calls)") }
    }

    private func checkEnded(_ client: WorldClient) {
        if client.state != .closed { world.violate(2, "\(client) did not end: \(client.state)") }
        if client.view.deadline != nil { world.violate(2, "\(client) has a timer though it is closed") }
        if !client.calls.isEmpty { world.violate(4, "\(client) ended with open calls: \(client.calls)") }
    }
}
