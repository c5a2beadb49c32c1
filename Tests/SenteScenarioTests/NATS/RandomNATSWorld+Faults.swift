// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// What goes wrong.
extension RandomNATSWorld {
    enum Fault: String, CaseIterable {
        case linkBreaks, linkFallsSilent, writesStall, dialsRefused, latencyVaries
        case nodeKilled, nodeStops, nodeLeaves, clientClosed, nodeFull, tokenChanges, nonsense, pongTooMany
        case permissionTaken
        case routesSlow
        case leaderStepsDown, answersLost, answersSlow, consumersDie, streamEvicts, streamMadeAnew
        case slowConsumer, noConsumer, noService
    }

    func scheduleFault() {
        world.after(100...6_000) { [self] world in
            guard !world.isHealing else { return }
            let fault = world.pick(Fault.allCases)
            world.log("fault: \(fault)")
            if inject(fault, world.pick(world.apps)) { world.coverage.count("fault", fault.rawValue) }
            scheduleFault()
        }
    }

    /// Undoes something after a while.
    private func later(_ range: ClosedRange<Int> = 500...10_000, _ undo: @escaping (NATSWorld) -> Void) {
        world.after(range) { undo($0) }
    }

    /// False when there was nothing that it could befall.
    private func inject(_ fault: Fault, _ app: NATSApp) -> Bool {
        switch fault {
        case .linkBreaks, .linkFallsSilent, .writesStall, .clientClosed, .nonsense, .pongTooMany,
            .permissionTaken:
            guard let pipe = app.pipe, app.state == .open else { return false }
            return inject(fault, app, pipe)
        case .nodeKilled, .nodeStops, .nodeLeaves: return takeDown(fault)
        case .slowConsumer:
            app.consumes = 0...world.pick([300, 8_000])
            later { _ in app.consumes = 0...0 }
        case .noConsumer:
            app.consumes = nil
            later { _ in
                app.consumes = 0...0
                app.takeEverything()
            }
        case .noService:
            app.answers = nil
            later { _ in app.answers = 0...20 }
        case .dialsRefused:
            world.refusesDials = true
            app.pipe?.cut()
            later { $0.refusesDials = false }
        case .latencyVaries:
            world.latency = 1...world.pick([100, 800])
            later { $0.latency = 1...10 }
        default: injectIntoCluster(fault, app)
        }
        return true
    }

    private func inject(_ fault: Fault, _ app: NATSApp, _ pipe: NATSPipe) -> Bool {
        switch fault {
        case .linkFallsSilent: pipe.silence()
        case .writesStall: pipe.stall(for: world.milliseconds(100...8_000))
        case .clientClosed:
            let code: CloseCode = world.pick([.normal, .policyViolation, .goingAway])
            world.carry(world.cluster.close(pipe.client, code, world.now))
        case .nonsense:
            let text = world.pick(Self.nonsense)
            world.carry(world.cluster.talkNonsense(text, to: pipe.client, world.now))
        case .permissionTaken: world.carry(world.cluster.takePermission(of: pipe.client, world.now))
        case .pongTooMany: return app.rules.model.owesNothing && pipe.sayAtOnce(.pong)
        default: pipe.cut()
        }
        return true
    }

    private static let nonsense = [
        "WHAT\r\n", "MSG news.a 1 99999999999999999999\r\n", "MSG news.a\r\n", "MSG news.a 1 -1\r\n",
        "INFO {broken\r\n", "HMSG news.a 1 50 20\r\n", "\0\r\n", "MSG news.a 1 2\r\nabc\r\n",
    ]

    private func takeDown(_ fault: Fault) -> Bool {
        let up = world.cluster.nodes.filter { world.cluster.takesClients($0.number) }.map(\.number)
        guard up.count > 1 else { return false }
        let node = world.pick(up)
        switch fault {
        case .nodeKilled: world.carry(world.cluster.kill(node, world.now))
        case .nodeStops: world.carry(world.cluster.stop(node, world.now))
        default: world.carry(world.cluster.leave(node, world.now))
        }
        later(fault == .nodeLeaves ? 14_000...30_000 : 500...20_000) {
            $0.carry($0.cluster.start(node, $0.now))
        }
        return true
    }

    private func injectIntoCluster(_ fault: Fault, _ app: NATSApp) {
        switch fault {
        case .nodeFull:
            world.cluster.isFull = true
            app.pipe?.cut()
            later { $0.cluster.isFull = false }
        case .tokenChanges:
            guard world.cluster.token != nil else { return }
            let token = "t\(world.messages.count)"
            world.cluster.token = token
            for app in world.apps { world.after(0...4_000) { _ in app.token = token } }
            app.pipe?.cut()
        case .routesSlow:
            world.cluster.routeDelay = 0...world.pick([20, 300])
            later { $0.cluster.routeDelay = 0...2 }
        case .leaderStepsDown: world.change { $0.stepDown() }
        case .answersLost:
            world.cluster.answerLoss = 0.5
            later { $0.cluster.answerLoss = 0 }
        case .answersSlow:
            world.cluster.answerDelay = 0...world.pick([500, 5_000])
            later { $0.cluster.answerDelay = 0...5 }
        case .consumersDie: world.change { $0.removeConsumers() }
        case .streamEvicts:
            let count = Int.random(in: 1...20, using: &world.random)
            world.change { $0.stream.evict(count) }
        case .streamMadeAnew:
            world.archive.end(world.cluster.stream.created)
            world.change { $0.makeAnew() }
        default: break
        }
    }

    func endFaults() {
        world.latency = 1...10
        world.refusesDials = false
        world.cluster.isFull = false
        world.cluster.routeDelay = 0...2
        world.cluster.answerLoss = 0
        world.cluster.answerDelay = 0...5
        for node in world.cluster.nodes { world.carry(world.cluster.start(node.number, world.now)) }
        for app in world.apps {
            app.consumes = 0...0
            app.answers = 0...20
            app.token = world.cluster.token
        }
    }
}
