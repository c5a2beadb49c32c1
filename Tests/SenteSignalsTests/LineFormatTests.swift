// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteWire
import Testing

@Suite("Lines of signals")
struct LineFormatTests {
    private static func time(_ text: String) -> Int64 {
        (Timestamp(text)?.milliseconds ?? 0) * 1_000_000
    }

    private static func map(_ pairs: KeyValuePairs<String, Value>) -> ValueMap {
        ValueMap(pairs.map { (.keyword(Keyword($0.key)), $0.value) })
    }

    private static func event(_ time: String, _ id: String, _ data: KeyValuePairs<String, Value>) -> Signal {
        Signal(
            time: self.time(time), namespace: String(id.prefix { $0 != "/" }), id: id, data: map(data))
    }

    /// Lines that the documents of sente-lite show.
    private static let samples: [(Signal, String)] = [
        (
            event(
                "2025-10-25T02:49:50.862Z", "sente-lite.channels/message-published",
                [
                    "channel-id": "chat-room", "message-id": "msg-1234", "target-subscriber-count": 8,
                    "total-subscriber-count": 10,
                ]),
            """
            2025-10-25T02:49:50.862Z INFO [sente-lite.channels/message-published]
              {:channel-id "chat-room", :message-id "msg-1234",
               :target-subscriber-count 8, :total-subscriber-count 10}

            """
        ),
        (
            event(
                "2025-10-25T02:49:50.863Z", "sente-lite.server/channel-broadcast-complete",
                ["channel-id": "announcements", "delivered": 25, "target-count": 25]),
            """
            2025-10-25T02:49:50.863Z INFO [sente-lite.server/channel-broadcast-complete]
              {:channel-id "announcements", :delivered 25, :target-count 25}

            """
        ),
        (
            event(
                "2025-10-25T02:49:50.865Z", "sente-lite.channels/rpc-response-sent",
                ["request-id": "req-123", "target-conn-id": "conn-456", "error?": false]),
            """
            2025-10-25T02:49:50.865Z INFO [sente-lite.channels/rpc-response-sent]
              {:request-id "req-123", :target-conn-id "conn-456", :error? false}

            """
        ),
        (
            event(
                "2025-10-25T02:28:32.348Z", "sente-lite.server-simple/server-starting",
                ["port": 3001, "host": "localhost", "telemetry": .map(map(["enabled": true]))]),
            """
            2025-10-25T02:28:32.348Z INFO [sente-lite.server-simple/server-starting]
              {:port 3001, :host "localhost", :telemetry {:enabled true}}

            """
        ),
        (
            event(
                "2025-10-25T02:28:32.349Z", "sente-lite.server-simple/server-started",
                ["port": 3001, "host": "localhost"]),
            """
            2025-10-25T02:28:32.349Z INFO [sente-lite.server-simple/server-started]
              {:port 3001, :host "localhost"}

            """
        ),
        (
            event(
                "2025-10-25T02:28:33.456Z", "sente-lite.server-simple/connection-added",
                ["conn-id": "conn-1729825712324-8472", "total-connections": 1]),
            """
            2025-10-25T02:28:33.456Z INFO [sente-lite.server-simple/connection-added]
              {:conn-id "conn-1729825712324-8472", :total-connections 1}

            """
        ),
    ]

    @Test("the documents' lines come out to the letter", arguments: samples.indices)
    func documentedLines(index: Int) {
        let (signal, line) = Self.samples[index]
        #expect(LineFormat.text.line(of: signal) == line)
    }

    @Test("the documents' lines come out to the letter one after the other, too")
    func together() {
        var writer = LineWriter(.text)
        for (signal, _) in Self.samples { signal.withRecord { writer.write($0) } }
        #expect(
            String(decoding: writer.written, as: UTF8.self) == Self.samples.map(\.1).joined())
    }

    /// One that has everything.
    private static let full = Signal(
        time: time("2026-11-29T10:00:00.007Z"), level: .warn, kind: .span, namespace: "app.chat",
        id: "app.chat/sent", message: "It took \"long\".\n",
        data: map(["n": 1, "to": .keyword("ann"), "at": [1.5, .null]]),
        error: SignalError(type: "Timeout", message: "no answer", code: "408"), context: map(["user": "bo"]),
        trace: TraceContext(traceID: .init(high: 1, low: 2), spanID: 3), duration: .microseconds(2_500),
        file: "Chat/Send.swift", line: 42, sequence: 9)

    @Test("a JSON line has all that a signal has")
    func json() {
        #expect(
            LineFormat.json.line(of: Self.full)
                == #"{"time":"2026-11-29T10:00:00.007Z","seq":9,"level":"warn","kind":"span","ns":"app.chat","#
                + #""id":"app.chat/sent","msg":"It took \"long\".\n","data":{"n":1,"to":"ann","at":[1.5,null]},"#
                + #""error":{"type":"Timeout","message":"no answer","code":"408"},"duration-ms":2.5,"#
                + #""ctx":{"user":"bo"},"trace":"00-00000000000000010000000000000002-0000000000000003-01","#
                + #""file":"Chat/Send.swift","line":42}"# + "\n")
    }

    @Test("an EDN line has all that a signal has")
    func edn() {
        #expect(
            LineFormat.edn.line(of: Self.full)
                == #"{:time #inst "2026-11-29T10:00:00.007-00:00", :seq 9, :level :warn, :kind :span, :ns "app.chat", "#
                + #":id :app.chat/sent, :msg "It took \"long\".\n", :data {:n 1, :to :ann, :at [1.5 nil]}, "#
                + #":error {:type "Timeout", :message "no answer", :code "408"}, :duration-ms 2.5, "#
                + #":ctx {:user "bo"}, :trace "00-00000000000000010000000000000002-0000000000000003-01", "#
                + #":file "Chat/Send.swift", :line 42}"# + "\n")
    }

    @Test("a text line has all but where it was written")
    func text() {
        #expect(
            LineFormat.text.line(of: Self.full) == #"""
                2026-11-29T10:00:00.007Z WARN [app.chat/sent] - It took "long".\n
                  {:n 1, :to :ann, :at [1.5 nil],
                   :error {:type "Timeout", :message "no answer", :code "408"},
                   :duration-ms 2.5, :ctx {:user "bo"},
                   :trace "00-00000000000000010000000000000002-0000000000000003-01"}

                """#)
    }

    @Test("telemere-lite's line has its shape")
    func telemereLite() {
        #expect(
            LineFormat.telemereLite.line(of: Self.full)
                == #"{"timestamp":"2026-11-29T10:00:00.007Z","level":"warn","ns":"app.chat","#
                + #""msg":["It took \"long\".\n",{"n":1,"to":"ann","at":[1.5,null],"#
                + #""error":{"type":"Timeout","message":"no answer","code":"408"},"duration-ms":2.5,"#
                + #""location":{"file":"Chat/Send.swift","line":42,"ns":"app.chat"}}],"event-id":"app.chat/sent","#
                + #""context":{"user":"bo"}}"# + "\n")
    }

    @Test("a signal that has nothing is written without empty things")
    func bare() {
        let signal = Signal(time: -1, level: SignalLevel(rawValue: 55), kind: .log, namespace: "a")
        #expect(
            LineFormat.json.line(of: signal)
                == #"{"time":"1969-12-31T23:59:59.999Z","level":55,"kind":"log","ns":"a"}"# + "\n")
        #expect(
            LineFormat.edn.line(of: signal)
                == #"{:time #inst "1969-12-31T23:59:59.999-00:00", :level 55, :kind :log, :ns "a"}"# + "\n")
        #expect(LineFormat.text.line(of: signal) == "1969-12-31T23:59:59.999Z 55 [a]\n")
        #expect(
            LineFormat.telemereLite.line(of: signal)
                == #"{"timestamp":"1969-12-31T23:59:59.999Z","level":55,"ns":"a","msg":["",{"location":{"ns":"a"}}]}"#
                + "\n")
    }

    @Test("times are right across seconds, years and the ends of the clock, in any order")
    func times() {
        var writer = LineWriter(.text)
        let times: [Int64] = [
            0, 999_999_999, 1_000_000_000, -1, .max, .min, 1, 951_782_400_000_000_000, .min, .max, 0,
        ]
        for time in times {
            writer.removeAll()
            Signal(time: time, namespace: "a").withRecord { writer.write($0) }
            let milliseconds = time / 1_000_000 - (time % 1_000_000 < 0 ? 1 : 0)
            #expect(
                String(decoding: writer.written, as: UTF8.self)
                    == "\(Timestamp(milliseconds: milliseconds)) INFO [a]\n")
        }
    }

    @Test("numbers read back as they were")
    func numbers() throws {
        var generator = Generator(seed: 2)
        var doubles = [
            0, -0.0, 0.1, 1.005, -2.5, 1e15, 9.5e15, 1e16, 1e300, .leastNonzeroMagnitude,
            .greatestFiniteMagnitude, 12.34,
            999_999_999_999.999,
        ]
        for _ in 0..<2_000 { doubles.append(Double(bitPattern: generator.next())) }
        for _ in 0..<2_000 {
            doubles.append(Double(Int64.random(in: -9_999_999...9_999_999, using: &generator)) / 1000)
        }
        for double in doubles where double.isFinite {
            let data = Self.map(["x": .double(double)])
            let line = LineFormat.edn.line(of: Signal(time: 0, namespace: "a", data: data))
            #expect(try WireFormat.edn.decode(Array(line.utf8))[Keyword("data")] == .map(data), "\(line)")
        }
        var integers = [0, -1, .max, .min] as [Int64]
        for zeros in 0..<19 {
            let power = (0..<zeros).reduce(into: 1 as Int64) { power, _ in power *= 10 }
            integers += [power - 1, power, power + 1, -power, Int64.random(in: 0..<power, using: &generator)]
        }
        for integer in integers {
            let line = LineFormat.json.line(
                of: Signal(time: 0, namespace: "a", data: Self.map(["x": .integer(integer)])))
            #expect(line.contains(#"{"x":\#(integer)}"#))
        }
    }

    @Test("doubles that are no numbers are written as each format can")
    func notNumbers() {
        let data = Self.map(["x": .double(.nan), "y": .double(-.infinity), "z": .double(.infinity)])
        let signal = Signal(time: 0, namespace: "a", data: data)
        #expect(LineFormat.json.line(of: signal).contains(#"{"x":"nan","y":"-inf","z":"inf"}"#))
        #expect(LineFormat.edn.line(of: signal).contains("{:x ##NaN, :y ##-Inf, :z ##Inf}"))
    }

    @Test("an entry wider than the margin has a line of its own, and others never pass it")
    func margin() {
        var generator = Generator(seed: 4)
        for _ in 0..<500 {
            let data = ValueMap(
                (0..<Int.random(in: 1...8, using: &generator)).map { index in
                    let text = String(repeating: "ö", count: Int.random(in: 0...80, using: &generator))
                    return (.keyword(Keyword("key-\(index)")), .string(text))
                })
            let lines = LineFormat.text.line(of: Signal(time: 0, namespace: "a", data: data)).split(
                separator: "\n")
            for line in lines.dropFirst() where line.count > 72 {
                #expect(line.count(where: { $0 == ":" }) == 1, "\(line)")
            }
            for (line, next) in zip(lines.dropFirst(), lines.dropFirst(2)) {
                let first = next.dropFirst(3).prefix { $0 != "," && $0 != "}" }
                #expect(line.count + 1 + first.count + 1 > 72, "\(line) could hold \(first)")
            }
        }
    }

    @Test("an entry that is too wide for any line begins where the first one does")
    func wide() {
        let text = String(repeating: "x", count: 80)
        let data = Self.map(["a": .string(text), "b": 1])
        #expect(
            LineFormat.text.line(of: Signal(time: 0, namespace: "n", data: data))
                == "1970-01-01T00:00:00.000Z INFO [n]\n  {:a \"\(text)\",\n   :b 1}\n")
    }

    @Test(
        "a key is a keyword where EDN has one of that name, and else a text",
        arguments: ["a", "a-b_c?!", "1a", "9", "a1", "-a", "a,b", "a:b", "a;b", "a b", "a/b", "ä", ""])
    func ednKeys(name: String) throws {
        let data: ValueMap = [.keyword(Keyword(name)): 1]
        let line = LineFormat.edn.line(of: Signal(time: 0, namespace: "n", data: data))
        let key = Keyword(":" + name)
        let read = try WireFormat.edn.decode(Array(line.utf8))[Keyword("data")]?.mapValue
        #expect(read?.keys == [key.isValid ? .keyword(key) : .string(name)], "\(line)")
    }

    // MARK: - Hostile texts

    private static let hostile: [Character] = Array(
        "ab ä\"\\:/{}[](),;#~^`'@\u{1F600}\n\r\t\u{8}\u{C}\u{0}\u{1B}\u{7F}\u{85}\u{9B}\u{9F}\u{A0}\u{2028}\u{2029}"
            + "\u{2068}\u{3000}")

    private static func text(_ generator: inout Generator) -> String {
        String(
            (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                hostile.randomElement(using: &generator) ?? "a"
            })
    }

    private static func signal(_ generator: inout Generator) -> Signal {
        let values: [Value] = [
            .string(text(&generator)), .keyword(Keyword(text(&generator))), .null, .bool(true), .integer(7),
            .double(1.5),
            .vector([.string(text(&generator)), .map(map(["k": .string(text(&generator))]))]),
            .symbol(Symbol(text(&generator))), .tagged(text(&generator), .null), .character("\u{9B}"),
            .bytes([1, 2]),
        ]
        let data = ValueMap(
            (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                (.keyword(Keyword(text(&generator))), values.randomElement(using: &generator) ?? .null)
            })
        return Signal(
            time: Int64.random(in: .min ... .max, using: &generator), namespace: text(&generator),
            id: text(&generator), message: text(&generator), data: data,
            error: SignalError(type: text(&generator), message: text(&generator), code: text(&generator)),
            context: data, file: text(&generator), line: 1)
    }

    @Test(
        "whatever stands in texts and names, a line is one, without control characters",
        arguments: LineFormat.allCases)
    func oneLine(format: LineFormat) {
        var generator = Generator(seed: 5)
        for _ in 0..<2_000 {
            let line = format.line(of: Self.signal(&generator))
            let inner = format == .text ? line.split(separator: "\n  ").joined() : String(line.dropLast())
            let body = inner.hasSuffix("\n") ? String(inner.dropLast()) : inner
            #expect(line.unicodeScalars.last == "\n")
            #expect(
                body.unicodeScalars.allSatisfy {
                    $0.properties.generalCategory != .control && $0 != "\u{2028}" && $0 != "\u{2029}"
                }, "\(body.debugDescription)")
        }
    }

    @Test(
        "texts of every length read back with a character to escape at any place",
        arguments: [
            "\"", "\\", "\0", "\u{8}", "\u{C}", "\u{1F}", "\u{7F}", "\u{80}", "\u{9F}", "é", "\u{2028}",
            "\u{2068}", "😀",
        ])
    func everyPlace(character: String) throws {
        for length in 0..<20 {
            for place in 0...length {
                var characters = Array(repeating: "x", count: length)
                for second in [place, place + 3] where second <= characters.count {
                    characters.insert(character, at: second)
                }
                let text = characters.joined()
                let line = LineFormat.json.line(of: Signal(time: 0, namespace: "a", message: text))
                #expect(try WireFormat.json.decode(Array(line.utf8))["msg"] == .string(text))
            }
        }
    }

    @Test("whatever stands in texts and names, lines read back as what was said")
    func readsBack() throws {
        var generator = Generator(seed: 6)
        for _ in 0..<2_000 {
            let signal = Self.signal(&generator)
            let json = try WireFormat.json.decode(Array(LineFormat.json.line(of: signal).utf8))
            #expect(json["msg"] == .string(signal.message ?? ""))
            #expect(json["id"] == .string(signal.id ?? ""))
            #expect(json["error"]?["message"] == .string(signal.error?.message ?? ""))
            #expect(json["file"] == .string(signal.file ?? ""))
            let lite = try WireFormat.json.decode(Array(LineFormat.telemereLite.line(of: signal).utf8))
            #expect(lite["msg"]?[0] == .string(signal.message ?? ""))
            let line = LineFormat.edn.line(of: signal)
            guard let edn = try? WireFormat.edn.decode(Array(line.utf8)) else {
                Issue.record("\(line.debugDescription) does not read back")
                return
            }
            #expect(edn[Keyword("msg")] == .string(signal.message ?? ""))
            #expect(edn[Keyword("error")]?[Keyword("type")] == .string(signal.error?.type ?? ""))
            #expect(edn[Keyword("data")]?.mapValue?.count ?? 0 == signal.data.count)
        }
    }
}
