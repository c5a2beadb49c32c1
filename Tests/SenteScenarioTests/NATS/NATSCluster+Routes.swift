// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// Nodes that come and go, and what goes between them.
extension NATSCluster {
    // MARK: Interest

    /// False when the listener is subscribed already.
    mutating func subscribe(
        _ listener: NATSNode.Listener, _ pattern: NATSPattern, _ group: String? = nil, at node: Int
    ) -> Bool {
        guard nodes[node].subscribe(listener, pattern, group) else { return false }
        spread(NATSNode.Interest(pattern: pattern, group: group), 1, from: node)
        return true
    }

    @discardableResult
    mutating func unsubscribe(_ listener: NATSNode.Listener, at node: Int) -> Bool {
        guard let interest = nodes[node].unsubscribe(listener) else { return false }
        spread(interest, -1, from: node)
        return true
    }

    private mutating func spread(_ interest: NATSNode.Interest, _ change: Int, from node: Int) {
        for other in nodes where other.number != node && other.isUp {
            send(.interest(interest, change), from: node, to: other.number)
        }
    }

    private mutating func send(_ load: Relay.Load, from node: Int, to other: Int) {
        let route = Route(from: node, to: other)
        let drawn = milliseconds(routeDelay)
        let due = max(drawn, routes[route]?.last?.due ?? drawn)
        routes[route, default: []].append(Relay(due: due, load: load))
    }

    mutating func arrive(_ load: Relay.Load, over route: Route) {
        guard nodes[route.to].isUp else { return }
        switch load {
        case .interest(let interest, let change):
            nodes[route.to].remote[route.from, default: [:]][interest, default: 0] += change
            if nodes[route.to].remote[route.from]?[interest] == 0 {
                nodes[route.to].remote[route.from]?[interest] = nil
            }
            if change > 0 { pumpAll() }
        case .message(let message, let isPlain, let groups):
            let outcomes = nodes[route.to].receive(
                message, isPlain: isPlain, groups: groups, using: &random)
            perform(outcomes, at: route.to)
        }
    }

    // MARK: Messages

    /// To how many it went, other nodes counted once each.
    @discardableResult
    mutating func publish(_ message: NATSPublication, at node: Int) -> Int {
        guard nodes[node].isUp else { return 0 }
        let outcomes = nodes[node].publish(message, using: &random)
        perform(outcomes, at: node)
        return outcomes.count
    }

    private mutating func perform(_ outcomes: [NATSNode.Outcome], at node: Int) {
        for outcome in outcomes {
            switch outcome {
            case .say(let client, let word): say(client, word)
            case .relay(let other, let message, let isPlain, let groups):
                send(.message(message, isPlain: isPlain, groups: groups), from: node, to: other)
            case .hand(.stream, let message): store(message, at: node)
            case .hand(.api, let message): answerQuestion(message, at: node)
            case .hand(.consumer(let number), let message): go(on: number, message.subject)
            case .hand(.client, _): break
            }
        }
    }

    // MARK: Nodes

    func info(of node: Int, for client: Int) -> String {
        let places = nodes.filter { $0.isUp && !$0.isLeaving }.map { "\"n\($0.number):80\"" }
        let leaving = nodes[node].isLeaving ? #","ldm":true"# : ""
        return #"{"server_id":"S\#(node)","client_id":\#(client),"headers":true,"proto":1,"max_payload":"#
            + "\(settings.maximumPayload),\"connect_urls\":[\(places.joined(separator: ","))]\(leaving)}"
    }

    private mutating func tellOfNodes() {
        for node in nodes where node.isUp {
            for client in node.clients.keys.sorted() where node.clients[client]?.isIntroduced == true {
                say(client, .info(info(of: node.number, for: client)))
            }
        }
    }

    /// kill -9: its clients read the end of the stream, and what it was about to say is lost.
    mutating func kill(_ node: Int, _ now: Moment) -> [Output] {
        begin(now)
        if nodes[node].isUp { end(node, nil) }
        return take()
    }

    /// It closes its clients, and goes.
    mutating func stop(_ node: Int, _ now: Moment) -> [Output] {
        begin(now)
        if nodes[node].isUp { end(node, .goingAway) }
        return take()
    }

    /// The clients of a node are closed, and it is gone.
    mutating func end(_ node: Int, _ code: CloseCode?) {
        for client in nodes[node].clients.keys.sorted() {
            places[client] = nil
            outputs.append(.end(client: client, code))
        }
        nodes[node] = NATSNode(node)
        nodes[node].isUp = false
        departures[node] = nil
        for other in nodes.indices {
            nodes[other].remote[node] = nil
            routes[Route(from: node, to: other)] = nil
            routes[Route(from: other, to: node)] = nil
        }
        consumers = consumers.filter { $0.value.node != node }
        answers.removeAll { $0.node == node }
        if leader == node {
            leader = nil
            election = milliseconds(1_000...6_000)
        }
        tellOfNodes()
    }

    mutating func start(_ node: Int, _ now: Moment) -> [Output] {
        begin(now)
        guard !nodes[node].isUp else { return [] }
        nodes[node] = NATSNode(node)
        _ = nodes[node].subscribe(.api, NATSPattern("$JS.API.>"))
        for other in nodes where other.number != node && other.isUp {
            for interest in other.interests { send(.interest(interest, 1), from: other.number, to: node) }
        }
        tellOfNodes()
        return take()
    }

    /// It says so to its clients, takes no more of them, and closes in 10 s those that are still there.
    mutating func leave(_ node: Int, _ now: Moment) -> [Output] {
        begin(now)
        guard nodes[node].isUp, !nodes[node].isLeaving else { return [] }
        nodes[node].isLeaving = true
        if leader == node { stepDown() }
        departures[node] = now.instant.advanced(by: .seconds(12))
        tellOfNodes()
        return take()
    }

    /// The clients of a node are closed though it stays: their user was taken away, or somebody told it to.
    mutating func close(_ client: Int, _ code: CloseCode, _ now: Moment) -> [Output] {
        begin(now)
        if places[client] != nil { end(client: client, code) }
        return take()
    }

    /// A user may not hear something any more: its subscription is gone, and it is told.
    mutating func takePermission(of client: Int, _ now: Moment) -> [Output] {
        begin(now)
        guard let node = places[client] else { return [] }
        let some = nodes[node].subscriptions.filter {
            if case .client(client, _) = $0.listener { !$0.pattern.text.hasPrefix("_INBOX.") } else { false }
        }
        guard let chosen = some.randomElement(using: &random), case .client(_, let sid) = chosen.listener
        else {
            return []
        }
        unsubscribe(chosen.listener, at: node)
        let text = "Permissions Violation for Subscription to \"\(chosen.pattern.text)\" (sid \"\(sid)\")"
        say(client, .error(text))
        return take()
    }

    /// A node says what no node should; whatever the client answers is not read.
    mutating func talkNonsense(_ text: String, to client: Int, _ now: Moment) -> [Output] {
        begin(now)
        if places[client] != nil { say(client, .raw(text)) }
        return take()
    }
}
