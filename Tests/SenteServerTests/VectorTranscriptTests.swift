// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

/// Told the same, our server says the same, value for value; only names, tokens and times differ.
@Suite(
    "Recordings of sente-lite's vectors",
    .enabled(if: Transcript.folder != nil, "Set SENTE_SHARED to the folder with the recordings to run these.")
)
struct VectorTranscriptTests {
    @Test(
        "They are followed frame for frame",
        arguments: [("lite-head-edn", 15), ("lite-head-publish", 13), ("lite-head-heartbeat", 14)])
    func replay(_ name: String, _ count: Int) throws {
        var server = TestServerSession(.vectors) {
            if name == "lite-head-edn" { $0.csrfToken = "lite-csrf-token" }
            guard name == "lite-head-heartbeat" else { return }
            $0.heartbeatInterval = .milliseconds(1_500)
            $0.heartbeatTimeout = .seconds(4)
        }
        var ours: [UInt64: [ConnectionOutput]] = [:]
        var theirs: [UInt64: [ConnectionOutput]] = [:]
        var masks = Masks()
        func note(_ effects: [ServerEffect]) throws {
            for effect in effects {
                switch effect {
                case .send(let id, let message):
                    ours[id.number, default: []].append(
                        .value(masks.masked(try WireFormat.edn.decode(message.bytes), id.number)))
                case .close(let id, let code, _, _):
                    ours[id.number, default: []].append(.close(Int(code.rawValue)))
                default: Issue.record("\(effect)")
                }
            }
        }
        var gone: Set<UInt64> = []
        for line in try Transcript(name).lines {
            try server.advance(to: line.milliseconds, note)
            let id = ConnectionID(line.connection)
            switch line.entry {
            case .upgrade: try note(server.effects(of: .connected(id)))
            case .client(let message): try note(server.effects(of: .received(id, message)))
            case .server(let message):
                theirs[line.connection, default: []].append(
                    .value(masks.masked(try WireFormat.edn.decode(message.bytes), line.connection)))
            case .clientClose where gone.insert(line.connection).inserted:
                try note(server.effects(of: .closed(id)))
            case .serverClose(let code) where gone.insert(line.connection).inserted:
                theirs[line.connection, default: []].append(.close(code))
            case .clientClose, .serverClose, .serverDrop, .refused: break
            }
        }
        #expect(theirs.values.reduce(0) { $0 + $1.count } == count)
        #expect(ours == theirs)
        // The seven probes that no server of this family understands.
        if name == "lite-head-edn" { #expect(server.session.counters.unreadableMessages == 7) }
    }
}

/// Puts the same in the place of what differs from run to run.
private struct Masks {
    private var names: [String: String] = [:]

    mutating func masked(_ value: Value, _ connection: UInt64) -> Value {
        if value[0] == .keyword("chsk/handshake"), let name = value[1]?[0]?.stringValue {
            names[name] = "<c\(connection)>"
        }
        return replaced(value)
    }

    private func replaced(_ value: Value) -> Value {
        switch value {
        case .string(let text):
            if let name = names[text] { return .string(name) }
            return UniqueID(text) == nil ? value : "<token>"
        case .vector(let items): return .vector(items.map(replaced))
        case .map(let map):
            return .map(
                ValueMap(map.map { ($0.key, $0.key == .keyword("timestamp") ? 0 : replaced($0.value)) }))
        default: return value
        }
    }
}

extension TestServerSession {
    /// Lets time pass up to so many milliseconds after the start.
    mutating func advance(to milliseconds: Int64, _ body: ([ServerEffect]) throws -> Void) rethrows {
        let end = Instant(nanoseconds: milliseconds * 1_000_000)
        while let deadline = session.deadline, deadline <= end {
            moveClock(to: deadline)
            try body(effects(of: .timerFired))
        }
        if end > now.instant { moveClock(to: end) }
    }
}
