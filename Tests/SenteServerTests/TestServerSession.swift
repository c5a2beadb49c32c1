// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSignals
import SenteWire

/// A session under virtual time, its effects written as lines such as `1 < {"type":…}` and `1 close 1001`.
///
/// Conn-ids show as `<c1>`, request-ids as `<r1>` in the order of their making. The clock starts at 1,000 ms.
struct TestServerSession {
    var session: ServerSession
    private(set) var now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 1_000)
    private var names: [(String, String)] = []
    private var requestCount = 0
    /// What was recorded, in order.
    private(set) var signals: [ServerSignal] = []
    /// What is to be written or read elsewhere, in order.
    private(set) var works: [ServerWork] = []

    init(
        _ dialect: ServerConfiguration.Dialect = .maps,
        compressors: [FlowCapabilities.Algorithm: Compressor] = [:],
        _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) {
        var configuration = ServerConfiguration(dialect)
        configuration.heartbeatInterval = nil
        change(&configuration)
        session = ServerSession(configuration, seed: 1, compressors: compressors)
    }

    @discardableResult
    mutating func connect(_ number: UInt64, _ handshake: HandshakeInfo = HandshakeInfo()) -> [String] {
        let effects = effects(of: .connected(ConnectionID(number), handshake))
        if let name = session.name(of: ConnectionID(number)) { names.append((name, "<c\(number)>")) }
        return lines(effects)
    }

    /// A client's text message.
    ///
    /// Placeholders of earlier request-ids may stand in it.
    @discardableResult
    mutating func receive(from number: UInt64, _ text: String) -> [String] {
        var text = text
        for (name, mark) in names { text = text.replacing(mark, with: name) }
        return handle(.received(ConnectionID(number), .text(text)))
    }

    /// A client's message, whatever its kind.
    @discardableResult
    mutating func receive(from number: UInt64, _ message: Message) -> [String] {
        handle(.received(ConnectionID(number), message))
    }

    @discardableResult
    mutating func command(_ command: ServerCommand) -> [String] { handle(.command(command)) }

    @discardableResult
    mutating func handle(_ input: ServerInput) -> [String] { lines(effects(of: input)) }

    mutating func effects(of input: ServerInput) -> [ServerEffect] {
        var effects: [ServerEffect] = []
        session.handle(input, at: now, into: &effects)
        for case .record(let signal) in effects { signals.append(signal) }
        for case .work(let work) in effects { works.append(work) }
        return effects
    }

    /// Does the first of the works that are to be done.
    @discardableResult
    mutating func work() -> [String] {
        works.isEmpty ? [] : handle(.worked(works.removeFirst().done()))
    }

    /// Does something with a stream.
    mutating func change(_ name: StreamName, _ body: (inout ServerStream, Instant) -> Void) {
        var effects: [ServerEffect] = []
        let now = now
        _ = session.changeStream(name, at: now, into: &effects) { body(&$0, now.instant) }
        for case .record(let signal) in effects { signals.append(signal) }
    }

    /// Lets time pass, firing the timer at each deadline on the way.
    @discardableResult
    mutating func advance(by duration: Duration) -> [String] {
        let end = now.instant.advanced(by: duration)
        var seen: [String] = []
        while let deadline = session.deadline, deadline <= end {
            moveClock(to: deadline)
            seen += handle(.timerFired)
        }
        moveClock(to: end)
        return seen
    }

    mutating func moveClock(to instant: Instant) {
        now.wallMilliseconds += now.instant.duration(to: instant).wholeMilliseconds
        now.instant = instant
    }

    mutating func stepWallClock(by milliseconds: Int64) { now.wallMilliseconds += milliseconds }

    func page(_ target: String) -> String {
        var session = session
        guard case .answer(let answer) = session.admit(target: target, wantsUpgrade: false, at: now) else {
            return "no answer"
        }
        return "\(answer.status) \(masked(String(decoding: answer.body, as: UTF8.self)))"
    }

    private mutating func lines(_ effects: [ServerEffect]) -> [String] {
        for case .send(_, let message) in effects { learnRequests(message) }
        return effects.map { effect in
            switch effect {
            case .send(let id, let message): "\(id.number) < \(masked(message.string))"
            case .close(let id, let code, _, let keepsTCP):
                "\(id.number) close \(code)" + (keepsTCP ? " keeping TCP" : "")
            case .drop(let id): "\(id.number) drop"
            case .ask(let id, let value): "\(id.number) ask \(value)"
            case .tell(let event):
                "\(event.connection.number) tell \(masked(event.event.description))"
                    + (event.callback.map { " \($0)" } ?? "") + " as \(masked(event.uid.description))"
            case .serve(let request): "serve \(request.channel) \(request.data)"
            case .awaitRoom(let id): "\(id.number) has more"
            case .work: "work"
            case .pauseReading(let id): "\(id.number) is not read"
            case .resumeReading(let id): "\(id.number) is read"
            case .stream(let id, let name, _): "\(id.number) stream \(name.id)"
            case .agreedOnStreams(let id): "\(id.number) agreed on streams"
            case .subscription(let id, let channel, let isThere):
                "\(id.number) \(isThere ? "subscribed to" : "left") \(channel)"
            case .flood(let id, let flood): "\(id.number) flood \(flood.remaining)"
            case .remoteSignals(let signals):
                signals.map { masked("signal \($0.value)") }.joined(separator: "; ")
            case .record(let signal): masked("\(signal.id.rawValue) \(signal.data)")
            }
        }
    }

    private mutating func learnRequests(_ message: Message) {
        guard let value = try? WireFormat.json.decode(message.bytes),
            let id = value["request-id"]?.stringValue,
            id.hasPrefix("req-"), !names.contains(where: { $0.0 == id })
        else { return }
        requestCount += 1
        names.append((id, "<r\(requestCount)>"))
    }

    /// A text without the ids that differ from run to run.
    func masked(_ text: String) -> String {
        var text = text
        // The longest first: one name may begin another.
        for (name, mark) in names.sorted(by: { $0.0.utf8.count > $1.0.utf8.count }) {
            text = text.replacing(name, with: mark)
        }
        return text
    }
}
