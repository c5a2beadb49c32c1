// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire

/// A client and a server that keeps its session, over links that break wherever they like.
///
/// Messages are what is lost, held up and cut here; an observer with a link that never breaks sees what the server did. All of it
/// follows from one seed.
struct ResumptionWorld: ~Copyable {
    /// One link's two directions.
    private struct Pipe {
        let connection: ConnectionID
        var toServer: [Message] = []
        var toClient: [Message] = []
        /// The close frame of the server, behind what it said before.
        var serverCloses: CloseCode?
        /// Nothing that is said from now on arrives.
        var isCut = false
        var isOverForClient = false
        var isOverForServer = false
        /// When an end notices that the link is gone.
        var clientNotices: Instant?
        var serverNotices: Instant?

        var holdsWords: Bool {
            !toServer.isEmpty || !toClient.isEmpty || (serverCloses != nil && !isOverForClient)
        }
    }

    /// A call of the app.
    private struct Sent {
        var number: Int
        var isRequest: Bool
        var isDurable = false
        var priority = SendOptions.Priority.normal
    }

    private(set) var violations: [String] = []
    /// What happened how often.
    private(set) var counts: [String: Int] = [:]
    private(set) var log: [String] = []

    private var random: Generator
    private var now = Moment(
        instant: Instant(nanoseconds: 1_000_000_000_000), wallMilliseconds: 1_700_000_000_000)
    private var client: ClientEngine
    private var server: ServerSession
    private var link = LinkID(0)
    private var pipes: [LinkID: Pipe] = [:]
    private var lastConnection: UInt64 = 100
    private let observer = ConnectionID(1)
    private var lastCall: UInt64 = 0
    private var calls: [CallID: Sent] = [:]
    /// What the app published, by its number: how often the server carried it out.
    private var executed: [Int: Int] = [:]
    private var lastNumber = 0
    private var said: [Int: Sent] = [:]
    private var lastExecuted: [SendOptions.Priority: Int] = [:]
    /// Durable messages that were settled, and how.
    private var settled: [Int: Result<Answer, SenteError>] = [:]
    /// Messages up to this one may have been carried out by a server that has forgotten it.
    private var forgottenUpTo = 0
    /// What links have taken and not told of yet.
    private var writes: [(LinkID, [SendID])] = []
    private var servers: UInt64 = 0
    private var served: ServerConfiguration
    private let seed: UInt64
    /// Messages up to this one may have been sent in a session that is lost, or on a link that had none.
    private var unorderedUpTo = 0
    /// The client knows of a session that goes on over links.
    private var hasSession = false
    private var lastNews = 0
    private var heardNews = 0
    private var lastHeard = 0
    private var missed = 0
    /// Sessions that could not go on: what was on its way may be lost then.
    private var freshSessions = 0
    private let inbox = InboxID(1)
    private var isHealing = false
    /// Large values that are to be written or read.
    private var works: [LargeWork] = []
    private var serverWorks: [ServerWork] = []
    /// Links that wait for room, by the server's word.
    private var awaitingRoom: [ConnectionID] = []
    private let dialect: Dialect
    /// Messages travel in batches, compressed and in parts, too.
    private let packs: Bool
    /// What is large is coded beside the loops, when it goes again too.
    private let clientLoop = LoopWatch()
    private let serverLoop = LoopWatch()

    init(seed: UInt64, _ dialect: Dialect = .senteLiteMaps, packs: Bool = false) {
        self.dialect = dialect
        self.packs = packs
        self.seed = seed
        random = Generator(seed: seed)
        var configuration = SessionConfiguration()
        configuration.times.request = .seconds(60)
        configuration.outbox.timeToLive = nil
        configuration.keepsMessages = true
        configuration.flow.resumption?.maximumMessages = Int.random(in: 4...40, using: &random)
        if packs {
            configuration.pack(using: &random)
            clientLoop.largeValue = configuration.largeValue
            let compressor = clientLoop.follow(.runs)
            configuration.compressor = { _, _ in compressor }
        }
        let detector = DialectDetector()
        client = ClientEngine(configuration: configuration, random: Generator(seed: seed ^ 1)) {
            [clientLoop] (first, sizes) throws(SenteError) in
            clientLoop.follow(try detector.detect(first, sizes: sizes))
        }
        var served = WireSetup(dialect).server
        var flow = ServerConfiguration.Flow.Resumption()
        flow.window = .seconds(20)
        flow.messages = Int.random(in: 5...40, using: &random)
        served.flow.resumption = flow
        served.flow.deduplication = .init()
        served.hasHook = dialect == .sente
        served.heartbeatInterval = .seconds(15)
        served.heartbeatTimeout = .seconds(40)
        served.answeringChannels = ["echo"]
        if packs {
            served.flow.pack(using: &random)
            served.largeValue = Int.random(in: 300...2_000, using: &random)
            serverLoop.largeValue = served.largeValue
        }
        self.served = served
        server = ServerSession(served, seed: seed ^ 2)
        startServer()
    }

    /// A server that knows nothing of what was before.
    private mutating func startServer() {
        servers += 1
        serverWorks = []
        let compressor = serverLoop.follow(.runs)
        server = ServerSession(
            served, seed: seed &+ servers << 32 ^ 2,
            compressors: packs ? [.gzip: compressor, .deflate: compressor] : [:])
        guard dialect != .sente else { return }
        serve(.connected(observer, HandshakeInfo(clientID: "observer")))
        say(["out"])
    }

    private var links: [LinkID] { pipes.keys.sorted { $0.number < $1.number } }

    private mutating func chance(_ p: Double) -> Bool { Double.random(in: 0..<1, using: &random) < p }

    private mutating func note(_ what: @autoclosure () -> String) { log.append("\(now.instant) \(what())") }

    private mutating func count(_ what: String) { counts[what, default: 0] += 1 }

    private mutating func violate(_ what: String) {
        violations.append(what)
        log.append("VIOLATION \(what)")
    }

    // MARK: The run

    mutating func run(steps: Int) {
        command(.connect(call(), limit: nil))
        if dialect == .sente {
            command(.openInbox(inbox))
            command(.listen(inbox, .event("app/news")))
        } else {
            command(.subscribe(call(), channel: "news", inbox, scoped: false))
        }
        // A clean beginning: from here on every one of the news counts.
        for _ in 0..<20 {
            carry(toServer: true)
            carry(toServer: false)
        }
        for _ in 0..<steps where violations.isEmpty { step() }
        heal()
    }

    private mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<35: carry(toServer: true)
        case 35..<65: carry(toServer: false)
        case 65..<73: act()
        case 73..<75: burst()
        case 75..<82: publishNews()
        case 82..<84: breakLink()
        case 84..<85: takeLinkOver()
        case 85..<87: giveRoom()
        case 87..<90: tellWritten()
        case 90..<92: if chance(0.5) { work() } else { serverWork() }
        case 92: changeLife()
        default: pass(Duration.milliseconds(Int.random(in: 1...1_500, using: &random)))
        }
    }

    private mutating func pass(_ duration: Duration) {
        let end = now.instant.advanced(by: duration)
        for turn in 0... {
            if turn == 10_000 {
                return violate("time stands still: \(client.deadline as Any), \(server.deadline as Any)")
            }
            let notices = pipes.values.flatMap { [$0.clientNotices, $0.serverNotices] }
            let times = ([client.deadline, server.deadline] + notices).compactMap(\.self)
            guard let due = times.min(), due <= end else { break }
            moveClock(to: max(due, now.instant))
            noticeEnds()
            if let deadline = client.deadline, deadline <= now.instant { feed(.timerFired) }
            if let deadline = server.deadline, deadline <= now.instant { serve(.timerFired) }
        }
        moveClock(to: end)
    }

    private mutating func moveClock(to instant: Instant) {
        guard instant > now.instant else { return }
        now.wallMilliseconds += now.instant.duration(to: instant).wholeMilliseconds
        now.instant = instant
    }

    // MARK: The app

    private mutating func call() -> CallID {
        lastCall += 1
        return CallID(lastCall)
    }

    private mutating func act() {
        lastNumber += 1
        let id = call()
        let data = data(lastNumber)
        let isRequest = dialect != .senteLiteVectors && chance(0.3)
        let isDurable = !isRequest && chance(0.2)
        let priority: SendOptions.Priority = chance(0.8) ? .normal : chance(0.5) ? .urgent : .bulk
        let sent = Sent(number: lastNumber, isRequest: isRequest, isDurable: isDurable, priority: priority)
        calls[id] = sent
        said[lastNumber] = sent
        let outbound: Outbound =
            dialect == .sente
            ? .event(Event(id: isRequest ? "app/ask" : "app/out", data: data))
            : isRequest
                ? .request(channel: "echo", data: data, limit: 60_000)
                : .publish(channel: "out", data: data, excludeSender: false)
        command(
            .submit(
                id,
                Submission(
                    outbound, options: SendOptions(priority: priority, durable: isDurable),
                    limit: .seconds(Int.random(in: 5...200, using: &random)),
                    awaits: dialect == .sente && !isRequest ? .written : .reply,
                    id: isDurable ? "d\(lastNumber)" : nil)))
        if chance(0.05) { command(.cancel(id)) }
    }

    /// What happens seldom: the app goes and comes, or wishes otherwise, or the server is another.
    private mutating func changeLife() {
        switch Int.random(in: 0..<40, using: &random) {
        case 0:
            count("restarted")
            note("the server restarts")
            for id in links { lose(id) }
            for id in links { pipes[id]?.isOverForServer = true }
            forgottenUpTo = lastNumber
            startServer()
        case 1:
            count("disconnected")
            sessionIsLost()
            command(.disconnect(call()))
            command(.connect(call(), limit: nil))
        case 2..<8:
            count("reconnect()")
            command(.reconnect)
        default:
            guard dialect != .sente else { return }
            count("wished otherwise")
            if client.subscriptions.contains("side") {
                command(.unsubscribe(call(), channel: "side"))
            } else {
                command(.subscribe(call(), channel: "side", InboxID(lastCall + 1_000), scoped: false))
            }
        }
    }

    private mutating func sessionIsLost() {
        freshSessions += 1
        unorderedUpTo = lastNumber
        hasSession = false
    }

    private mutating func tellWritten() {
        let waiting = writes
        writes = []
        for (id, ids) in waiting where pipes[id]?.isOverForClient == false { report([.wrote(ids)], of: id) }
    }

    /// Several messages in one turn.
    private mutating func burst() {
        guard packs else { return act() }
        client.beginGathering()
        for _ in 0..<Int.random(in: 2..<15, using: &random) { act() }
        var effects: [Effect] = []
        client.endGathering(at: now, into: &effects)
        perform(effects)
    }

    /// What a message says, by its number; some are large, and some of those compress.
    private func data(_ number: Int) -> Value {
        guard packs else { return .map([name("n"): Value(number)]) }
        return .map([name("n"): Value(number), name("text"): .string(Self.text(number))])
    }

    private static func text(_ number: Int) -> String {
        let length = number % 4 == 0 ? number * 97 % 3_000 : number % 7
        return String(
            decoding: (0..<length).map { UInt8(97 + $0 / (1 + number % 5 * 20) % 23) }, as: UTF8.self)
    }

    private func name(_ text: String) -> Value {
        dialect == .senteLiteMaps ? .string(text) : .keyword(Keyword(text))
    }

    private mutating func publishNews() {
        lastNews += 1
        if dialect == .sente {
            return serve(
                .command(.push([.keyword("app/news"), data(lastNews)], uid: "u", flushes: true)))
        }
        serve(.command(.publish(data(lastNews), channel: "news")))
    }

    private mutating func command(_ command: Command) { feed(.command(command)) }

    // MARK: Links

    private mutating func breakLink() {
        guard
            let id = links.last(where: {
                pipes[$0]?.clientNotices == nil && pipes[$0]?.isOverForClient == false
            })
        else { return }
        count("cut")
        note("link \(id) is cut")
        lose(id)
    }

    /// What is on its way arrives up to somewhere, and each end notices when it does.
    private mutating func lose(_ id: LinkID) {
        guard var pipe = pipes[id] else { return }
        let up = Int.random(in: 0...pipe.toServer.count, using: &random)
        let down = Int.random(in: 0...pipe.toClient.count, using: &random)
        pipe.toServer.removeSubrange(up...)
        pipe.toClient.removeSubrange(down...)
        pipe.clientNotices = now.instant.advanced(
            by: .milliseconds(Int.random(in: 0...2_000, using: &random)))
        pipe.serverNotices = now.instant.advanced(
            by: .milliseconds(Int.random(in: 0...9_000, using: &random)))
        pipe.isCut = true
        pipes[id] = pipe
    }

    /// The client comes over another link while the server still has the old one, with words on it.
    private mutating func takeLinkOver() {
        guard let pipe = pipes[link], !pipe.isOverForClient, !pipe.isOverForServer else { return }
        count("taken over")
        pipes[link]?.serverNotices = now.instant.advanced(by: .seconds(30))
        pipes[link]?.clientNotices = now.instant
        pipes[link]?.toClient = []
        pipes[link]?.isCut = true
        noticeEnds()
    }

    private mutating func noticeEnds() {
        for id in links {
            guard let pipe = pipes[id] else { continue }
            if let time = pipe.clientNotices, time <= now.instant {
                pipes[id]?.clientNotices = nil
                // What had arrived before is read before.
                while pipes[id]?.toClient.isEmpty == false { carryToClient(id) }
                guard pipes[id]?.isOverForClient == false else { continue }
                pipes[id]?.isOverForClient = true
                report([.closed(.failed(LinkFailure(.lost, "The line went dead.")))], of: id)
            }
            if let time = pipe.serverNotices, time <= now.instant {
                pipes[id]?.serverNotices = nil
                while pipes[id]?.toServer.isEmpty == false { carryToServer(id) }
                guard pipes[id]?.isOverForServer == false else { continue }
                pipes[id]?.isOverForServer = true
                serve(.closed(pipe.connection))
            }
            if pipes[id]?.isOverForClient == true, pipes[id]?.isOverForServer == true { pipes[id] = nil }
        }
    }

    private mutating func carry(toServer: Bool) {
        let waiting = links.filter {
            guard let pipe = pipes[$0] else { return false }
            return toServer
                ? !pipe.toServer.isEmpty : !pipe.toClient.isEmpty || pipe.serverCloses != nil
        }
        guard let id = waiting.randomElement(using: &random) else { return }
        if toServer { carryToServer(id) } else { carryToClient(id) }
    }

    private mutating func carryToServer(_ id: LinkID) {
        guard let pipe = pipes[id], let message = pipe.toServer.first else { return }
        pipes[id]?.toServer.removeFirst()
        guard !pipe.isOverForServer else { return }
        note("\(id) > \(message.string)")
        serve(.received(pipe.connection, message))
    }

    private mutating func carryToClient(_ id: LinkID) {
        guard let pipe = pipes[id] else { return }
        if let message = pipe.toClient.first {
            pipes[id]?.toClient.removeFirst()
            guard !pipe.isOverForClient else { return }
            note("\(id) < \(message.string)")
            return report([.received([message])], of: id)
        }
        guard let code = pipe.serverCloses, !pipe.isOverForClient else { return }
        pipes[id]?.isOverForClient = true
        note("\(id) < close \(code.rawValue)")
        report([.closed(.closed(code: code, reason: ""))], of: id)
        if pipes[id]?.isOverForServer == true { pipes[id] = nil }
    }

    // MARK: The client

    private mutating func feed(_ input: Input) {
        var effects: [Effect] = []
        clientLoop.isOnLoop = true
        client.handle(input, at: now, into: &effects)
        judgeLoop()
        perform(effects)
    }

    private mutating func report(_ reports: [LinkReport], of id: LinkID) {
        var effects: [Effect] = []
        clientLoop.isOnLoop = true
        client.handle(reports, of: id, at: now, into: &effects)
        judgeLoop()
        perform(effects)
    }

    /// Where messages go in parts nothing large is coded in a step; plain ones are bounded and go as they are.
    private mutating func judgeLoop() {
        clientLoop.isOnLoop = false
        guard let surplus = clientLoop.takeSurplus(), client.status.features?.chunking == true else { return }
        violate("the client: \(surplus)")
    }

    private mutating func perform(_ effects: [Effect]) {
        // What a lost session ends is told before it is.
        for case .record(.sessionLost) in effects {
            count("fresh")
            note("the session is lost")
            sessionIsLost()
        }
        // All that one step did is done before the next begins, as by the driver.
        var reports: [(LinkReport, LinkID)] = []
        for effect in effects {
            switch effect {
            case .openLink(let id, _): open(id)
            case .transmit(let id, let batch):
                if pipes[id]?.isOverForServer == false, pipes[id]?.isCut == false {
                    pipes[id]?.toServer += batch.map(\.message)
                }
                if isHealing || chance(0.7) {
                    let earlier = writes.filter { $0.0 == id }.flatMap(\.1)
                    writes.removeAll { $0.0 == id }
                    reports.append((.wrote(earlier + batch.map(\.id)), id))
                } else {
                    writes.append((id, batch.map(\.id)))
                }
            case .closeLink(let id, _, _):
                // After the close frame nothing is read; it goes behind what was said.
                pipes[id]?.isOverForClient = true
                pipes[id]?.serverNotices = now.instant.advanced(by: .milliseconds(50))
                reports.append((.closed(.closed(code: .normal, reason: "")), id))
            case .abandonLink(let id): lose(id)
            case .work(let work): works.append(work)
            case .resolve(let call, let result): resolved(call, result)
            case .ready(inbox): hear(client.take(inbox))
            case .settled(let id, let result):
                guard let n = Int(id.dropFirst()) else { continue }
                if settled.updateValue(result, forKey: n) != nil { violate("durable \(n) is settled twice") }
                count("settled")
            case .record(.resumed(_, let out, let skipped, let missed)):
                count("resumed")
                if out > 0 { count("sent again") }
                if skipped > 0 { count("skipped") }
                if missed > 0 { count("missed") }
                self.missed += missed
            case .record(.flow(let signal)): count(signal)
            case .publish(let status): hasSession = hasSession || status.features?.resumption != nil
            case .record(.linkEnded(let error)):
                note("the client's link ended: \(error?.message ?? "")")
                if !hasSession { unorderedUpTo = lastNumber }
            default: break
            }
        }
        for (report, id) in reports { self.report([report], of: id) }
    }

    private mutating func count(_ signal: FlowSignal) {
        switch signal {
        case .batched: count("batched")
        case .compressed(.done, _): count("compressed")
        case .chunked: count("in parts")
        case .compressed, .lingered, .partsSent, .partsHeld, .partsLost, .stream: break
        }
    }

    private mutating func open(_ id: LinkID) {
        link = id
        guard isHealing || lastConnection == 100 || chance(0.9) else {
            return report([.closed(.failed(LinkFailure(.unreachable, "No one there.")))], of: id)
        }
        lastConnection += 1
        pipes[id] = Pipe(connection: ConnectionID(lastConnection))
        report([.opened(LinkOpening())], of: id)
        serve(
            .connected(
                ConnectionID(lastConnection),
                HandshakeInfo(clientID: "me", uid: dialect == .sente ? "u" : nil)))
    }

    // MARK: The server

    private mutating func serve(_ input: ServerInput) {
        var effects: [ServerEffect] = []
        serverLoop.isOnLoop = true
        server.handle(input, at: now, into: &effects)
        serverLoop.isOnLoop = false
        if let surplus = serverLoop.takeSurplus() { violate("the server: \(surplus)") }
        for effect in effects {
            switch effect {
            case .send(observer, let message): observe(message)
            case .send(let connection, let message):
                guard let id = pipes.first(where: { $0.value.connection == connection })?.key else {
                    continue
                }
                if pipes[id]?.isCut == false { pipes[id]?.toClient.append(message) }
            case .close(let connection, let code, _, _):
                guard let id = pipes.first(where: { $0.value.connection == connection })?.key else {
                    continue
                }
                note("\(id) is closed by the server: \(code.rawValue)")
                count("closed \(code.rawValue)")
                if pipes[id]?.isCut == false { pipes[id]?.serverCloses = code }
                pipes[id]?.isOverForServer = true
            case .drop(let connection):
                guard let id = pipes.first(where: { $0.value.connection == connection })?.key else {
                    continue
                }
                pipes[id]?.isOverForServer = true
                pipes[id]?.clientNotices = now.instant
            case .awaitRoom(let connection): awaitingRoom.append(connection)
            case .work(let work): serverWorks.append(work)
            case .tell(let event): tell(event)
            default: break
            }
        }
    }

    /// A large value has been written or read.
    private mutating func work() {
        guard !works.isEmpty else { return }
        count("worked")
        feed(.worked(works.removeFirst().done()))
    }

    private mutating func serverWork() {
        guard !serverWorks.isEmpty else { return }
        count("worked by the server")
        serve(.worked(serverWorks.removeFirst().done()))
    }

    /// What Sente's server tells its app.
    private mutating func tell(_ event: ServerEvent) {
        guard event.event[0]?.keywordValue?.namespace == "app", let n = number(in: event.event[1]) else {
            return
        }
        check(event.event[1] ?? .null, n)
        if let callback = event.callback {
            return serve(.command(.reply(event.event[1] ?? .null, callback: callback, to: event.connection)))
        }
        executed(n)
    }

    /// Links of the server take more.
    private mutating func giveRoom() {
        let waiting = awaitingRoom
        awaitingRoom = []
        for connection in waiting { serve(.room(connection)) }
    }

    /// The observer subscribes to channels.
    private mutating func say(_ channels: [String]) {
        for channel in channels {
            let value: Value =
                dialect == .senteLiteMaps
                ? ["type": "subscribe", "channel-id": .string(channel)]
                : [.keyword("sente-lite/subscribe"), [.keyword("channel-id"): .string(channel)]]
            let format: WireFormat = dialect == .senteLiteMaps ? .json : .edn
            guard let bytes = try? format.encode(value) else { continue }
            serve(.received(observer, Message(.text, bytes)))
        }
        serve(.command(.createChannel("news", nil)))
    }

    /// What came is what was sent.
    private mutating func check(_ value: Value, _ number: Int) {
        guard packs else { return }
        let fields = value.mapValue
        let text = fields?[name("text")] ?? fields?[name("data")]?.mapValue?[name("text")]
        if text?.stringValue != Self.text(number) { violate("message \(number) is not what was sent") }
    }

    private func number(in value: Value?) -> Int? {
        let fields = value?.mapValue
        let found = fields?[name("n")] ?? fields?[name("data")]?.mapValue?[name("n")]
        return found?.integerValue.map { Int($0) }
    }

    /// What the server did with the app's publications, once each and in their order.
    private mutating func observe(_ message: Message) {
        let format: WireFormat = dialect == .senteLiteMaps ? .json : .edn
        guard let value = try? format.decode(message.bytes) else { return }
        if value["type"] == "ping" {
            return serve(.received(observer, .text(#"{"type":"pong"}"#)))
        }
        if value[0] == .keyword("chsk/ws-ping") {
            return serve(.received(observer, .text("[:chsk/ws-pong]")))
        }
        guard let n = number(in: value) ?? number(in: value[1]) else { return }
        check(value[1] ?? value, n)
        executed(n)
    }

    private mutating func executed(_ n: Int) {
        guard let sent = said[n] else { return violate("nobody said \(n)") }
        executed[n, default: 0] += 1
        let isForgotten = sent.isDurable && n <= forgottenUpTo
        if executed[n] != 1, !isForgotten { violate("message \(n) was carried out twice") }
        // What was on a link whose session is lost may be carried out late; its call is told *unknown*.
        let last = lastExecuted[sent.priority] ?? 0
        if n <= last, n > unorderedUpTo { violate("message \(n) came after \(last)") }
        lastExecuted[sent.priority] = max(last, n)
    }

    // MARK: The promise

    private mutating func resolved(_ call: CallID, _ result: Result<Answer, SenteError>) {
        guard let sent = calls.removeValue(forKey: call) else { return }
        switch result {
        case .success(let answer):
            count("acknowledged")
            if case .value(let value) = answer, number(in: value) != sent.number {
                violate("request \(sent.number) got the answer \(value)")
            }
            if case .published = answer, executed[sent.number] == nil {
                violate("message \(sent.number) is acknowledged and was not carried out")
            }
        case .failure(let error):
            let end = "\(error.outcome?.rawValue ?? "") \(error.code.rawValue)"
            count(end)
            note("message \(sent.number): \(end)")
            if error.outcome == .notSent, executed[sent.number] != nil {
                violate("message \(sent.number) was carried out and is reported not sent")
            }
            if error.code == .connectionLost, freshSessions == 0 {
                violate("message \(sent.number) is unknown though no session was lost")
            }
        }
    }

    private mutating func hear(_ elements: [InboxElement]) {
        for element in elements {
            let data: Value
            switch element {
            case .message(let message): data = message.data
            case .event(let event, _): data = event.data
            case .request: continue
            }
            guard let n = number(in: data) else { continue }
            check(data, n)
            // Sente keeps a push for a client that may come back afresh.
            if n <= lastHeard, dialect != .sente || freshSessions == 0 {
                violate("news \(n) came after \(lastHeard)")
            }
            lastHeard = n
            heardNews += 1
        }
        feed(.consumed(inbox, elements.count))
    }

    private mutating func carryEverything() {
        while true {
            if let id = links.first(where: { pipes[$0].map(\.holdsWords) ?? false }) {
                carryToServer(id)
                carryToClient(id)
            } else if !works.isEmpty {
                work()
            } else if !serverWorks.isEmpty {
                serverWork()
            } else if !awaitingRoom.isEmpty {
                giveRoom()
            } else {
                return
            }
        }
    }

    /// Each was carried out, once where the server remembers, or its call heard that it was not sent.
    private mutating func checkDurables() {
        for (n, sent) in said.sorted(by: { $0.key < $1.key }) where sent.isDurable {
            guard let result = settled[n] else { return violate("durable \(n) is not settled") }
            if case .failure(let error) = result, error.outcome == .notSent { continue }
            if executed[n, default: 0] == 0 { violate("durable \(n) is \(result), and was not carried out") }
        }
    }

    private mutating func checkWishes() {
        guard dialect != .sente else { return }
        let connection = server.statistics(at: now).connections.first { $0.link == pipes[link]?.connection }
        let known = connection?.subscriptions.compactMap(\.stringValue).sorted() ?? []
        if known != client.subscriptions.sorted() {
            violate("healed, the server knows \(known), the wishes are \(client.subscriptions)")
        }
    }

    private mutating func heal() {
        isHealing = true
        tellWritten()
        for _ in 0..<400 where violations.isEmpty {
            carryEverything()
            pass(.milliseconds(200))
        }
        guard violations.isEmpty else { return }
        if client.status.state != .open { violate("healed, the client is \(client.status.state)") }
        if client.outboxCount > 0 { violate("healed, \(client.outboxCount) messages wait") }
        checkDurables()
        checkWishes()
        // What was published from here on comes.
        let before = heardNews
        for _ in 0..<3 { publishNews() }
        for _ in 0..<5 {
            pass(.milliseconds(200))
            carryEverything()
        }
        if heardNews != before + 3 { violate("healed, news do not come: the server does not know the wish") }
        if freshSessions == 0, lastNews - heardNews != missed {
            violate("\(lastNews - heardNews) news are lost, and \(missed) were told")
        }
    }
}

extension SessionConfiguration {
    fileprivate mutating func pack(using random: inout Generator) {
        largeValue = Int.random(in: 300...2_000, using: &random)
        flow.chunking = ChunkPolicy(size: Int.random(in: 100..<1_000, using: &random))
        flow.compression?.minimumBytes = 200
        flow.batching?.maximumBytes = 500
        flow.usesBinaryEnvelope = Bool.random(using: &random)
        if Bool.random(using: &random) { flow.batching?.linger = .milliseconds(10) }
    }
}

extension ServerConfiguration.Flow {
    fileprivate mutating func pack(using random: inout Generator) {
        let resumption = resumption
        self = .all
        self.resumption = resumption
        chunking?.size = Int.random(in: 100..<1_000, using: &random)
        compression?.minimumBytes = 200
        batching?.bytes = 500
        if Bool.random(using: &random) { batching?.linger = .milliseconds(10) }
    }
}

extension Compressor {
    /// Compresses runs: how many, and of what.
    static let runs = Compressor { bytes, output throws(WireError) in
        var place = 0
        while place < bytes.count {
            let run = bytes[place...].prefix { $0 == bytes[place] }.prefix(255).count
            output += [UInt8(run), bytes[place]]
            place += run
        }
    } decompress: { bytes, output, limit throws(WireError) in
        guard bytes.count % 2 == 0 else { throw WireError(.malformed, "It ends within a run.") }
        for place in stride(from: 0, to: bytes.count, by: 2) {
            guard output.count + Int(bytes[place]) <= limit else { throw WireError(.tooLarge, "Too large.") }
            output += [UInt8](repeating: bytes[place + 1], count: Int(bytes[place]))
        }
    }
}
