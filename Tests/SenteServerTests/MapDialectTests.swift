// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

/// A client's frame and everything the server says to it, exactly.
struct Row: CustomTestStringConvertible, Sendable {
    var name: String
    var setUp: [(UInt64, String)] = []
    var frame: String
    var answers: [String]

    var testDescription: String { name }
}

private let config =
    #"{"max-subscribers":2,"message-retention":2,"rpc-timeout-ms":30000,"telemetry-enabled":true}"#

/// The table of the protocol: connection 1 sends the frame, connections 2 and 3 are there as well.
private let rows: [Row] = [
    Row(
        name: "subscribe", frame: #"{"type":"subscribe","channel-id":"room"}"#,
        answers: [
            #"1 < {"type":"subscription-result","channel-id":"room","success":true,"reason":null,"subscriber-count":1,"retained-messages":[]}"#
        ]),
    Row(
        name: "subscribing again counts once", setUp: [(1, #"{"type":"subscribe","channel-id":"room"}"#)],
        frame: #"{"type":"subscribe","channel-id":"room"}"#,
        answers: [
            #"1 < {"type":"subscription-result","channel-id":"room","success":true,"reason":null,"subscriber-count":1,"retained-messages":[]}"#
        ]),
    Row(
        name: "subscribe to a full channel",
        setUp: [
            (2, #"{"type":"subscribe","channel-id":"room"}"#),
            (3, #"{"type":"subscribe","channel-id":"room"}"#),
        ],
        frame: #"{"type":"subscribe","channel-id":"room"}"#,
        answers: [
            #"1 < {"type":"subscription-result","channel-id":"room","success":false,"reason":"max-subscribers-reached","subscriber-count":null,"retained-messages":null,"current":2,"max":2}"#
        ]),
    Row(
        name: "subscribe without channel-id", frame: #"{"type":"subscribe"}"#,
        answers: [
            #"1 < {"type":"subscription-result","channel-id":null,"success":true,"reason":null,"subscriber-count":1,"retained-messages":[]}"#
        ]),
    Row(
        name: "subscribe gives the retained messages, oldest first",
        setUp: [
            (2, #"{"type":"subscribe","channel-id":"room"}"#),
            (2, #"{"type":"publish","channel-id":"room","data":{"n":1}}"#),
            (2, #"{"type":"publish","channel-id":"room","data":{"n":2}}"#),
            (2, #"{"type":"publish","channel-id":"room","data":{"n":3}}"#),
        ],
        frame: #"{"type":"subscribe","channel-id":"room"}"#,
        answers: [
            #"1 < {"type":"subscription-result","channel-id":"room","success":true,"reason":null,"subscriber-count":2,"retained-messages":[{"n":2,"channel-id":"room","published-at":1000,"message-id":"msg-2"},{"n":3,"channel-id":"room","published-at":1000,"message-id":"msg-3"}]}"#
        ]),
    Row(
        name: "unsubscribe", setUp: [(1, #"{"type":"subscribe","channel-id":"room"}"#)],
        frame: #"{"type":"unsubscribe","channel-id":"room"}"#,
        answers: [#"1 < {"type":"unsubscription-result","channel-id":"room","success":true}"#]),
    Row(
        name: "unsubscribe when not subscribed", setUp: [(2, #"{"type":"subscribe","channel-id":"room"}"#)],
        frame: #"{"type":"unsubscribe","channel-id":"room"}"#,
        answers: [#"1 < {"type":"unsubscription-result","channel-id":"room","success":true}"#]),
    Row(
        name: "unsubscribe from a channel that does not exist",
        frame: #"{"type":"unsubscribe","channel-id":"nowhere"}"#,
        answers: [#"1 < {"type":"unsubscription-result","channel-id":"nowhere","success":null}"#]),
    Row(
        name: "publish delivers first, to the publisher too",
        setUp: [
            (1, #"{"type":"subscribe","channel-id":"room"}"#),
            (2, #"{"type":"subscribe","channel-id":"room"}"#),
        ],
        frame: #"{"type":"publish","channel-id":"room","data":{"text":"hi"}}"#,
        answers: [
            #"1 < {"type":"channel-message","channel-id":"room","data":{"text":"hi"},"broadcast-time":1000,"message-id":"msg-1"}"#,
            #"2 < {"type":"channel-message","channel-id":"room","data":{"text":"hi"},"broadcast-time":1000,"message-id":"msg-1"}"#,
            #"1 < {"type":"publish-result","channel-id":"room","success":true,"message-id":"msg-1","delivered-to":2}"#,
        ]),
    Row(
        name: "publish without data", setUp: [(2, #"{"type":"subscribe","channel-id":"room"}"#)],
        frame: #"{"type":"publish","channel-id":"room"}"#,
        answers: [
            #"2 < {"type":"channel-message","channel-id":"room","data":null,"broadcast-time":1000,"message-id":"msg-1"}"#,
            #"1 < {"type":"publish-result","channel-id":"room","success":true,"message-id":"msg-1","delivered-to":1}"#,
        ]),
    Row(
        name: "publish to a channel that does not exist",
        frame: #"{"type":"publish","channel-id":"nowhere","data":{}}"#,
        answers: [
            #"1 < {"type":"publish-result","channel-id":"nowhere","success":false,"message-id":null,"delivered-to":null,"reason":"channel-not-found"}"#
        ]),
    Row(
        name: "publish of what is no object", setUp: [(2, #"{"type":"subscribe","channel-id":"room"}"#)],
        frame: #"{"type":"publish","channel-id":"room","data":2}"#,
        answers: [
            #"1 < {"type":"publish-result","channel-id":"room","success":false,"message-id":null,"delivered-to":null,"reason":"data-not-an-object"}"#
        ]),
    Row(
        name: "rpc-request", setUp: [(2, #"{"type":"subscribe","channel-id":"svc"}"#)],
        frame: #"{"type":"rpc-request","channel-id":"svc","data":{"q":1},"timeout-ms":5000}"#,
        answers: [
            #"2 < {"type":"rpc-request","request-id":"<r1>","data":{"q":1},"sender-conn-id":"<c1>","created-at":1000,"channel-id":"svc"}"#,
            #"1 < {"type":"rpc-request-result","request-id":"<r1>","channel-id":"svc","delivery":{"success":true,"message-id":"msg-1","delivered-to":1,"subscribers":["<c2>"]}}"#,
        ]),
    Row(
        name: "rpc-request on a channel that does not exist",
        frame: #"{"type":"rpc-request","channel-id":"nowhere","data":{}}"#,
        answers: [
            #"1 < {"type":"rpc-request-result","request-id":"<r1>","channel-id":"nowhere","delivery":{"success":false,"reason":"channel-not-found"}}"#
        ]),
    Row(
        name: "rpc-response",
        setUp: [
            (1, #"{"type":"subscribe","channel-id":"svc"}"#),
            (2, #"{"type":"rpc-request","channel-id":"svc","data":{"q":1}}"#),
        ],
        frame: #"{"type":"rpc-response","request-id":"<r1>","data":{"a":2}}"#,
        answers: [
            #"2 < {"type":"rpc-response","request-id":"<r1>","data":{"a":2},"error?":false,"created-at":1000,"error":false}"#,
            #"1 < {"type":"rpc-response-result","request-id":"<r1>","success":true}"#,
        ]),
    Row(
        name: "rpc-response to an unknown id",
        frame: #"{"type":"rpc-response","request-id":"nope","data":1}"#,
        answers: [
            #"1 < {"type":"rpc-response-result","request-id":"nope","success":false,"reason":"request-not-found"}"#
        ]),
    Row(
        name: "rpc-response without an id", frame: #"{"type":"rpc-response"}"#,
        answers: [
            #"1 < {"type":"rpc-response-result","request-id":null,"success":false,"reason":"request-not-found"}"#
        ]),
    Row(
        name: "ping", frame: #"{"type":"ping","timestamp":1234567890123}"#,
        answers: [#"1 < {"type":"pong","timestamp":1000,"original-timestamp":1234567890123}"#]),
    Row(
        name: "ping without a timestamp", frame: #"{"type":"ping"}"#,
        answers: [#"1 < {"type":"pong","timestamp":1000,"original-timestamp":null}"#]),
    Row(
        name: "pong", frame: #"{"type":"pong","timestamp":1}"#,
        answers: [#"1 < {"type":"pong-ack","timestamp":1000}"#]),
    Row(
        name: "list-channels",
        setUp: [
            (1, #"{"type":"subscribe","channel-id":"room"}"#),
            (1, #"{"type":"publish","channel-id":"room","data":{}}"#),
            (2, #"{"type":"subscribe"}"#),
        ],
        frame: #"{"type":"list-channels"}"#,
        answers: [
            #"1 < {"type":"channel-list","channels":{"room":{"config":"# + config
                + #","created-at":1000,"message-count":1,"subscriber-count":1},"":{"config":"# + config
                + #","created-at":1000,"message-count":0,"subscriber-count":1}}}"#
        ]),
    Row(
        name: "get-subscriptions",
        setUp: [
            (1, #"{"type":"subscribe","channel-id":"b"}"#), (1, #"{"type":"subscribe","channel-id":"a"}"#),
        ],
        frame: #"{"type":"get-subscriptions"}"#,
        answers: [#"1 < {"type":"subscription-list","subscriptions":["b","a"]}"#]),
    Row(
        name: "unknown type", frame: #"{"type": "anything", "data": [1, 2.5, null, true, "é✓"]}"#,
        answers: [
            #"1 < {"type":"echo","original":{"type":"anything","data":[1,2.5,null,true,"é✓"]},"conn-id":"<c1>","timestamp":1000}"#
        ]),
    Row(
        name: "no type", frame: #"{"no-type":1}"#,
        answers: [#"1 < {"type":"echo","original":{"no-type":1},"conn-id":"<c1>","timestamp":1000}"#]),
    Row(
        name: "a type that is no string", frame: #"{"type":5}"#,
        answers: [#"1 < {"type":"echo","original":{"type":5},"conn-id":"<c1>","timestamp":1000}"#]),
    Row(
        name: "a bare string", frame: #""hi""#,
        answers: [#"1 < {"type":"echo","original":"hi","conn-id":"<c1>","timestamp":1000}"#]),
    Row(
        name: "a bare array", frame: "[1,2]",
        answers: [#"1 < {"type":"echo","original":[1,2],"conn-id":"<c1>","timestamp":1000}"#]),
    Row(
        name: "a bare number", frame: "7",
        answers: [#"1 < {"type":"echo","original":7,"conn-id":"<c1>","timestamp":1000}"#]),
    Row(name: "invalid JSON", frame: "{broken", answers: []),
    Row(name: "null", frame: "null", answers: []),
    Row(name: "nothing", frame: "", answers: []),
]

@Suite("The dialect of v1")
struct MapDialectTests {
    @Test("Every row of the protocol's table is answered exactly", arguments: rows)
    func row(_ row: Row) {
        var server = TestServerSession {
            $0.channelDefaults.maximumSubscribers = 2
            $0.channelDefaults.retention = 2
        }
        for number in 1...3 as ClosedRange<UInt64> { server.connect(number) }
        for (number, frame) in row.setUp { server.receive(from: number, frame) }
        #expect(server.receive(from: 1, row.frame) == row.answers)
        // Whatever came, the connection is still of use.
        #expect(
            server.receive(from: 1, #"{"type":"ping","timestamp":"x"}"#)
                == [#"1 < {"type":"pong","timestamp":1000,"original-timestamp":"x"}"#])
    }

    @Test("The greeting is the welcome with conn-id and time")
    func greeting() {
        var server = TestServerSession()
        var effects = server.effects(of: .connected(ConnectionID(1)))
        guard case .send(ConnectionID(1), let message)? = effects.popLast(), effects.isEmpty else {
            Issue.record("no greeting")
            return
        }
        let name = server.session.name(of: ConnectionID(1)) ?? "?"
        #expect(message.string == #"{"type":"welcome","conn-id":"\#(name)","server-time":1000}"#)
        #expect(name.hasPrefix("conn-1000-"))
    }

    @Test(
        "Both ways of writing the flag leave the publisher out, and false leaves it in",
        arguments: [
            (#""exclude-sender":true"#, 1), (#""exclude-sender?":true"#, 1), (#""exclude-sender?":false"#, 2),
            (#""exclude-sender":null"#, 2), (#""other":true"#, 2),
        ])
    func excludeSender(_ field: String, _ count: Int) {
        var server = TestServerSession()
        server.connect(1)
        server.connect(2)
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"room"}"#)
        server.receive(from: 2, #"{"type":"subscribe","channel-id":"room"}"#)
        let seen = server.receive(from: 1, #"{"type":"publish","channel-id":"room","data":{},\#(field)}"#)
        #expect(seen.filter { $0.contains("channel-message") }.count == count)
        #expect(seen.last?.hasSuffix(#""delivered-to":\#(count)}"#) == true)
    }

    @Test(
        "Both ways of writing the flag mark an answer as an error",
        arguments: [(#""error":true"#, true), (#""error?":true"#, true), (#""error?":false"#, false)])
    func errorFlag(_ field: String, _ isError: Bool) {
        var server = TestServerSession()
        server.connect(1)
        server.connect(2)
        server.receive(from: 2, #"{"type":"subscribe","channel-id":"svc"}"#)
        server.receive(from: 1, #"{"type":"rpc-request","channel-id":"svc","data":{}}"#)
        let seen = server.receive(
            from: 2, #"{"type":"rpc-response","request-id":"<r1>","data":{},\#(field)}"#)
        #expect(seen.first?.contains(#""error?":\#(isError),"#) == true)
        #expect(seen.first?.hasSuffix(#""error":\#(isError)}"#) == true)
    }

    @Test("A binary message means nothing")
    func binary() {
        var server = TestServerSession()
        server.connect(1)
        #expect(server.handle(.received(ConnectionID(1), .binary(Array(#"{"type":"ping"}"#.utf8)))) == [])
        #expect(server.session.counters.unreadableMessages == 1)
    }

    @Test("What stands under the forced keys of a flat delivery is overwritten in place")
    func flatKeys() {
        var server = TestServerSession { $0.faults.deliversFlat = true }
        server.connect(1)
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"room"}"#)
        #expect(
            server.receive(
                from: 1, #"{"type":"publish","channel-id":"room","data":{"channel-id":9,"type":"ping"}}"#
            )
            .first
                == #"1 < {"channel-id":"room","type":"ping","broadcast-time":1000}"#)
        #expect(
            server.receive(from: 1, #"{"type":"publish","channel-id":"room"}"#).first
                == #"1 < {"channel-id":"room","broadcast-time":1000}"#)
    }

    @Test(
        "In EDN and Transit names are keywords, as keys and as values; what belongs to users stays as it is")
    func keywords() {
        var server = TestServerSession {
            $0.format = .edn
            $0.channelDefaults.retention = 1
            $0.allowsFlood = true
        }
        #expect(server.connect(1) == [#"1 < {:type :welcome, :conn-id "<c1>", :server-time 1000}"#])
        server.connect(2)
        #expect(
            server.receive(from: 1, #"{:type :subscribe :channel-id "a"}"#) == [
                #"1 < {:type :subscription-result, :channel-id "a", :success true, :reason nil, :subscriber-count 1, :retained-messages []}"#
            ])
        // sente-lite takes the type as text too.
        #expect(
            server.receive(from: 2, #"{:type "publish" :channel-id "a" :data {"s" 1, :k [1]}}"#) == [
                #"1 < {:type :channel-message, :channel-id "a", :data {"s" 1, :k [1]}, :broadcast-time 1000, :message-id "msg-1"}"#,
                #"2 < {:type :publish-result, :channel-id "a", :success true, :message-id "msg-1", :delivered-to 1}"#,
            ])
        #expect(
            server.receive(from: 2, #"{:type :subscribe :channel-id "a"}"#).first?.contains(
                #":retained-messages [{"s" 1, :k [1], :channel-id "a", :published-at 1000, :message-id "msg-1"}]"#
            )
                == true)
        #expect(
            server.receive(from: 2, #"{:type :publish :channel-id :no}"#) == [
                "2 < {:type :publish-result, :channel-id :no, :success false, :message-id nil, :delivered-to nil, :reason :channel-not-found}"
            ])
        #expect(
            server.receive(from: 2, #"{:type :rpc-request :channel-id "a"}"#).last?.contains(
                ":subscribers #{\"<c1>\"}")
                == true)
        #expect(
            server.receive(from: 1, "{:type :list-channels}").first?.hasPrefix(
                #"1 < {:type :channel-list, :channels {"a" {:config {:max-subscribers 1000"#) == true)
        #expect(
            server.receive(from: 1, "[1 2]") == [
                #"1 < {:type :echo, :original [1 2], :conn-id "<c1>", :timestamp 1000}"#
            ])
        #expect(server.receive(from: 1, #"{"type" "ping"}"#).first?.contains(":type :echo") == true)
        #expect(
            server.receive(from: 1, #"{:type :flood :channel-id "f" :count 3 :data {}}"#) == ["1 flood 3"])
        #expect(server.command(.broadcast([.keyword("x"): 1])).first == "1 < {:x 1, :broadcast true}")
        var transit = TestServerSession { $0.format = .transitJSON }
        #expect(
            transit.connect(1) == [
                #"1 < ["^ ","~:type","~:welcome","~:conn-id","<c1>","~:server-time",1000]"#
            ])
        #expect(
            transit.receive(from: 1, #"["^ ","~:type","~:ping","~:timestamp",7]"#)
                == [#"1 < ["^ ","~:type","~:pong","~:timestamp",1000,"~:original-timestamp",7]"#])
        #expect(transit.receive(from: 1, .binary([0x90])) == [])
    }

    @Test("Failures, requests and their answers have keywords too")
    func keywordFailures() {
        var server = TestServerSession {
            $0.format = .edn
            $0.faults.sendsErrors = true
            $0.answeringChannels = ["svc"]
        }
        server.connect(1)
        #expect(
            server.receive(from: 1, "{:type :rpc-response :request-id 1}") == [
                "1 < {:type :rpc-response-result, :request-id 1, :success false, :reason :request-not-found}",
                #"1 < {:type :error, :message "No request with this request-id is waiting for an answer.", :reason :request-not-found, :timestamp 1000}"#,
            ])
        #expect(
            server.receive(from: 1, #"{:type :rpc-request :channel-id "svc" :data 1}"#).last?.hasSuffix(
                ":data 1, :error? false, :created-at 1000, :error false}") == true)
    }
}
