// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer

/// What goes wrong.
extension RandomWorld {
    func scheduleFaults() {
        world.after(world.milliseconds(100...25_000)) { [self] world in
            guard !world.isHealing else { return }
            let fault = world.pick(Fault.allCases.filter { $0.exists(in: wire.dialect) })
            world.log("fault: \(fault)")
            world.coverage.count("fault", fault.rawValue)
            inject(fault)
            scheduleFaults()
        }
    }

    /// Undoes something after a while.
    private func later(_ range: ClosedRange<Int> = 500...20_000, _ undo: @escaping (TestWorld) -> Void) {
        world.after(world.milliseconds(range)) { undo($0) }
    }

    private func inject(_ fault: Fault) {
        let client = world.pick(world.clients)
        switch fault {
        case .linkBreaks, .linkBreaksAtAByte, .linkFallsSilent, .writesStall, .readsStall, .garbageBytes,
            .garbageMessages, .serverEvents, .forgedReports, .reportsComeLate, .bytesComeInPieces,
            .latencyVaries, .newLinksBreak, .refused, .unanswered, .nameNotFound, .untrusted:
            injectNetworkFault(fault, client)
        case .providersSlow, .providersFail, .providersNever, .providersTooLate, .policyStops, .slowConsumer,
            .noConsumer, .slowService, .noService, .failingService, .processSleeps, .pathChanges:
            injectAppFault(fault, client)
        default: injectServerFault(fault, client)
        }
    }

    private func injectNetworkFault(_ fault: Fault, _ client: WorldClient) {
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
        case .garbageMessages: client.pipe?.send(wire.nonsense(using: &world.random))
        case .serverEvents:
            world.server.command(.broadcast(wire.announcement))
        case .forgedReports: forgeReports(client)
        case .reportsComeLate:
            world.network.reportDelay = 0...world.pick([50, 3_000])
            later { $0.network.reportDelay = 0...0 }
        case .bytesComeInPieces:
            world.network.chunk = 1...world.pick([10, 60])
            later { $0.network.chunk = nil }
        case .latencyVaries:
            world.network.latency = 0...world.pick([20, 500, 2_000])
            later { $0.network.latency = 1...30 }
        case .newLinksBreak:
            world.network.loss = 0.7
            later { $0.network.loss = 0 }
        default:
            world.network.dialing = NetworkConditions.Dialing(rawValue: fault.rawValue) ?? .refused
            world.server.drop(client)
            later { $0.network.dialing = .accepted }
        }
    }

    private func injectAppFault(_ fault: Fault, _ client: WorldClient) {
        switch fault {
        case .providersSlow: client.behavior.provides = 0...world.pick([300, 12_000])
        case .providersFail: client.behavior.failsToProvide = 0.7
        case .providersNever: client.behavior.provides = nil
        case .providersTooLate:
            client.behavior.providesTooLate = true
            client.behavior.provides = 5_000...15_000
        case .policyStops: client.behavior.delay = nil
        case .slowConsumer:
            client.behavior.consumes = 0...world.pick([1_000, 15_000])
            pushManyEvents(to: client)
        case .noConsumer:
            client.behavior.consumes = nil
            pushManyEvents(to: client)
        case .slowService: client.behavior.answers = 0...25_000
        case .noService: client.behavior.answers = nil
        case .failingService:
            client.behavior.answersWithErrors = 0.8
            // A service that nobody asks teaches nothing.
            respond(client)
            world.after(world.milliseconds(100...500)) { [self] _ in request(client) }
        case .processSleeps: return client.suspendApp(for: world.milliseconds(100...90_000))
        default:
            for _ in 0...Int.random(in: 0...3, using: &world.random) {
                client.pathChanged(world.pick([.available, .lost]))
            }
            return
        }
        world.server.drop(client, unless: world.chance(0.5))
        later { [self] _ in
            let isSlow = client.behavior.consumes == nil
            let delay = client.behavior.delay
            client.behavior = WorldClient.Behavior()
            client.behavior.answers = 0...500
            client.behavior.delay = delay ?? world.milliseconds(0...4_000)
            if isSlow { client.takeEverything() }
        }
    }

    /// Where there are no channels, what an app does not consume has to come from the server.
    private func pushManyEvents(to client: WorldClient) {
        guard !wire.hasChannels else { return }
        _ = client.eventInbox
        world.after(world.milliseconds(10...400)) { [self] world in
            for _ in 0..<20 { world.server.command(.broadcast(wire.announcement)) }
        }
    }

    private func injectServerFault(_ fault: Fault, _ client: WorldClient) {
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
    private func forgeReports(_ client: WorldClient) {
        let current = client.rules.link?.number ?? 0
        guard current > 1, let greeting = wire.staleGreeting else { return }
        let old = LinkID(UInt64.random(in: 1..<current, using: &world.random))
        client.handle(
            [
                .opened(LinkOpening()), .progress, .received([greeting]), .wrote([SendID(.max)]),
                .refused(Refusal(status: 401)), .closed(.closed(code: .normal, reason: "")),
            ], of: old)
        client.handle(.provided(AskID(0), .endpoint("ws://stale/")))
    }
}
