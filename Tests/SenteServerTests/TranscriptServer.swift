// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire

/// A Sente server whose user does what the user of the recorded one did.
struct TranscriptServer {
    private var server: TestServerSession
    private let format: WireFormat
    /// Answers that are nothing but the user's data, by callback.
    private let answers: [Value: Value]
    /// What the user does later: milliseconds after the start, in order.
    private var plans: [(at: Int64, command: ServerCommand)] = []
    private(set) var outputs: [UInt64: [ConnectionOutput]] = [:]
    private var open: Set<UInt64> = []

    init(_ format: WireFormat, answers: [Value: Value], _ change: (inout SenteSettings) -> Void) {
        self.format = format
        self.answers = answers
        server = TestServerSession(.sente) {
            $0.format = format
            $0.hasHook = true
            change(&$0.sente)
        }
    }

    /// The recorded users were named by their clients.
    mutating func connect(_ number: UInt64, _ target: String) {
        open.insert(number)
        var handshake = HandshakeInfo(target: target)
        handshake.uid = .string(handshake.clientID)
        let path = target.prefix { $0 != "?" }
        handshake.handshakeData = [.keyword("rig"): "sente", .keyword("mount"): .string(String(path))]
        handle(.connected(ConnectionID(number), handshake))
    }

    mutating func receive(_ message: Message, _ number: UInt64) {
        handle(.received(ConnectionID(number), message))
    }

    mutating func close(_ number: UInt64) {
        if open.remove(number) != nil { handle(.closed(ConnectionID(number))) }
    }

    mutating func advance(to milliseconds: Int64) {
        while let next = nextTime, next <= Instant(nanoseconds: milliseconds * 1_000_000) {
            server.moveClock(to: next)
            if let plan = plans.first, Instant(nanoseconds: plan.at * 1_000_000) <= next {
                plans.removeFirst()
                handle(.command(plan.command))
            } else {
                handle(.timerFired)
            }
        }
        server.moveClock(to: max(server.now.instant, Instant(nanoseconds: milliseconds * 1_000_000)))
    }

    private var nextTime: Instant? {
        let planned = plans.first.map { Instant(nanoseconds: $0.at * 1_000_000) }
        return [planned, server.session.deadline].compactMap(\.self).min()
    }

    private mutating func handle(_ input: ServerInput) {
        for effect in server.effects(of: input) {
            switch effect {
            case .send(let id, let message):
                let value = (try? format.decode(message.bytes)) ?? "undecodable"
                outputs[id.number, default: []].append(.value(Self.timeless(value)))
            case .close(let id, let code, _, _):
                open.remove(id.number)
                outputs[id.number, default: []].append(.close(Int(code.rawValue)))
            case .drop(let id):
                open.remove(id.number)
                outputs[id.number, default: []].append(.drop)
            case .tell(let event): serve(event)
            case .ask, .serve, .flood, .record, .remoteSignals, .awaitRoom, .stream, .agreedOnStreams,
                .subscription, .work, .pauseReading, .resumeReading:
                break
            }
        }
    }

    // MARK: The user

    private mutating func serve(_ event: ServerEvent) {
        let data = event.event[1] ?? .null
        func number(_ name: Keyword) -> Int64 { data[name]?.integerValue ?? 0 }
        switch event.event[0]?.keywordValue?.text {
        case "test/echo": event.callback == nil ? push(event.event, event) : reply(data, event)
        case "test/reply-twice":
            reply(.keyword("first"), event)
            reply(.keyword("second"), event, after: 40)
        case "test/slow": reply(data[Keyword("value")] ?? .null, event, after: number("ms"))
        case "test/no-reply", "test/throw": break
        case "test/push-bare": push([.keyword("test/bare")], event)
        case "test/burst": burst(number("n"), event, flushes: false)
        case "test/burst-flush": burst(number("n"), event, flushes: true)
        case "test/start-push":
            for n in 0..<number("n") {
                push(Self.push(n, at: 0), event, after: n * number("every-ms"))
            }
            reply(.keyword("ok"), event)
        case "test/broadcast":
            handle(
                .command(
                    .broadcast([
                        .keyword("test/broadcast"), [.keyword("from"): event.uid, .keyword("data"): data],
                    ])))
            reply([.keyword("n"): Value(server.session.connectedUIDs.any.count)], event)
        case "test/close": push([.keyword("chsk/close")], event)
        case "test/close-flush":
            push([.keyword("test/never")], event)
            push([.keyword("chsk/close")], event, flushes: true)
        case "test/drop": handle(.command(.drop(event.connection)))
        case let id? where id.hasPrefix("chsk/"): break
        default: reply(event.callback.flatMap { answers[$0] } ?? .null, event)
        }
    }

    private mutating func burst(_ count: Int64, _ event: ServerEvent, flushes: Bool) {
        for n in 0..<count { push(Self.push(n), event, flushes: flushes) }
        guard event.callback == nil else { return reply(.keyword("ok"), event) }
        let done: Value = [.keyword("for"): event.event[0] ?? .null, .keyword("value"): .keyword("ok")]
        push([.keyword("test/no-cb-reply"), done], event)
    }

    private static func push(_ n: Int64, at time: Int64? = nil) -> Value {
        var data: ValueMap = [.keyword("n"): .integer(n)]
        if let time { data[.keyword("at")] = .integer(time) }
        return [.keyword("test/push"), .map(data)]
    }

    private mutating func reply(_ value: Value, _ event: ServerEvent, after milliseconds: Int64 = 0) {
        guard let callback = event.callback else { return }
        perform(.reply(value, callback: callback, to: event.connection), after: milliseconds)
    }

    private mutating func push(
        _ value: Value, _ event: ServerEvent, flushes: Bool = false, after milliseconds: Int64 = 0
    ) {
        perform(.push(value, uid: event.uid, flushes: flushes), after: milliseconds)
    }

    private mutating func perform(_ command: ServerCommand, after milliseconds: Int64) {
        guard milliseconds > 0 else { return handle(.command(command)) }
        plans.append((server.now.instant.nanoseconds / 1_000_000 + milliseconds, command))
        plans.sort { $0.at < $1.at }
    }

    // MARK: What is compared

    /// The value with every time of pushing left out.
    static func timeless(_ value: Value) -> Value {
        switch value {
        case .vector(let items): .vector(items.map(timeless))
        case .map(let map):
            .map(ValueMap(map.filter { $0.key != .keyword("at") }.map { ($0.key, $0.value) }))
        default: value
        }
    }
}
