// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite
import SenteTestKit
import SenteWire
import Testing

/// What recorded clients of real servers said, said again by the public calls.
///
/// The frames that no public call makes (an unsolicited `pong`, a bare `ping`, a repeated `subscribe`, an `rpc-response` to
/// nobody) are said by the dialect, in its own tests.
@Suite(
    "A recorded conversation, by the public calls",
    .enabled(if: Recording.folder != nil, "SENTE_SHARED does not name the folder of the recordings"))
struct TranscriptTests {
    @Test(
        "each call writes the recorded frame, value for value; probes are refused", arguments: Recording.names
    )
    func calls(_ name: String) async throws {
        var recorded = try Recording.clientFrames(name)[...]
        func next(_ type: String?) -> Value? {
            guard let index = recorded.firstIndex(where: { Self.isOf($0, type) }) else { return nil }
            defer { recorded = recorded[(index + 1)...] }
            return recorded[index]
        }
        let stage = DriverStage()
        let client = try await stage.openClient()

        // Its stamp is the time, which no two calls share.
        _ = try await client.ping()
        var ping = try #require(next("ping")?.mapValue)
        ping["timestamp"] = stage.server.received.last?["timestamp"]
        #expect(stage.server.received.last == .map(ping))

        let subscription = try await client.subscribe("news")
        try stage.expectReceived(next("subscribe"))
        try await client.publish(["hello": "all", "n": 1], to: "news")
        try stage.expectReceived(next("publish"))
        #expect(
            await Self.refusal { () async throws(SenteError) in
                try await client.publish(2, to: "news", excludeSender: true)
            } == .invalidArgument)
        _ = try await client.listChannels()
        try stage.expectReceived(next("list-channels"))
        #expect(try await client.confirmedSubscriptions() == ["news"])
        try stage.expectReceived(next("get-subscriptions"))
        #expect(try await client.request(["q": 1], on: "news", timeout: .seconds(1)) == ["q": 1])
        try stage.expectReceived(next("rpc-request"))
        try await client.unsubscribe("news")
        try stage.expectReceived(next("unsubscribe"))
        try await client.send(Event(id: "anything", data: ["data": [1, 2.5, nil, true, "é✓"]]))
        try stage.expectReceived(next("anything"))
        try await client.send(Event(id: "sente-lite/message", data: ["no-type": 1]))
        try stage.expectReceived(next(nil))
        // {broken and [1,2]
        for data: Value in ["{broken", [1, 2]] {
            #expect(
                await Self.refusal { () async throws(SenteError) in
                    try await client.send(Event(id: "sente-lite/message", data: data))
                } == .invalidArgument)
        }
        withExtendedLifetime(subscription) {}
    }

    private static func isOf(_ frame: Value, _ type: String?) -> Bool {
        guard let map = frame.mapValue else { return false }
        // The recorded publish of a number is a probe.
        return map["type"]?.stringValue == type && map["data"]?.integerValue == nil
    }

    private static func refusal(_ body: () async throws(SenteError) -> Void) async -> SenteError.Code? {
        await error(body)?.code
    }
}

extension DriverStage {
    fileprivate func expectReceived(_ recorded: Value?) throws {
        host.waitUntilIdle()
        let frame = try #require(recorded)
        #expect(server.received.last == frame)
    }
}

/// The recordings, one JSON object a line.
private enum Recording {
    static let names = ["lite-v1-json", "lite-v1a-json"]

    static var folder: String? {
        ProcessInfo.processInfo.environment["SENTE_SHARED"].map { $0 + "/transcripts/" }
    }

    /// What the client sent as text and was JSON.
    static func clientFrames(_ name: String) throws -> [Value] {
        guard let folder else { return [] }
        let text = try String(contentsOfFile: folder + name + ".jsonl", encoding: .utf8)
        return try text.split(separator: "\n").compactMap { line in
            let entry = try WireFormat.json.decode(Array(line.utf8))
            guard entry["dir"] == "c2s", entry["opcode"] == "text", entry["conn"] == nil else { return nil }
            return entry["text"]?.stringValue.flatMap { try? WireFormat.json.decode(Array($0.utf8)) }
        }
    }
}
