// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// Apps that do whatever apps do, and a cluster to which whatever can go wrong does; all of it follows from the seed.
final class RandomNATSWorld {
    let world: NATSWorld
    private let isTokenAsked: Bool

    private static let channels = ["news.a", "news.b"]
    private static let wishes = ["news.a", "news.a", "news.*", "news.>", "news.b", "secret.x"]
    private static let services = ["svc.x", "svc.y"]
    private static let followed = ["orders.*", "orders.*", "orders.a", "orders.b"]
    private static let kept = ["orders.a", "orders.b"]

    init(seed: UInt64, isRecording: Bool = false) {
        world = NATSWorld(seed: seed, isRecording: isRecording)
        isTokenAsked = world.chance(0.4)
        if isTokenAsked { world.cluster.token = "t0" }
        for _ in 0..<Int.random(in: 2...3, using: &world.random) { addApp() }
    }

    private func addApp() {
        world.addApp(NATSSettings(credentials: isTokenAsked ? .token : nil)) {
            if world.chance(0.4) { $0.endpoints = ["ws://n0:80/", "ws://n1:80/", "ws://n2:80/"] }
            if world.chance(0.3) { $0.endpointOrder = .shuffled }
            $0.asksToken = isTokenAsked
            $0.inbox.maximumMessages = world.pick([4, 16, 1_000])
            if world.chance(0.25) { $0.inbox.overflow = .pauseReading }
            $0.pauseLimit = .seconds(5)
            $0.writeWindow = world.pick([200, 2_000, 64 << 10])
            $0.outbox.timeToLive = world.pick([.seconds(2), .seconds(30), nil])
            $0.outbox.maximumMessages = world.pick([5, 1_000])
            $0.reconnect = world.pick([.default, .default, .fleet])
        }
        world.apps.last?.token = world.cluster.token
    }

    // MARK: The run

    func run(for duration: Duration) {
        for app in world.apps {
            app.connect()
            scheduleAct(app)
        }
        scheduleFault()
        world.advance(by: duration)
        heal()
    }

    private func scheduleAct(_ app: NATSApp) {
        world.after(5...1_200) { [self] world in
            guard !world.isHealing else { return }
            act(app)
            scheduleAct(app)
        }
    }

    private func act(_ app: NATSApp) {
        switch Int.random(in: 0..<100, using: &world.random) {
        case 0..<28: publish(app)
        case 28..<40: request(app)
        case 40..<58: store(app)
        case 58..<66: subscribe(app)
        case 66..<69: app.unsubscribe(world.pick(Self.wishes + Self.followed))
        case 69..<73: respond(app)
        case 73..<80: follow(app)
        case 80..<84: app.ping()
        case 84..<88: if let call = app.calls.keys.sorted().first { app.cancel(call) }
        case 88..<94: for _ in 0..<Int.random(in: 3...20, using: &world.random) { burst(app) }
        default: changeLife(app)
        }
    }

    private func burst(_ app: NATSApp) {
        if world.chance(0.5) { publish(app) } else { store(app) }
    }

    private func publish(_ app: NATSApp) {
        app.publish(
            to: world.chance(0.08) ? "secret.x" : world.pick(Self.channels),
            size: world.pick([0, 0, 100, 900, 4_000]), excludesSender: world.chance(0.15),
            limit: world.pick([.milliseconds(300), .seconds(5), .seconds(10)]))
    }

    private func request(_ app: NATSApp) {
        app.request(
            on: world.pick(Self.services + ["svc.none", "secret.svc"]),
            limit: world.pick([.milliseconds(300), .seconds(5), .seconds(10)]))
    }

    private func store(_ app: NATSApp) {
        app.store(
            in: world.pick(Self.kept), size: world.pick([0, 0, 500]),
            expecting: world.chance(0.05) ? UInt64.random(in: 0...5, using: &world.random) : nil,
            limit: world.pick([.seconds(1), .seconds(15), .seconds(40)]))
    }

    private func subscribe(_ app: NATSApp) {
        let isScoped = world.chance(0.5)
        let (call, inbox) = app.subscribe(world.pick(Self.wishes), scoped: isScoped)
        if isScoped {
            world.after(100...30_000) { _ in app.endScope(inbox) }
        } else if world.chance(0.2) {
            world.after(100...30_000) { _ in app.closeInbox(inbox) }
        }
        if world.chance(0.1) { world.after(0...100) { _ in app.cancel(call) } }
    }

    private func respond(_ app: NATSApp) {
        let service = world.pick(Self.services)
        let inbox = app.respond(on: service)
        world.after(3_000...60_000) { world in
            guard world.chance(0.7) else { return app.endScope(inbox) }
            // What is asked just then is what a drain is for.
            for _ in 0..<8 {
                let asker = world.pick(world.apps)
                world.after(0...80) { _ in asker.request(on: service, limit: .seconds(5)) }
            }
            world.after(0...80) { _ in app.drain(inbox) }
        }
    }

    private func follow(_ app: NATSApp) {
        let last = world.cluster.stream.last
        let starts: [ChannelStart] = [
            .next, .sequence(UInt64.random(in: 1...last + 1, using: &world.random)), .sequence(1),
            .lastOfEach,
            world.archive.cursor(using: &world.random).map { .cursor($0) } ?? .next,
        ]
        let channel = world.chance(0.04) ? "bills.*" : world.pick(Self.followed)
        let inbox = app.follow(channel, from: world.pick(starts))
        if world.chance(0.85) { world.after(1_000...40_000) { _ in app.endScope(inbox) } }
    }

    private func changeLife(_ app: NATSApp) {
        switch Int.random(in: 0..<6, using: &world.random) {
        case 0:
            app.disconnect()
            if world.chance(0.3) { app.connect() } else { world.after(0...8_000) { _ in app.connect() } }
        case 1: app.reconnect()
        case 2: app.handle(.pathChanged(world.pick([.available, .lost])))
        default: app.connect()
        }
    }

    // MARK: The end

    private func heal() {
        guard world.violations.isEmpty else { return }
        world.log("healing")
        world.isHealing = true
        endFaults()
        for app in world.apps { app.takeEverything() }
        world.advance(by: .seconds(60))
        for app in world.apps where app.rules.wantsLink { app.connect() }
        world.advance(by: .seconds(45))
        guard world.violations.isEmpty else { return }
        for app in world.apps { app.rules.checkHealed() }
        for app in world.apps { app.disconnect() }
        world.advance(by: .seconds(20))
        for app in world.apps {
            if app.state != .closed { world.violate(2, "\(app) did not end: \(app.state)") }
            if !app.isQuiet { world.violate(2, "\(app) has a timer though it is closed") }
            if !app.calls.isEmpty { world.violate(4, "\(app) ended with open calls: \(app.calls)") }
        }
    }
}
