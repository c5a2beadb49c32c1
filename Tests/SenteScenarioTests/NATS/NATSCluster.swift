// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// Nodes, the routes between them, and the stream that they keep together.
///
/// What it does depends on its inputs, the time and its seed alone. A route keeps the order of what goes over it, interest and
/// messages alike, and takes its time: so another node may not know of a subscription that its own has confirmed.
struct NATSCluster {
    struct Settings {
        var maximumPayload = 3_000
        /// As servers of 2.15 are, else as those of 2.9.
        var isNewer = false
        var nodes = 3
    }

    /// What the world is to carry, and what it may want to know.
    enum Output {
        case say(client: Int, NATSServerWord)
        /// The connection ends, by a close frame or without.
        case end(client: Int, CloseCode?)
        /// A node took a message of a client, or refused it.
        case took(client: Int, NATSPublication, isRefused: Bool)
        /// A client did what it may not do.
        case problem(client: Int, String)
    }

    /// Something on its way from one node to another.
    struct Relay {
        enum Load {
            case message(NATSPublication, isPlain: Bool, groups: [String])
            case interest(NATSNode.Interest, Int)
        }

        let due: Instant
        let load: Load
    }

    struct Route: Hashable {
        let from: Int
        let to: Int
    }

    let settings: Settings
    var nodes: [NATSNode]
    var random: Generator
    private(set) var now = Moment(instant: .distantPast, wallMilliseconds: 0)
    var outputs: [Output] = []
    /// The node of each client.
    var places: [Int: Int] = [:]
    var routes: [Route: [Relay]] = [:]
    private var pings: [Int: Instant] = [:]
    /// When a node that is leaving ends its connections.
    var departures: [Int: Instant] = [:]

    // The stream
    var stream = NATSStream(1)
    var streams = 1
    var leader: Int?
    var election: Instant?
    var consumers: [Int: NATSConsumer] = [:]
    var lastConsumer = 0
    var answers: [Answer] = []

    /// What a node is about to publish of its own accord.
    struct Answer {
        let due: Instant
        let node: Int
        let message: NATSPublication
    }

    // Faults
    /// How long routes take, in milliseconds.
    var routeDelay = 0...2
    /// How long the stream takes to answer, in milliseconds.
    var answerDelay = 0...5
    /// How often the stream's answers are lost.
    var answerLoss = 0.0
    /// The token that clients must have; nil lets all in.
    var token: String?
    /// No more clients are let in.
    var isFull = false

    init(_ settings: Settings, seed: UInt64) {
        self.settings = settings
        random = Generator(seed: seed)
        nodes = (0..<settings.nodes).map { NATSNode($0) }
        for index in nodes.indices { _ = nodes[index].subscribe(.api, NATSPattern("$JS.API.>")) }
        election = .distantPast
    }

    // MARK: Time

    var deadline: Instant? {
        var earliest = election ?? .distantFuture
        for relays in routes.values { if let first = relays.first { earliest = min(earliest, first.due) } }
        for ping in pings.values { earliest = min(earliest, ping) }
        for departure in departures.values { earliest = min(earliest, departure) }
        for answer in answers { earliest = min(earliest, answer.due) }
        for consumer in consumers.values { earliest = min(earliest, consumer.beat) }
        return earliest == .distantFuture ? nil : earliest
    }

    mutating func advance(to now: Moment) -> [Output] {
        self.now = now
        if let election, election <= now.instant { elect() }
        for route in routes.keys.sorted(by: { ($0.from, $0.to) < ($1.from, $1.to) }) {
            while let relay = routes[route]?.first, relay.due <= now.instant {
                routes[route]?.removeFirst()
                arrive(relay.load, over: route)
            }
        }
        let due = answers.filter { $0.due <= now.instant }
        answers.removeAll { $0.due <= now.instant }
        for answer in due { publish(answer.message, at: answer.node) }
        for (client, time) in pings.sorted(by: { $0.key < $1.key }) where time <= now.instant { ask(client) }
        for (node, time) in departures.sorted(by: { $0.key < $1.key }) where time <= now.instant {
            departures[node] = nil
            end(node, .goingAway)
        }
        for number in consumers.keys.sorted() { beat(number) }
        return take()
    }

    /// An input comes at that time.
    mutating func begin(_ now: Moment) { self.now = now }

    mutating func take() -> [Output] {
        defer { outputs = [] }
        return outputs
    }

    mutating func milliseconds(_ range: ClosedRange<Int>) -> Instant {
        now.instant.advanced(by: .milliseconds(Int.random(in: range, using: &random)))
    }

    // MARK: Clients

    func takesClients(_ node: Int) -> Bool { nodes[node].isUp && !nodes[node].isLeaving }

    func subscriptions(of client: Int) -> [String] {
        places[client].map { nodes[$0].subscriptions(of: client) } ?? []
    }

    mutating func open(_ client: Int, at node: Int, _ now: Moment) -> [Output] {
        self.now = now
        places[client] = node
        nodes[node].clients[client] = NATSNode.Client()
        say(client, .info(info(of: node, for: client)))
        if isFull {
            say(client, .error("maximum connections exceeded"))
            end(client: client, .policyViolation)
        } else {
            pings[client] = now.instant.advanced(by: .seconds(2))
        }
        return take()
    }

    mutating func ended(_ client: Int, _ now: Moment) -> [Output] {
        self.now = now
        forget(client)
        return take()
    }

    private mutating func forget(_ client: Int) {
        guard let node = places.removeValue(forKey: client) else { return }
        pings[client] = nil
        nodes[node].clients[client] = nil
        for subscription in nodes[node].subscriptions {
            guard case .client(client, _) = subscription.listener else { continue }
            unsubscribe(subscription.listener, at: node)
        }
    }

    mutating func received(_ bytes: some Collection<UInt8>, from client: Int, _ now: Moment) -> [Output] {
        self.now = now
        guard let node = places[client] else { return [] }
        for word in nodes[node].clients[client]?.reading.read(bytes) ?? [] where places[client] != nil {
            hear(word, client, node)
        }
        return take()
    }

    private mutating func hear(_ word: NATSClientWord, _ client: Int, _ node: Int) {
        if case .connect(let options) = word { return introduce(client, node, options) }
        guard nodes[node].clients[client]?.isIntroduced == true else {
            outputs.append(.problem(client: client, "\(word) came before CONNECT"))
            return refuse(client, "Authorization Violation", .policyViolation)
        }
        switch word {
        case .connect: break
        case .pong: nodes[node].clients[client]?.unanswered = 0
        case .ping: say(client, .pong)
        case .subscribe(let subject, let group, let sid): subscribe(client, node, subject, group, sid)
        // One that was refused is let go of without a word.
        case .unsubscribe(let sid): unsubscribe(.client(client, sid: sid), at: node)
        case .publish(let message): publish(message, client, node)
        case .nonsense(let text):
            outputs.append(.problem(client: client, "no server understands “\(text)”"))
            refuse(client, "Unknown Protocol Operation", .protocolError)
        }
    }

    private mutating func introduce(_ client: Int, _ node: Int, _ options: String) {
        let options = try? WireFormat.json.decode(Array(options.utf8))
        guard options?["verbose"] == false, options?["protocol"] == 1, options?["headers"] == true else {
            return outputs.append(.problem(client: client, "CONNECT says \(String(describing: options))"))
        }
        guard token == nil || options?["auth_token"]?.stringValue == token else {
            return refuse(client, "Authorization Violation", .policyViolation)
        }
        nodes[node].clients[client]?.isIntroduced = true
        nodes[node].clients[client]?.hearsOfNobody = options?["no_responders"] == true
        // Newer ones say INFO once more about the first PONG, before it or after it.
        if settings.isNewer { say(client, .info(info(of: node, for: client))) }
    }

    private mutating func subscribe(
        _ client: Int, _ node: Int, _ subject: String, _ group: String?, _ sid: String
    ) {
        guard !Self.isForbidden(subject) else {
            let suffix = group.map { " using queue \"\($0)\"" } ?? ""
            return say(client, .error("Permissions Violation for Subscription to \"\(subject)\"\(suffix)"))
        }
        if !subscribe(.client(client, sid: sid), NATSPattern(subject), group, at: node) {
            outputs.append(.problem(client: client, "SUB \(subject) \(sid): the number is in use"))
        }
    }

    private mutating func publish(_ message: NATSPublication, _ client: Int, _ node: Int) {
        guard message.head.count + message.payload.count <= settings.maximumPayload else {
            outputs.append(.problem(client: client, "\(message.subject) is larger than max_payload"))
            return refuse(client, "Maximum Payload Violation", .messageTooBig)
        }
        let isRefused = Self.isForbidden(message.subject)
        outputs.append(.took(client: client, message, isRefused: isRefused))
        guard !isRefused else {
            return say(client, .error("Permissions Violation for Publish to \"\(message.subject)\""))
        }
        guard publish(message, at: node) == 0, let reply = message.reply,
            nodes[node].clients[client]?.hearsOfNobody == true
        else { return }
        let head = Array("NATS/1.0 503\r\n\r\n".utf8)
        for subscription in nodes[node].subscriptions where subscription.pattern.matches(reply) {
            guard case .client(client, let sid) = subscription.listener else { continue }
            say(client, .message(NATSPublication(subject: reply, head: head), sid: sid))
        }
    }

    static func isForbidden(_ subject: String) -> Bool { subject.hasPrefix("secret.") }

    private mutating func refuse(_ client: Int, _ text: String, _ code: CloseCode) {
        say(client, .error(text))
        end(client: client, code)
    }

    private mutating func ask(_ client: Int) {
        guard let node = places[client], let state = nodes[node].clients[client] else {
            pings[client] = nil
            return
        }
        pings[client] = now.instant.advanced(by: .seconds(15))
        guard state.isIntroduced else { return refuse(client, "Authentication Timeout", .policyViolation) }
        guard state.unanswered < 2 else { return refuse(client, "Stale Connection", .goingAway) }
        nodes[node].clients[client]?.unanswered += 1
        say(client, .ping)
    }

    mutating func say(_ client: Int, _ word: NATSServerWord) {
        outputs.append(.say(client: client, word))
    }

    mutating func end(client: Int, _ code: CloseCode?) {
        forget(client)
        outputs.append(.end(client: client, code))
    }
}
