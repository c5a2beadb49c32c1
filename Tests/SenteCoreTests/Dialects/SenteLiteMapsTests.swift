// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("The map dialect spells")
struct SenteLiteMapsTests {
    static let frames: [(Outbound, String)] = [
        (.subscribe(channel: "room"), #"{"type":"subscribe","channel-id":"room"}"#),
        (.unsubscribe(channel: "räum"), #"{"type":"unsubscribe","channel-id":"räum"}"#),
        (
            .publish(channel: "room", data: ["text": "hi", "n": 1], excludeSender: false),
            #"{"type":"publish","channel-id":"room","data":{"text":"hi","n":1}}"#
        ),
        (
            .publish(channel: "room", data: .null, excludeSender: true),
            #"{"type":"publish","channel-id":"room","data":null,"exclude-sender":true,"exclude-sender?":true}"#
        ),
        (
            .request(channel: "svc", data: ["q": 1], limit: 1_500),
            #"{"type":"rpc-request","channel-id":"svc","data":{"q":1},"timeout-ms":1500}"#
        ),
        (
            .request(channel: "svc", data: .null, limit: 1),
            #"{"type":"rpc-request","channel-id":"svc","data":null,"timeout-ms":1}"#
        ),
        (
            .answer(requestID: "req-1", data: ["sum": 3], isError: false),
            #"{"type":"rpc-response","request-id":"req-1","data":{"sum":3},"error":false,"error?":false}"#
        ),
        (
            .answer(requestID: "req-1", data: 1, isError: true),
            #"{"type":"rpc-response","request-id":"req-1","data":1,"error":true,"error?":true}"#
        ),
        (.ping(stamp: 42), #"{"type":"ping","timestamp":42}"#),
        (.ping(stamp: nil), #"{"type":"ping"}"#),
        (.pong(original: 42), #"{"type":"pong","timestamp":1700000000123,"original-timestamp":42}"#),
        (.pong(original: nil), #"{"type":"pong","timestamp":1700000000123}"#),
        (.listChannels, #"{"type":"list-channels"}"#),
        (.listSubscriptions, #"{"type":"get-subscriptions"}"#),
        (.event(Event(id: "hello", data: ["b": 1, "a": 2])), #"{"type":"hello","b":1,"a":2}"#),
        (.event(Event(id: "chat/hello")), #"{"type":"chat/hello"}"#),
        (.event(Event(id: "sente-lite/message", data: ["b": 1])), #"{"b":1}"#),
        (.event(Event(id: "sente-lite/message")), "{}"),
    ]

    @Test("every word as its frame, exactly", arguments: frames)
    func encoding(_ outbound: Outbound, _ frame: String) throws {
        #expect(try Frames.encode(outbound) == frame)
    }

    @Test("what servers choke on is refused, not written")
    func refusesArguments() {
        #expect(throws: SenteError.self) {
            try Frames.encode(.publish(channel: "room", data: 2, excludeSender: false))
        }
    }

    @Test("data that JSON cannot say is not sent, and the error says what and where")
    func refusesUnsayable() throws {
        let error = #expect(throws: SenteError.self) {
            try Frames.encode(.publish(channel: "room", data: ["x": .double(.nan)], excludeSender: false))
        }
        #expect(error?.code == .unencodable)
        #expect(error?.outcome == .notSent)
        #expect(error?.message.contains("\"x\"") == true, "\(error?.message ?? "")")
    }

    @Test("data nested beyond the limit is not sent and does not trap")
    func refusesDepth() {
        var data: Value = ["leaf": 1]
        for _ in 0..<600 { data = ["in": data] }
        let error = #expect(throws: SenteError.self) {
            try Frames.encode(.publish(channel: "room", data: data, excludeSender: false))
        }
        #expect(error?.code == .unencodable)
    }

    @Test("an event comes back from an echoing server as what was sent")
    func eventsRoundTrip() throws {
        let event = Event(id: "chat/hello", data: ["a": [1, 2.5, nil], "b": ["c": "é✓"]])
        #expect(Frames.decode(try Frames.encode(.event(event))) == [.event(event)])
    }

    static let keywordFrames: [(Outbound, String)] = [
        (.subscribe(channel: "room"), #"{:type :subscribe, :channel-id "room"}"#),
        (
            .publish(channel: "room", data: ["text": "hi", .keyword("n"): 1], excludeSender: true),
            #"{:type :publish, :channel-id "room", :data {"text" "hi", :n 1}, :exclude-sender true, :exclude-sender? true}"#
        ),
        (.ping(stamp: 42), "{:type :ping, :timestamp 42}"),
        (.pong(original: 42), "{:type :pong, :timestamp 1700000000123, :original-timestamp 42}"),
        (.event(Event(id: "hello", data: [.keyword("b"): 1])), "{:type :hello, :b 1}"),
        (.event(Event(id: "chat/hello")), "{:type :chat/hello}"),
        (.event(Event(id: "not a keyword")), #"{:type "not a keyword"}"#),
        (.event(Event(id: "sente-lite/message", data: [.keyword("b"): 1])), "{:b 1}"),
        (.listChannels, "{:type :list-channels}"),
    ]

    @Test("every word with keywords where the format has them", arguments: keywordFrames)
    func keywords(_ outbound: Outbound, _ frame: String) throws {
        for format in [WireFormat.edn, .transitJSON, .transitJSONVerbose] {
            let coder = SenteLiteMaps(format: format, writesKeywords: true)
            let message = try coder.encode(outbound, at: Frames.now)
            #expect(message.kind == .text)
            #expect(try format.decode(message.bytes) == WireFormat.edn.decode(Array(frame.utf8)))
            if format == .edn { #expect(message.string == frame) }
        }
    }
}
