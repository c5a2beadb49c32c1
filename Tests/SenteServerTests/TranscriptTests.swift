// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

/// Recordings of sente-lite's own server: told the same, ours says the same, with what it adds behind.
@Suite(
    "Recordings of sente-lite's server",
    .enabled(if: Transcript.folder != nil, "Set SENTE_SHARED to the folder with the recordings to run these.")
)
struct TranscriptTests {
    /// Values that do not depend on clocks and counters.
    ///
    /// Subscribing again counts twice there.
    private static let compared: Set<String> = [
        "type", "channel-id", "success", "reason", "delivered-to", "data", "original", "original-timestamp",
        "subscriptions", "hello", "n", "retained-messages",
    ]

    @Test(
        "They are followed frame for frame",
        arguments: [
            ("lite-v1-json", .json, false), ("lite-v1a-json", .json, true), ("lite-v1-edn", .edn, false),
        ] as [(String, WireFormat, Bool)])
    func replay(_ name: String, _ format: WireFormat, _ isFlat: Bool) throws {
        var server = TestServerSession {
            $0.format = format
            $0.faults.ignoresUnfitData = true
            $0.faults.forwardsNoRequests = true
            $0.faults.deliversFlat = isFlat
        }
        var ours: [UInt64: [Value]] = [:]
        var theirs: [UInt64: [Value]] = [:]
        for line in try Transcript(name).lines {
            let id = ConnectionID(line.connection)
            let effects: [ServerEffect]
            switch line.entry {
            case .upgrade: effects = server.effects(of: .connected(id))
            case .client(let message): effects = server.effects(of: .received(id, message))
            case .server(let message):
                let value = try format.decode(message.bytes)
                // The heartbeat follows the recording's clock, not its frames.
                if field("type", of: value) != "ping" { theirs[line.connection, default: []].append(value) }
                continue
            default: continue
            }
            for case .send(let id, let message) in effects {
                ours[id.number, default: []].append(try format.decode(message.bytes))
            }
        }
        #expect(theirs[1]?.count ?? 0 > 15)
        for number in [1, 2] as [UInt64] {
            #expect(ours[number]?.count == theirs[number]?.count)
            for (our, their) in zip(ours[number] ?? [], theirs[number] ?? []) { compare(our, their) }
        }
    }

    private func compare(_ our: Value, _ their: Value) {
        let keys = their.mapValue?.keys ?? []
        #expect(our.mapValue.map { Array($0.keys.prefix(keys.count)) } == keys)
        for key in keys where Self.compared.contains(text(key)) {
            #expect(our.mapValue?[key] == their.mapValue?[key], "\(key) of \(their)")
        }
    }

    /// Names are text in JSON and keywords in EDN.
    private func text(_ value: Value) -> String { value.stringValue ?? value.keywordValue?.text ?? "" }

    private func field(_ name: String, of value: Value) -> String? {
        (value[name] ?? value[Keyword(name)]).map(text)
    }
}
