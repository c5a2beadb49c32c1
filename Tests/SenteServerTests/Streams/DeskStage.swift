// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire

/// A server with a desk for its streams, and its clients, which are the test; chunks have four bytes.
struct DeskStage {
    var session: ServerSession
    var desk: StreamDesk
    private(set) var now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 1_000)
    /// What each client was told of streams, as maps without their prefix.
    private var told: [UInt64: [Value]] = [:]
    private(set) var closed: Set<UInt64> = []

    init(
        _ choose: StreamDesk.Choice? = nil, _ change: (inout StreamPolicy) -> Void = { _ in }
    ) {
        var configuration = ServerConfiguration(.maps)
        configuration.heartbeatInterval = nil
        var policy = StreamPolicy()
        policy.chunkSize = 4
        policy.window = .chunks(4)
        change(&policy)
        configuration.flow.streaming = policy
        session = ServerSession(configuration, seed: 1)
        desk = StreamDesk(choose)
    }

    // MARK: The client

    mutating func connect(_ number: UInt64 = 1, as client: String = "me") {
        handle(.connected(ConnectionID(number), HandshakeInfo(clientID: client)))
        sayText(#"{"type":"flow-handshake","capabilities":{"streaming":true}}"#, from: number)
    }

    mutating func lose(_ number: UInt64 = 1) { handle(.closed(ConnectionID(number))) }

    mutating func sayText(_ text: String, from number: UInt64 = 1) {
        handle(.received(ConnectionID(number), .text(text)))
    }

    /// A word about a stream; `fields` without braces.
    mutating func say(_ word: String, of id: String = "u", _ fields: String = "", from number: UInt64 = 1) {
        let more = fields.isEmpty ? "" : ",\(fields)"
        sayText(#"{"type":"flow-stream-\#(word)","message-id":"\#(id)"\#(more)}"#, from: number)
    }

    /// Asks for a stream.
    mutating func ask(
        _ kind: String = "upload", id: String = "u", number: Int = 1, _ more: String = "",
        from connection: UInt64 = 1
    ) {
        say(
            "init", of: id,
            #""stream-type":"\#(kind)","stream":\#(number),"chunk-size":4\#(more.isEmpty ? "" : ",")\#(more)"#,
            from: connection)
    }

    mutating func send(_ index: Int, _ text: String, of id: String = "u") {
        let data = Base64.text(Array(text.utf8))
        say("chunk", of: id, #""chunk-index":\#(index),"data":"\#(data)""#)
    }

    mutating func finish(chunks: Int, bytes: Int, of id: String = "u") {
        say("complete", of: id, #""total-chunks":\#(chunks),"total-size":\#(bytes)"#)
    }

    /// What a client was told since it was last looked at.
    mutating func takeTold(_ number: UInt64 = 1) -> [Value] {
        defer { told[number] = nil }
        return told[number] ?? []
    }

    /// The bytes of the chunks among these, and what else was said, by its name.
    static func summary(_ words: [Value]) -> [String] {
        words.map { word in
            let name = word["type"]?.stringValue?.dropFirst("flow-stream-".count) ?? "?"
            guard name == "chunk" else { return String(name) }
            return String(decoding: Base64.bytes(word["data"]?.stringValue ?? "") ?? [], as: UTF8.self)
        }
    }

    mutating func heard(_ number: UInt64 = 1) -> [String] { Self.summary(takeTold(number)) }

    // MARK: The server

    mutating func handle(_ input: ServerInput) {
        step { _, session, now, effects in session.handle(input, at: now, into: &effects) }
    }

    mutating func step<R>(
        _ body: (inout StreamDesk, inout ServerSession, Moment, inout [ServerEffect]) -> R
    ) -> R {
        var effects: [ServerEffect] = []
        let result = body(&desk, &session, now, &effects)
        var next = 0
        while next < effects.count {
            perform(effects[next], &effects)
            next += 1
        }
        return result
    }

    private mutating func perform(_ effect: ServerEffect, _ effects: inout [ServerEffect]) {
        switch effect {
        case .send(let id, let message):
            guard let value = try? WireFormat.json.decode(message.bytes),
                value["type"]?.stringValue?.hasPrefix("flow-stream-") == true
            else { return }
            told[id.number, default: []].append(value)
        case .close(let id, _, _, _), .drop(let id): closed.insert(id.number)
        case .awaitRoom(let id): session.handle(.room(id), at: now, into: &effects)
        case .stream(let id, let name, let event):
            desk.perform(event, of: name, on: id, in: &session, at: now, into: &effects)
        case .subscription(let id, let channel, let isThere):
            desk.note(
                id, isSubscribed: isThere, to: channel, in: &session, at: now, into: &effects)
        default: break
        }
    }

    /// Lets time pass, for session and desk.
    mutating func pass(_ duration: Duration) {
        let end = now.instant.advanced(by: duration)
        while let due = [session.deadline, desk.deadline].compactMap(\.self).min(), due <= end {
            now.wallMilliseconds += now.instant.duration(to: due).wholeMilliseconds
            now.instant = due
            step { desk, session, now, effects in desk.expire(in: &session, at: now, into: &effects) }
            handle(.timerFired)
        }
        now.instant = end
    }

    mutating func broadcast(_ source: any StreamSource, on channel: String = "radio")
        -> StreamDesk.BroadcastName
    {
        step { desk, session, now, effects in
            desk.beginBroadcast(
                of: source, on: channel, BroadcastStream(chunkSize: 4), in: &session, at: now, into: &effects)
        }
    }

    mutating func open(
        _ kind: StreamOffer.Kind = .download, to audience: StreamAudience = .everyone,
        _ makeEnds: () -> StreamEnds
    ) -> [StreamName] {
        step { desk, session, now, effects in
            desk.open(
                StreamOffer(kind, channel: "files", chunkSize: 4, isChecked: false), to: audience,
                in: &session, at: now, into: &effects, makeEnds)
        }
    }
}
