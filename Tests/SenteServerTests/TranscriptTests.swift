// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteServer
import SenteWire
import Testing

private let shared = ProcessInfo.processInfo.environment["SENTE_SHARED"]

/// Recordings of sente-lite's own server: told the same, ours says the same, with what it adds behind.
@Suite(
    "Recordings of sente-lite's server",
    .enabled(if: shared != nil, "Set SENTE_SHARED to the folder with the recordings to run these."))
struct TranscriptTests {
    /// Values that do not depend on clocks and counters.
    ///
    /// Subscribing again counts twice there.
    private static let compared: Set<String> = [
        "type", "channel-id", "success", "reason", "delivered-to", "data", "original", "original-timestamp",
        "subscriptions", "hello", "n", "retained-messages",
    ]

    @Test("They are followed frame for frame", arguments: [("lite-v1-json", false), ("lite-v1a-json", true)])
    func replay(_ name: String, _ isFlat: Bool) throws {
        var stage = Stage {
            $0.faults.ignoresUnfitData = true
            $0.faults.forwardsNoRequests = true
            $0.faults.deliversFlat = isFlat
        }
        let path = "\(shared ?? "")/transcripts/\(name).jsonl"
        let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
        var ours: [UInt64: [Value]] = [:]
        var theirs: [UInt64: [Value]] = [:]
        for line in text.split(separator: "\n") {
            let entry = try WireFormat.json.decode(Array(line.utf8))
            let number: UInt64 = entry["conn"]?.stringValue == "B" ? 2 : 1
            let frame = entry["text"]?.stringValue ?? ""
            let effects: [ServerEffect]
            switch (entry["dir"]?.stringValue, entry["opcode"]?.stringValue) {
            case ("c2s", "http-upgrade"): effects = stage.effects(of: .connected(ConnectionID(number)))
            case ("c2s", "text"): effects = stage.effects(of: .received(ConnectionID(number), .text(frame)))
            case ("s2c", "text"):
                let value = try WireFormat.json.decode(Array(frame.utf8))
                // The heartbeat follows the recording's clock, not its frames.
                if value["type"] != "ping" { theirs[number, default: []].append(value) }
                continue
            default: continue
            }
            for case .send(let id, let message) in effects {
                ours[id.number, default: []].append(try WireFormat.json.decode(message.bytes))
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
        for case .string(let key) in keys where Self.compared.contains(key) {
            #expect(our[key] == their[key], "\(key) of \(their)")
        }
    }
}
