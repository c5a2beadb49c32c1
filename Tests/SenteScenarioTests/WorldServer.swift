// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteSocket
import SenteWire

/// The world's server: a `ServerSession` and the server ends of the pipes.
final class WorldServer {
    unowned let world: TestWorld
    private(set) var session: ServerSession
    private(set) var isUp = true
    var configuration: ServerConfiguration { didSet { if world.elapsed == .zero { begin() } } }
    private var pipes: [ConnectionID: Pipe] = [:]
    private(set) var faults = Faults() { didSet { noteFaults(oldValue) } }
    /// Until then answers may come late, because of faults in force or just over.
    private var holdsBackUntil = Instant.distantPast
    /// How many messages came, over all of the server's lives.
    private(set) var arrivals = 0
    /// Every text message that came, when a test wants to read them.
    var received: [String] = []
    var keepsReceived = false

    init(_ world: TestWorld) {
        self.world = world
        configuration = world.wire.server
        session = ServerSession(configuration, seed: world.seed)
    }

    private func begin() {
        session = ServerSession(configuration, seed: world.seed &+ UInt64(arrivals) &* 31)
        faults = configuration.faults
    }

    private(set) var deadline: Instant?
    var statistics: ServerStatistics { session.statistics(at: world.now) }

    // MARK: What befalls it

    /// The process dies: every connection breaks, nobody listens.
    func crash() {
        world.log("the server crashes")
        isUp = false
        deadline = nil
        for pipe in pipes.values.sorted(by: { $0.connection < $1.connection }) { pipe.hangUp(.server) }
        pipes = [:]
    }

    /// It closes every connection with 1001 and goes.
    func stop() {
        world.log("the server stops")
        handle(.command(.stop))
        isUp = false
        deadline = nil
        pipes = [:]
    }

    /// A new process: new connection ids, no subscriptions, the counters begin anew.
    func start() {
        guard !isUp else { return }
        world.log("the server starts")
        arrivals += 1
        isUp = true
        begin()
    }

    func setFaults(_ change: (inout Faults) -> Void) {
        let before = faults
        change(&faults)
        // Replies without ids are told apart by their order only: who left some out must not answer later ones.
        let speaksAgain = before.isSilent && !faults.isSilent
        let answersAgain = before.replies == .never && faults.replies != .never
        if speaksAgain || answersAgain { handle(.command(.drop(nil))) }
        handle(.command(.setFaults(faults, for: nil)))
    }

    private func noteFaults(_ old: Faults) {
        if faults != Faults() {
            holdsBackUntil = .distantFuture
        } else if old != Faults() {
            holdsBackUntil = world.now.instant.advanced(by: .seconds(60))
        }
    }

    func setFaults(of client: WorldClient, _ change: (inout Faults) -> Void) {
        guard let pipe = client.pipe else { return }
        var special = faults
        change(&special)
        holdsBackUntil = .distantFuture
        handle(.command(.setFaults(special, for: pipe.connection)))
    }

    /// Drops what it knows of a client.
    func drop(_ client: WorldClient, unless isSpared: Bool = false) {
        guard !isSpared else { return }
        for id in connections(of: client) { handle(.command(.drop(id))) }
    }

    func command(_ command: ServerCommand) { handle(.command(command)) }

    // MARK: The way in

    func received(_ request: HTTPRequest, on pipe: Pipe) {
        guard isUp else { return pipe.hangUp(.server) }
        pipe.answer(
            session.admit(
                target: request.target + "?client-id=c\(pipe.owner.number)",
                wantsUpgrade: request.isUpgrade, at: world.now))
    }

    func received(_ report: LinkReport, on pipe: Pipe) {
        switch report {
        case .opened:
            guard isUp else { return pipe.hangUp(.server) }
            pipes[pipe.connection] = pipe
            handle(.connected(pipe.connection, world.wire.handshake(pipe.owner)))
        case .received(let messages): for message in messages { receive(message, on: pipe) }
        case .closed:
            guard pipes.removeValue(forKey: pipe.connection) != nil else { return }
            handle(.closed(pipe.connection))
        case .progress, .wrote, .answered, .refused: break
        }
    }

    func handle(_ input: ServerInput) {
        guard isUp else { return }
        var effects: [ServerEffect] = []
        session.handle(input, at: world.now, into: &effects)
        deadline = session.deadline
        if let deadline, deadline <= world.now.instant {
            world.violate(9, "The server's deadline is not in the future after \(input).")
        }
        perform(effects)
    }

    private func receive(_ message: Message, on pipe: Pipe) {
        guard let outbound = pipe.nextOnTheWay(is: message) else {
            return world.violate(10, "The server got a message nobody wrote: \(message.string)")
        }
        guard isUp else { return }
        world.log("server \(pipe.connection) ◀ \(message.string)")
        if keepsReceived { received.append(message.string) }
        arrivals += 1
        pipe.owner.rules.reachedServer(outbound, on: pipe)
        let before = holdsBackUntil > world.now.instant ? session : nil
        var effects: [ServerEffect] = []
        session.handle(.received(pipe.connection, message), at: world.now, into: &effects)
        deadline = session.deadline
        if let number = outbound.messageNumber {
            track(number, reached: pipe, message, before, effects)
        }
        perform(effects)
    }

    /// Notes what the server did with a message.
    ///
    /// Where faults keep its answer back, a copy of the server without faults tells.
    private func track(
        _ number: Int, reached pipe: Pipe, _ message: Message, _ before: ServerSession?,
        _ effects: [ServerEffect]
    ) {
        world.messages[number].reachedServer += 1
        world.messages[number].arrival = arrivals
        if world.messages[number].reachedServer > 1 {
            world.violate(4, "Message \(number) reached the server twice.")
        }
        if world.messages[number].isNotSent {
            world.violate(4, "Message \(number) was reported not sent, and reached the server.")
        }
        var answers = effects
        if var copy = before {
            answers = []
            copy.handle(
                .command(.setFaults(Faults(), for: nil)), at: world.now, into: &answers)
            answers = []
            copy.handle(.received(pipe.connection, message), at: world.now, into: &answers)
            // What is held up comes after what was held up before: the last one is the answer.
            var later = world.now
            later.instant = later.instant.advanced(by: .seconds(60))
            copy.handle(.timerFired, at: later, into: &answers)
        }
        for case .send(pipe.connection, let answer) in answers.reversed() {
            if let treatment = treatment(answer) {
                world.messages[number].treatment = treatment
                return
            }
        }
    }

    /// Servers of vectors tell nothing of what they did with a message.
    private func treatment(_ answer: Message) -> TrackedMessage.Treatment? {
        guard world.wire.hasRequests, answer.bytes.count > 16,
            let value = try? world.wire.format.decode(answer.bytes)
        else { return nil }
        func field(_ name: String, of value: Value? = value) -> Value? {
            value.flatMap { world.wire.field(name, of: $0) }
        }
        switch field("type")?.stringValue ?? field("type")?.keywordValue?.text {
        case "publish-result":
            return field("message-id")?.stringValue.map { .published(messageID: $0) } ?? .refused
        case "rpc-request-result":
            guard let id = field("request-id")?.stringValue,
                let count = field("delivered-to", of: field("delivery"))?.integerValue
            else { return .refused }
            return .forwarded(requestID: id, deliveredTo: Int(count))
        default: return nil
        }
    }

    // MARK: The way out

    private func perform(_ effects: [ServerEffect]) {
        var takers: [ConnectionID] = []
        for effect in effects {
            switch effect {
            case .send(let id, let message):
                guard let pipe = pipes[id] else { continue }
                world.log("server \(id) ▶ \(message.string)")
                pipe.send(message)
            case .close(let id, let code, let reason, let keepsTCP):
                world.log("server \(id) closes with \(code)")
                pipes.removeValue(forKey: id)?.close(.server, code, reason: reason, keepsTCP: keepsTCP)
            case .drop(let id):
                world.log("server \(id) drops")
                pipes.removeValue(forKey: id)?.hangUp(.server)
            case .ask, .tell, .serve, .record, .remoteSignals, .stream, .agreedOnStreams, .subscription,
                .work,
                .pauseReading, .resumeReading:
                break
            case .flood(let id, var flood):
                while let message = flood.next() { pipes[id]?.send(message) }
            case .awaitRoom(let id): takers.append(id)
            }
        }
        // A pipe takes whatever there is, but what was decided before goes first.
        for id in takers { handle(.room(id)) }
    }

    /// The connections of a client that the server still knows.
    func connections(of client: WorldClient) -> [ConnectionID] {
        pipes.values.filter { $0.owner === client }.map(\.connection).sorted()
    }

    /// What the server holds a client subscribed to, in the order of subscribing.
    func subscriptions(of client: WorldClient) -> [String] {
        let connection = statistics.connections.first { $0.link == client.pipe?.connection }
        return connection?.subscriptions.compactMap(\.stringValue) ?? []
    }
}
