// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Dialects: traces")
struct DialectCoderTraceTests {
    static let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    static var trace: TraceContext { get throws { try #require(TraceContext(traceparent: text)) } }
    static let maps = SenteLiteMaps(format: .json, readsTraces: true)
    static let lite = SenteLiteVectors(format: .edn, readsTraces: true)
    static let sente = SenteVectors(format: .edn, readsTraces: true)

    @Test("A message that others act upon says its trace where the dialect has a place for it")
    func written() throws {
        func said(_ outbound: Outbound, _ coder: some DialectCoder) throws -> String {
            try coder.text(outbound.traced(by: Self.trace))
        }
        let t = Self.text
        #expect(
            try said(.publish(channel: "a", data: ["x": 1], excludeSender: false), Self.maps)
                == #"{"type":"publish","channel-id":"a","data":{"x":1},"traceparent":"\#(t)"}"#)
        #expect(
            try said(.request(channel: "a", data: .null, limit: 5), Self.maps)
                == #"{"type":"rpc-request","channel-id":"a","data":null,"timeout-ms":5,"traceparent":"\#(t)"}"#
        )
        #expect(
            try said(.event(Event(id: "hi", data: ["x": 1])), Self.maps)
                == #"{"type":"hi","x":1,"traceparent":"\#(t)"}"#)
        #expect(
            try said(
                .publish(channel: "a", data: [:], excludeSender: false),
                SenteLiteMaps(format: .edn, writesKeywords: true))
                == #"{:type :publish, :channel-id "a", :data {}, :traceparent "\#(t)"}"#)
        #expect(
            try said(.publish(channel: "a", data: [:], excludeSender: false), Self.lite)
                == #"[:sente-lite/publish {:channel-id "a", :data {}, :traceparent "\#(t)"}]"#)
        let event = Event(id: "my/ev", data: [.keyword("x"): 1])
        #expect(try said(.event(event), Self.lite) == #"[:my/ev {:x 1, :traceparent "\#(t)"}]"#)
        #expect(
            try said(.event(event, callback: "c"), Self.lite)
                == #"[[:my/ev {:x 1, :traceparent "\#(t)"}] "c"]"#)
        #expect(
            try said(.event(event, callback: "c"), Self.sente)
                == #"[[:my/ev {:x 1, :traceparent "\#(t)"}] "c"]"#)
    }

    @Test("What other vendors keep in a trace goes beside it, and comes back; a malformed one is left out")
    func state() throws {
        let trace = try #require(TraceContext(traceparent: Self.text, tracestate: "a=1,b=2"))
        let outbound = Outbound.publish(channel: "a", data: [:], excludeSender: false).traced(by: trace)
        let maps = try Self.maps.encode(outbound, at: Vectors.now).string
        #expect(maps.hasSuffix(#""traceparent":"\#(Self.text)","tracestate":"a=1,b=2"}"#))
        let lite = try Self.lite.encode(outbound, at: Vectors.now).string
        #expect(lite.hasSuffix(#":traceparent "\#(Self.text)", :tracestate "a=1,b=2"}]"#))
        for (state, read) in [(#""a=1,b=2""#, "a=1,b=2"), (#""a=""#, nil), ("7", nil), ("null", nil)] {
            let frame =
                #"{"type":"channel-message","channel-id":"a","data":1,"broadcast-time":1,"#
                + #""traceparent":"\#(Self.text)","tracestate":\#(state)}"#
            let inbounds = Self.maps.decode(.text(frame), isCallback: Vectors.nobody)
            guard case .delivery(let message)? = inbounds.first else {
                Issue.record("\(inbounds)")
                continue
            }
            #expect(message.trace?.traceparent == Self.text && message.trace?.state == read)
        }
        let data: Value = [.keyword("traceparent"): .string(Self.text), "tracestate": "c=3"]
        let event = Event(id: "my/ev", data: data)
        #expect(event.trace?.state == "c=3")
    }

    @Test(
        "What nobody acts upon, data that is no map, and data that names a trace itself stay as they are",
        arguments: [
            (Outbound.event(Event(id: "my/ev", data: 1)), maps as any DialectCoder, false),
            (.event(Event(id: "my/ev", data: 1)), lite, true), (.event(Event(id: "my/ev")), lite, true),
            (.event(Event(id: "my/ev", data: 1), callback: "c"), sente, true),
            (.event(Event(id: "my/ev", data: [.keyword("traceparent"): "mine"])), sente, true),
            (.event(Event(id: "my/ev", data: ["traceparent": "mine"])), maps, true),
            (.subscribe(channel: "a"), maps, true), (.subscribe(channel: "a"), lite, true),
            (.answer(requestID: "r", data: .null, isError: false), maps, true),
            (.ping(stamp: 1), maps, true), (.ping(stamp: 1), sente, true), (.pong(original: 1), lite, true),
        ])
    func unchanged(_ outbound: Outbound, _ coder: any DialectCoder, _ isSayable: Bool) throws {
        var coder = coder
        guard isSayable else {
            #expect(throws: SenteError.self) {
                try coder.encode(outbound.traced(by: Self.trace), at: Vectors.now)
            }
            return
        }
        #expect(
            try coder.encode(outbound.traced(by: Self.trace), at: Vectors.now)
                == coder.encode(outbound, at: Vectors.now))
    }

    static func heard(_ trace: String) -> [(any DialectCoder, String)] {
        [
            (
                maps,
                #"{"type":"channel-message","channel-id":"a","data":{"x":1},"broadcast-time":1,\#(trace)}"#
            ),
            (
                maps,
                #"{"type":"channel-message","channel-id":"a","broadcast-time":1,"data":{"type":"rpc-request","request-id":"r","data":null,\#(trace)}}"#
            ),
            (
                maps,
                #"{"type":"rpc-request","channel-id":"a","request-id":"r","data":null,"broadcast-time":1,\#(trace)}"#
            ),
            (maps, #"{"type":"rpc-request","channel-id":"a","request-id":"r","data":null,\#(trace)}"#),
            (maps, #"{"type":"news",\#(trace)}"#), (maps, #"{"free":1,\#(trace)}"#),
            (lite, #"[:sente-lite/channel-msg {:channel-id "a" :data {} \#(edn(trace))}]"#),
            (lite, #"[:chsk/recv [:sente-lite/channel-msg {:channel-id "a" :data {} \#(edn(trace))}]]"#),
            (lite, #"[[:sente-lite/channel-msg {:channel-id "a" \#(edn(trace))}]]"#),
            (lite, #"[:my/ev {\#(edn(trace))}]"#), (lite, #"[:my/ev {:request-id 1 \#(edn(trace))}]"#),
            (sente, #"[[[:my/ev {\#(edn(trace))}]] nil]"#),
        ]
    }

    private static func edn(_ pair: String) -> String {
        pair.replacing(#""traceparent":"#, with: ":traceparent ")
    }

    @Test("The trace that a message names is read, wherever the dialect has it")
    func read() throws {
        for (coder, frame) in Self.heard(#""traceparent":"\#(Self.text)""#) {
            let inbounds = coder.hear(frame)
            try #require(inbounds.count == 1)
            #expect(try Self.trace(of: inbounds[0]) == Self.trace, "\(frame)")
        }
    }

    @Test(
        "A text that is no trace is told, and the message is read as if it had none",
        arguments: [
            #""""#, #""00""#, #""00-0-0-0""#, "7", "{}", "[]", "true", #""\u0000""#,
            #""\#(String(repeating: "0", count: 55))""#, #""\#(String(repeating: "é", count: 100_000))""#,
            #""ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01""#,
            #""00-00000000000000000000000000000000-b7ad6b7169203331-01""#,
            #""00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01""#,
            #""00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more""#,
        ])
    func hostile(_ text: String) throws {
        for (coder, frame) in Self.heard(#""traceparent":\#(text)"#) {
            // EDN has no NUL in a text.
            guard !(text.contains("u0000") && coder.format == .edn) else { continue }
            let inbounds = coder.hear(frame)
            try #require(inbounds.count == 1)
            guard case .mistraced(let inbound) = inbounds[0] else {
                Issue.record("\(frame.prefix(200)): \(inbounds)")
                continue
            }
            #expect(try Self.trace(of: inbound) == nil)
        }
    }

    @Test("Null is no trace and no fault, and who reads none is not told of any")
    func none() throws {
        for (coder, frame) in Self.heard(#""traceparent":null"#)
        where coder.format == .json {
            let inbound = try #require(coder.hear(frame).first)
            #expect(try Self.trace(of: inbound) == nil)
            if case .mistraced = inbound { Issue.record("\(frame)") }
        }
        let deaf = SenteLiteMaps(format: .json)
        for (coder, frame) in Self.heard(#""traceparent":"nonsense""#) where coder.format == .json {
            let inbound = try #require(deaf.hear(frame).first)
            if case .mistraced = inbound { Issue.record("\(frame)") }
        }
    }

    @Test("The echo of an event that was said with its trace answers it")
    func echoes() throws {
        var session = TestSession.openedInText()
        let call = session.newCall()
        let event = Event(id: "my/ask", data: [.keyword("n"): 1])
        session.handle(
            .command(
                .submit(
                    call, Submission(.event(event), limit: .seconds(1), awaits: .reply, trace: try Self.trace)
                )))
        let said = try #require(session.sentText.first)
        #expect(said.contains(":traceparent"))
        try session.answerSent(TestSession.echo)
        #expect(session.effects.contains { if case .resolve(call, .success) = $0 { true } else { false } })
    }

    private static func trace(of inbound: Inbound) throws -> TraceContext? {
        switch inbound {
        case .delivery(let message): return message.trace
        case .request(let request): return request.trace
        case .event(let event), .answering(_, let event): return event.trace
        default:
            Issue.record("\(inbound)")
            return nil
        }
    }
}
