// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire

/// Everything that can go wrong, one case each.
enum Fault: String, CaseIterable {
    case linkBreaks, linkBreaksAtAByte, linkFallsSilent, writesStall, readsStall
    case bytesComeInPieces, latencyVaries, newLinksBreak
    case refused, unanswered, nameNotFound, untrusted
    case refusedWith503, refusedWith401, refusedWith404, disconnectedInHandshake
    case reportsComeLate, forgedReports
    case serverCrashes, serverStops, serverCloses, serverDrops, serverSaysNothing, serverNeverGreets
    case serverIsSlow, serverEndsLinks, tcpStaysOpen
    case repliesNever, repliesLate, repliesTwice, repliesOutOfOrder, errorFrames, flatDeliveries
    case pushesLate, heldPushesReversed
    case garbageBytes, garbageMessages, serverEvents
    case providersSlow, providersFail, providersNever, providersTooLate, policyStops
    case slowConsumer, noConsumer, slowService, noService, failingService
    case processSleeps, pathChanges

    /// Whether servers and apps of a dialect can do this wrong at all.
    func exists(in dialect: Dialect) -> Bool {
        switch self {
        case .errorFrames, .flatDeliveries, .slowService, .noService, .failingService:
            dialect == .senteLiteMaps
        // sente-lite's vectors have no answers with an id.
        case .repliesTwice, .repliesOutOfOrder: dialect != .senteLiteVectors
        case .pushesLate: dialect != .senteLiteMaps
        case .heldPushesReversed: dialect == .sente
        default: true
        }
    }
}

/// A world in which apps do whatever apps do, and whatever can go wrong does.
///
/// All of it follows from one seed.
struct RandomLife {
    let world: World
    private let channels = ["news", "chat", "small", "echo", "kept"]

    init(seed: UInt64, _ dialect: Dialect = .senteLiteMaps, isRecording: Bool = false) {
        var random = Generator(seed: ~seed)
        world = World(seed: seed, .any(dialect, using: &random), isRecording: isRecording)
    }

    private var tongue: Tongue { world.tongue }

    /// Lives for so long, then heals, and checks that everything is well again.
    func run(for duration: Duration) {
        prepareServer()
        for _ in 0..<world.pick([1, 2, 2, 3]) { addClient() }
        planMischief()
        world.run(for: duration)
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
        world.weather.latency = 1...Int.random(in: 1...200, using: &world.random)
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
            $0.reconnect = reconnect
            $0.outbox = outbox
            $0.inbox = inbox
            if !hasHeartbeat { $0.heartbeat = nil }
            $0.writeWindow = window
            $0.concurrentAnswers = answers
            $0.times.connect = connectLimit
            $0.endpoints = endpoints
            $0.endpointOrder = order
            $0.asksEndpoint = asks.0
            $0.asksToken = asks.1
            $0.asksParameters = asks.2
        }
        client.keepsResults = false
        client.habits.answers = 0...world.pick([500, 10_000])
        client.habits.delay = world.milliseconds(0...4_000)
        client.connect()
        live(client)
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

    private func live(_ client: Client) {
        world.after(world.milliseconds(20...34_000)) { [self] world in
            guard !world.isHealing else { return }
            if !client.isSuspended { act(client) }
            live(client)
        }
    }

    private func act(_ client: Client) {
        let channel = world.pick(channels)
        switch Int.random(in: 0..<100, using: &world.random) {
        case 0..<6: client.connect(limit: world.pick([nil, .seconds(1), .seconds(30)]))
        case 6..<9: client.disconnect()
        case 9..<11:
            client.disconnect()
            client.connect(limit: .seconds(20))
        case 11..<13: client.reconnect()
        case 13..<24: if tongue.hasChannels { subscribe(client, channel) } else { ask(client) }
        case 24..<28: if tongue.hasChannels { client.unsubscribe(channel) } else { say(client) }
        case 28..<37: if tongue.hasRequests { respond(client) } else { ask(client) }
        case 37..<52: if tongue.hasChannels { publish(client, channel) } else { say(client) }
        case 52..<66: if tongue.hasRequests { request(client) } else { ask(client) }
        case 66..<74: say(client)
        case 74..<79: client.converse(limit: world.milliseconds(100...10_000))
        case 79..<82: if tongue.hasRequests { client.listChannels() } else { ask(client) }
        case 82..<84: if tongue.hasRequests { client.listSubscriptions() } else { ask(client) }
        case 84..<88: client.ping()
        case 88..<94: cancelSomething(client)
        case 94..<96: if tongue.hasChannels { listen(client, channel) } else { hearEvents(client) }
        default: burst(client, channel)
        }
    }

    private func subscribe(_ client: Client, _ channel: String) {
        let isScoped = world.chance(0.4)
        let (call, inbox) = client.subscribe(channel, scoped: isScoped)
        if isScoped {
            world.after(world.milliseconds(0...world.pick([100, 60_000]))) { _ in client.endScope(inbox) }
        } else if world.chance(0.2) {
            world.after(world.milliseconds(0...60_000)) { _ in client.closeInbox(inbox) }
        }
        if world.chance(0.1) { world.after(world.milliseconds(0...200)) { _ in client.cancel(call) } }
    }

    private func respond(_ client: Client) {
        let inbox = client.respond(on: world.pick(["service", "quick"]))
        world.after(world.milliseconds(5_000...200_000)) { _ in client.endScope(inbox) }
    }

    private func listen(_ client: Client, _ channel: String) {
        let inbox = client.listen(to: channel)
        world.after(world.milliseconds(1_000...60_000)) { _ in client.closeInbox(inbox) }
    }

    private func hearEvents(_ client: Client) {
        let inbox = client.listen(to: world.pick([.allEvents, .event(tongue.id("mark")), .pings]))
        world.after(world.milliseconds(1_000...60_000)) { _ in client.closeInbox(inbox) }
    }

    private func publish(_ client: Client, _ channel: String) {
        client.publish(
            to: world.chance(0.05) ? "nowhere" : channel, size: world.pick([0, 0, 0, 100, 700]),
            excludeSender: world.chance(0.2), limit: world.pick([nil, .milliseconds(300), .seconds(10)]))
    }

    private func request(_ client: Client) {
        client.request(
            on: world.pick(["service", "service", "quick", "echo", "nowhere"]),
            limit: world.pick([.milliseconds(200), .seconds(3), .seconds(10)]))
    }

    /// An event that the server answers.
    private func ask(_ client: Client) {
        client.ask(limit: world.pick([.milliseconds(200), .seconds(3), .seconds(10)]))
    }

    private func say(_ client: Client) {
        switch Int.random(in: 0..<8, using: &world.random) {
        case 0 where tongue.hasChannels: client.publish(to: "news", size: 5_000)
        case 0: client.send("note", data: ["padding": .string(String(repeating: "x", count: 5_000))])
        case 1: client.sendUnsayable()
        default: client.send(world.pick(["note", "mark"]), limit: world.pick([nil, .seconds(1)]))
        }
    }

    private func cancelSomething(_ client: Client) {
        let open = client.calls.keys.sorted()
        if !open.isEmpty { client.cancel(world.pick(open)) }
    }

    private func burst(_ client: Client, _ channel: String) {
        for _ in 0..<Int.random(in: 3...30, using: &world.random) {
            if tongue.hasChannels, world.chance(0.7) {
                client.publish(to: channel, limit: .seconds(10))
            } else if tongue.hasRequests {
                client.request(on: "service", limit: .seconds(5))
            } else {
                client.ask(limit: .seconds(5))
            }
        }
    }

    // MARK: What goes wrong

    private func planMischief() {
        world.after(world.milliseconds(100...25_000)) { [self] world in
            guard !world.isHealing else { return }
            let fault = world.pick(Fault.allCases.filter { $0.exists(in: tongue.dialect) })
            world.tell("fault: \(fault)")
            world.tally.count("fault", fault.rawValue)
            commit(fault)
            planMischief()
        }
    }

    /// Undoes something after a while.
    private func later(_ range: ClosedRange<Int> = 500...20_000, _ undo: @escaping (World) -> Void) {
        world.after(world.milliseconds(range)) { undo($0) }
    }

    private func commit(_ fault: Fault) {
        let client = world.pick(world.clients)
        switch fault {
        case .linkBreaks, .linkBreaksAtAByte, .linkFallsSilent, .writesStall, .readsStall, .garbageBytes,
            .garbageMessages, .serverEvents, .forgedReports, .reportsComeLate, .bytesComeInPieces,
            .latencyVaries, .newLinksBreak, .refused, .unanswered, .nameNotFound, .untrusted:
            spoilNetwork(fault, client)
        case .providersSlow, .providersFail, .providersNever, .providersTooLate, .policyStops, .slowConsumer,
            .noConsumer, .slowService, .noService, .failingService, .processSleeps, .pathChanges:
            spoilClient(fault, client)
        default: spoilServer(fault, client)
        }
    }

    private func spoilNetwork(_ fault: Fault, _ client: Client) {
        switch fault {
        case .linkBreaks: client.pipe?.cut()
        case .linkBreaksAtAByte:
            client.pipe?.cut(
                afterBytes: Int.random(in: 0...300, using: &world.random), to: world.pick([.client, .server]))
        case .linkFallsSilent: client.pipe?.silence()
        case .writesStall: client.pipe?.stall(.client, for: world.milliseconds(100...20_000))
        case .readsStall: client.pipe?.stall(.server, for: world.milliseconds(100...20_000))
        case .garbageBytes:
            let random = (0..<20).map { _ in UInt8.random(in: 0...255, using: &world.random) }
            client.pipe?.inject(random, to: .client)
        case .garbageMessages: client.pipe?.send(tongue.nonsense(using: &world.random))
        case .serverEvents:
            world.server.command(.broadcast(tongue.announcement))
        case .forgedReports: forgeReports(client)
        case .reportsComeLate:
            world.weather.reportDelay = 0...world.pick([50, 3_000])
            later { $0.weather.reportDelay = 0...0 }
        case .bytesComeInPieces:
            world.weather.chunk = 1...world.pick([10, 60])
            later { $0.weather.chunk = nil }
        case .latencyVaries:
            world.weather.latency = 0...world.pick([20, 500, 2_000])
            later { $0.weather.latency = 1...30 }
        case .newLinksBreak:
            world.weather.loss = 0.7
            later { $0.weather.loss = 0 }
        default:
            world.weather.dialing = Weather.Dialing(rawValue: fault.rawValue) ?? .refused
            world.server.drop(client)
            later { $0.weather.dialing = .accepted }
        }
    }

    private func spoilClient(_ fault: Fault, _ client: Client) {
        switch fault {
        case .providersSlow: client.habits.provides = 0...world.pick([300, 12_000])
        case .providersFail: client.habits.failsToProvide = 0.7
        case .providersNever: client.habits.provides = nil
        case .providersTooLate:
            client.habits.providesTooLate = true
            client.habits.provides = 5_000...15_000
        case .policyStops: client.habits.delay = nil
        case .slowConsumer:
            client.habits.consumes = 0...world.pick([1_000, 15_000])
            pushMuch(to: client)
        case .noConsumer:
            client.habits.consumes = nil
            pushMuch(to: client)
        case .slowService: client.habits.answers = 0...25_000
        case .noService: client.habits.answers = nil
        case .failingService:
            client.habits.answersWithErrors = 0.8
            // A service that nobody asks teaches nothing.
            respond(client)
            world.after(world.milliseconds(100...500)) { [self] _ in request(client) }
        case .processSleeps: return client.suspend(for: world.milliseconds(100...90_000))
        default:
            for _ in 0...Int.random(in: 0...3, using: &world.random) {
                client.pathChanged(world.pick([.available, .lost]))
            }
            return
        }
        world.server.drop(client, unless: world.chance(0.5))
        later { [self] _ in
            let isSlow = client.habits.consumes == nil
            let delay = client.habits.delay
            client.habits = Client.Habits()
            client.habits.answers = 0...500
            client.habits.delay = delay ?? world.milliseconds(0...4_000)
            if isSlow { client.takeEverything() }
        }
    }

    /// Where there are no channels, what an app does not consume has to come from the server.
    private func pushMuch(to client: Client) {
        guard !tongue.hasChannels else { return }
        _ = client.ears
        world.after(world.milliseconds(10...400)) { [self] world in
            for _ in 0..<20 { world.server.command(.broadcast(tongue.announcement)) }
        }
    }

    private func spoilServer(_ fault: Fault, _ client: Client) {
        let server = world.server
        switch fault {
        case .serverCrashes:
            server.crash()
            later(0...40_000) { $0.server.start() }
        case .serverStops:
            server.stop()
            later(0...40_000) { $0.server.start() }
        case .serverCloses:
            let codes: [CloseCode] = [.normal, .goingAway, .internalError, .serviceRestart, .policyViolation]
            server.command(.close(nil, world.pick(codes), reason: "because"))
        case .serverDrops: server.command(.drop(nil))
        default:
            server.setFaults { change(&$0, fault) }
            if fault == .flatDeliveries { world.deliversWithoutID = true }
            let refuses = [.refusedWith503, .refusedWith401, .refusedWith404, .disconnectedInHandshake]
                .contains(fault)
            if refuses || fault == .serverNeverGreets || fault == .serverEndsLinks { server.drop(client) }
            later { $0.server.setFaults { $0 = Faults() } }
        }
    }

    private func change(_ faults: inout Faults, _ fault: Fault) {
        switch fault {
        case .refusedWith503:
            let header = world.pick(["1", "3", "40", "soon"])
            faults.refusing = .answer(Refusal(status: 503, headers: [.init("Retry-After", header)]))
        case .refusedWith401: faults.refusing = .answer(Refusal(status: 401))
        case .refusedWith404: faults.refusing = .answer(Refusal(status: 404))
        case .disconnectedInHandshake: faults.refusing = .disconnect
        case .serverSaysNothing: faults.isSilent = true
        case .serverNeverGreets: faults.neverGreets = true
        case .serverIsSlow: faults.delay = world.milliseconds(10...4_000)
        case .serverEndsLinks:
            faults.ending = world.pick([.drop, .close(.goingAway, "enough"), .close(.normal, "")])
            faults.endingAfter = Int.random(in: 0...4, using: &world.random)
        case .tcpStaysOpen: faults.leavesTCPOpen = true
        case .repliesNever: faults.replies = .never
        case .repliesLate: faults.replies = .late(world.milliseconds(10...15_000))
        case .repliesTwice: faults.replies = .twice
        case .repliesOutOfOrder: faults.replies = .outOfOrder
        case .errorFrames: faults.sendsErrors = true
        case .flatDeliveries: faults.deliversFlat = true
        case .pushesLate: faults.pushesLate = world.milliseconds(10...4_000)
        case .heldPushesReversed: faults.reversesHeldPushes = true
        default: break
        }
    }

    /// What callbacks of sockets long gone might say.
    private func forgeReports(_ client: Client) {
        let current = client.rules.link?.number ?? 0
        guard current > 1, let greeting = tongue.ghost else { return }
        let old = LinkID(UInt64.random(in: 1..<current, using: &world.random))
        client.hear(
            [
                .opened(LinkOpening()), .progress, .received([greeting]), .wrote([SendID(.max)]),
                .refused(Refusal(status: 401)), .closed(.closed(code: .normal, reason: "")),
            ], of: old)
        client.tell(.provided(AskID(0), .endpoint("ws://ghost/")))
    }

    // MARK: All's well that ends well

    private func heal() {
        world.tell("healing")
        world.isHealing = true
        world.weather = Weather()
        for pipe in world.pipes { pipe.mend() }
        world.server.start()
        world.server.setFaults { $0 = Faults() }
        for client in world.clients {
            client.habits = Client.Habits()
            client.takeEverything()
            // Where nobody looks for silence nothing ends by it: the network's own notice must.
            if client.configuration.heartbeat?.limit == nil { client.pipe?.unsilence() }
        }
        world.run(for: .seconds(100))
        for client in world.clients where client.rules.wantsLink || client.state == .failed {
            client.connect()
        }
        world.run(for: .seconds(40))
        for client in world.clients { checkHealed(client) }
        for client in world.clients { client.disconnect() }
        world.run(for: .seconds(20))
        for client in world.clients { checkEnded(client) }
    }

    private func checkHealed(_ client: Client) {
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
        let hasOne = tongue.dialect == .sente || connections.count == 1
        if !hasOne || client.pipe.map({ connections.contains($0.connection) }) != true {
            violate(3, "the server knows \(connections)")
        }
        if client.view.outboxCount > 0 { violate(5, "\(client.view.outboxCount) messages wait") }
        if !client.calls.isEmpty { violate(4, "these calls are open: \(client.calls)") }
    }

    private func checkEnded(_ client: Client) {
        if client.state != .closed { world.violate(2, "\(client) did not end: \(client.state)") }
        if client.view.deadline != nil { world.violate(2, "\(client) has a timer though it is closed") }
        if !client.calls.isEmpty { world.violate(4, "\(client) ended with open calls: \(client.calls)") }
    }
}
