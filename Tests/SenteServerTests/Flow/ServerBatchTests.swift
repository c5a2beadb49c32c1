// SPDX-License-Identifier: Apache-2.0

import SenteServer
import SenteWire
import Testing

@Suite("Batches, to a server and from it")
struct ServerBatchTests {
    private static let list = TestServerSession.list
    private static let listed = TestServerSession.listed

    @Test("The messages of a batch are handled as if each came alone")
    func batch() throws {
        var server = try TestServerSession.agreed()
        let batch =
            #"{"type":"flow-batch","messages":[\#(Self.list),{"type":"ping","timestamp":1},\#(Self.list)]}"#
        #expect(
            server.receive(from: 1, batch) == [
                Self.listed, #"1 < {"type":"pong","timestamp":1000,"original-timestamp":1}"#, Self.listed,
            ])
        #expect(server.session.counters.flow.batchesReceived == 1)
    }

    @Test("Without compression and without a time to wait, answers go alone")
    func answeredAlone() throws {
        var server = try TestServerSession.agreed { $0.flow.compression = nil }
        let batch = #"{"type":"flow-batch","messages":[\#(Self.list),\#(Self.list)]}"#
        #expect(server.receive(from: 1, batch) == [Self.listed, Self.listed])
    }

    @Test("Answers to the messages of a batch go together where they are enough to be compressed")
    func answered() throws {
        var server = try TestServerSession.agreed(partBytes: 1_000) {
            $0.flow.compression?.minimumBytes = 100
        }
        let batch = #"{"type":"flow-batch","messages":[\#(Self.list),\#(Self.list),\#(Self.list)]}"#
        let together = server.receive(from: 1, batch)
        #expect(together.count == 1)
        #expect(together[0].contains(#"{"type":"flow-batch","messages":["#))
        let fewer = #"{"type":"flow-batch","messages":[\#(Self.list),\#(Self.list)]}"#
        #expect(server.receive(from: 1, fewer) == [Self.listed, Self.listed])
        #expect(server.receive(from: 1, Self.list) == [Self.listed])
    }

    @Test("Without a time to wait, what one message leads to goes alone, however much it is")
    func lone() throws {
        var server = try TestServerSession.agreed(partBytes: 10_000) {
            $0.flow.compression?.minimumBytes = 100
        }
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        let text = String(repeating: "x", count: 200)
        let said = server.receive(from: 1, #"{"type":"publish","channel-id":"a","data":{"text":"\#(text)"}}"#)
        #expect(said.count == 2, "\(said)")
        #expect(server.session.deadline == nil)
    }

    /// Messages wait 10 ms for others; its client is subscribed to `a`.
    private static func lingering(
        _ change: (inout ServerConfiguration.Flow.Batching) -> Void
    ) throws -> TestServerSession {
        var batching = ServerConfiguration.Flow.Batching()
        batching.linger = .milliseconds(10)
        change(&batching)
        var server = try TestServerSession.agreed(partBytes: 1_000) {
            $0.flow.compression = nil
            $0.flow.batching = batching
        }
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        server.advance(by: .milliseconds(10))
        return server
    }

    @Test("With a time to wait deliveries go together, at most as many as may, and a pong goes behind them")
    func linger() throws {
        var server = try Self.lingering { $0.messages = 3 }
        for number in 1...4 {
            let lines = server.command(.publish(["n": Value(number)], channel: "a"))
            #expect(lines.count == (number == 3 ? 1 : 0))
        }
        #expect(
            server.receive(from: 1, #"{"type":"ping"}"#).map { $0.contains("channel-message") } == [
                true, false,
            ])
        server.command(.publish([:], channel: "a"))
        #expect(server.advance(by: .milliseconds(9)) == [])
        #expect(server.advance(by: .milliseconds(1)).count == 1)
        #expect(server.session.deadline == nil)
    }

    @Test("What would make a batch larger than one may be begins the next")
    func largestBatch() throws {
        var server = try Self.lingering { $0.bytes = 500 }
        let news = ServerCommand.publish(["t": .string(String(repeating: "x", count: 100))], channel: "a")
        #expect((0..<3).map { _ in server.command(news).count } == [0, 0, 1])
        #expect(server.advance(by: .milliseconds(10)).count == 1)
    }

    @Test(
        "A batch of none, of too many, or of words is none",
        arguments: [
            "[]", #"[{"type":"flow-batch","messages":[]}]"#, #"[{"type":"flow-ack","received":0}]"#, "1",
            // Alone each of these would be heard.
            #"[{"type":"flow-batch","messages":[{"type":"get-subscriptions"}]}]"#,
            #"[{"type":"flow-chunk-abort","message-id":1}]"#,
            "[\(Array(repeating: "1", count: 1_025).joined(separator: ","))]",
        ])
    func wrongBatch(_ messages: String) throws {
        var server = try TestServerSession.agreed()
        #expect(
            server.receive(from: 1, #"{"type":"flow-batch","messages":\#(messages)}"#) == ["1 close 1002"])
    }

    @Test("A batch that was not agreed on ends the connection")
    func noBatch() throws {
        var server = try TestServerSession.agreed { $0.flow.batching = nil }
        #expect(
            server.receive(from: 1, #"{"type":"flow-batch","messages":[\#(Self.list)]}"#) == ["1 close 1002"])
    }
}
