// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSignals
import SenteWire
import Testing

@Suite("Messages in other shapes, to a server")
struct FlowEnvelopeTests {
    /// Bytes as they are, behind a mark; so a test reads what was compressed.
    private static let store = Compressor { bytes, output throws(WireError) in
        output.append(contentsOf: [0x1F])
        // As if it were smaller.
        output.append(contentsOf: bytes.prefix(bytes.count / 2))
    } decompress: { bytes, output, limit throws(WireError) in
        guard bytes.first == 0x1F else { throw WireError(.malformed, "This is not stored.") }
        guard bytes.count - 1 <= limit else { throw WireError(.tooLarge, "This is too large.") }
        output.append(contentsOf: bytes.dropFirst())
    }

    private func server(
        binary: Bool = true, resumes: Bool = false, partBytes: Int = 100,
        _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> TestServerSession {
        var server = TestServerSession(.maps, compressors: [.gzip: Self.store]) {
            $0.flow = .all
            if !resumes { $0.flow.resumption = nil }
            $0.flow.chunking?.maximumMessageBytes = 10_000
            change(&$0)
        }
        server.connect(1)
        let resume = resumes ? #","resume":{"messages":1000,"bytes":100000}"# : ""
        let offer =
            #""compression":["gzip","br"],"batching":true,"chunking":true,"max-chunk-size":\#(partBytes)"#
        server.receive(
            from: 1,
            #"{"type":"flow-handshake","capabilities":{\#(offer),"binary":\#(binary)\#(resume)}}"#)
        return server
    }

    private static let list = #"{"type":"get-subscriptions"}"#
    private static let listed = #"1 < {"type":"subscription-list","subscriptions":[]}"#

    // MARK: Batches

    @Test("The messages of a batch are handled as if each came alone")
    func batch() throws {
        var server = try server()
        let batch =
            #"{"type":"flow-batch","messages":[\#(Self.list),{"type":"ping","timestamp":1},\#(Self.list)]}"#
        #expect(
            server.receive(from: 1, batch) == [
                Self.listed, #"1 < {"type":"pong","timestamp":1000,"original-timestamp":1}"#, Self.listed,
            ])
        #expect(server.session.counters.flow.batchesReceived == 1)
    }

    @Test("What holds is what both have")
    func features() throws {
        var server = TestServerSession(.maps, compressors: [.gzip: Self.store]) {
            $0.flow = .all
            $0.flow.resumption = nil
        }
        #expect(server.connect(1)[0].contains(#""compression":["gzip"],"#))
        let said = try server.values(
            server.receive(
                from: 1,
                #"{"type":"flow-handshake","capabilities":{"compression":["br","deflate","gzip"],"chunking":true,"max-chunk-size":100,"max-message-bytes":{"in":5,"out":7}}}"#
            ))
        #expect(
            said[0]["features"] == [
                "compression": ["gzip"], "chunking": true, "max-chunk-size": 100,
                "max-message-bytes": ["in": 5, "out": 7],
            ])
    }

    @Test("A message larger than its client takes is told as not sent, and counts as none that was")
    func tooLarge() throws {
        var server = TestServerSession(.maps, compressors: [.gzip: Self.store]) {
            $0.flow = .all
            $0.flow.resumption = nil
        }
        server.connect(1)
        server.receive(
            from: 1,
            #"{"type":"flow-handshake","capabilities":{"chunking":true,"max-message-bytes":{"in":200,"out":200}}}"#
        )
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        server.session.signalLevel = .trace
        let (before, told) = (server.session.counters.sent, server.signals.count)
        let text = String(repeating: "x", count: 300)
        server.command(.publish(["text": .string(text)], channel: "a"))
        let ids = server.signals.dropFirst(told).map(\.id)
        #expect(ids.contains(.sendFailed) && !ids.contains(.messageSent))
        #expect(server.session.counters.sent == before)
    }

    @Test("Without compression and without a time to wait, answers go alone")
    func answeredAlone() throws {
        var server = try server { $0.flow.compression = nil }
        let batch = #"{"type":"flow-batch","messages":[\#(Self.list),\#(Self.list)]}"#
        #expect(server.receive(from: 1, batch) == [Self.listed, Self.listed])
    }

    @Test("Answers to the messages of a batch go together where they are enough to be compressed")
    func answered() throws {
        var server = try server(partBytes: 1_000) { $0.flow.compression?.minimumBytes = 100 }
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
        var server = try server(partBytes: 10_000) { $0.flow.compression?.minimumBytes = 100 }
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        let text = String(repeating: "x", count: 200)
        let said = server.receive(from: 1, #"{"type":"publish","channel-id":"a","data":{"text":"\#(text)"}}"#)
        #expect(said.count == 2, "\(said)")
        #expect(server.session.deadline == nil)
    }

    @Test("With a time to wait deliveries go together, at most as many as may, and a pong goes behind them")
    func linger() throws {
        var server = try server(partBytes: 1_000) {
            $0.flow.compression = nil
            $0.flow.batching?.linger = .milliseconds(10)
            $0.flow.batching?.messages = 3
        }
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        server.advance(by: .milliseconds(10))
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
        var server = try server(partBytes: 1_000) {
            $0.flow.compression = nil
            $0.flow.batching?.linger = .milliseconds(10)
            $0.flow.batching?.bytes = 500
        }
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        server.advance(by: .milliseconds(10))
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
        var server = try server()
        #expect(
            server.receive(from: 1, #"{"type":"flow-batch","messages":\#(messages)}"#) == ["1 close 1002"])
    }

    @Test("A batch that was not agreed on ends the connection")
    func noBatch() throws {
        var server = try server { $0.flow.batching = nil }
        #expect(
            server.receive(from: 1, #"{"type":"flow-batch","messages":[\#(Self.list)]}"#) == ["1 close 1002"])
    }

    // MARK: Compressed

    @Test("A compressed message is read in either spelling")
    func compressed() throws {
        var server = try server()
        let bytes = [0x1F] + Array(Self.list.utf8)
        #expect(server.receive(from: 1, .binary([0xC1, 1, 1] + bytes)) == [Self.listed])
        let word =
            #"{"type":"flow-compressed","compressed":true,"compression-algorithm":"gzip","data":"H3sidHlwZSI6ImdldC1zdWJzY3JpcHRpb25zIn0="}"#
        #expect(server.receive(from: 1, word) == [Self.listed])
        #expect(server.session.counters.flow.unfolded == 2)
    }

    @Test("A message goes compressed where it is smaller by a tenth, and only where it is long enough")
    func compresses() throws {
        for isBinary in [true, false] {
            var server = try server(binary: isBinary) { $0.flow.chunking = nil }
            let long = #"{"type":"x","data":"\#(String(repeating: "y", count: 600))"}"#
            let echo = server.effects(of: .received(ConnectionID(1), .text(long)))
            #expect(echo.count == 1)
            guard case .send(_, let message) = echo[0] else { return }
            if isBinary {
                #expect(message.kind == .binary && message.bytes.prefix(4) == [0xC1, 1, 1, 0x1F])
            } else {
                #expect(message.string.hasPrefix(#"{"type":"flow-compressed","compressed":true,"#))
            }
            #expect(server.receive(from: 1, Self.list) == [Self.listed])
            #expect(server.session.counters.flow.compressed == 1)
        }
    }

    @Test("Of the algorithms that a server has, those hold that its client offered, and no other is read")
    func algorithms() throws {
        for isInParts in [false, true] {
            var server = TestServerSession(.maps, compressors: [.gzip: Self.store, .deflate: Self.store]) {
                $0.flow = .all
                $0.flow.resumption = nil
            }
            #expect(server.connect(1)[0].contains(#""compression":["gzip","deflate"]"#))
            let offer = #"{"compression":["gzip"],"chunking":true,"binary":true}"#
            let said = try server.values(
                server.receive(from: 1, #"{"type":"flow-handshake","capabilities":\#(offer)}"#))
            #expect(said[0]["features"]?["compression"] == ["gzip"])
            let head: [UInt8] = isInParts ? [0xC1, 2, 1, 0, 3, 2] : [0xC1, 1, 2]
            #expect(
                server.receive(from: 1, .binary(head + [0x1F] + Array(Self.list.utf8))) == ["1 close 1002"])
        }
    }

    @Test("What compressing makes smaller by less than a tenth goes plain")
    func notWorthIt() throws {
        let weak = Compressor { bytes, output throws(WireError) in
            output.append(contentsOf: bytes.prefix(bytes.count - bytes.count / 20))
        } decompress: { _, _, _ throws(WireError) in
        }
        var server = TestServerSession(.maps, compressors: [.gzip: weak]) {
            $0.flow.compression = ServerConfiguration.Flow.Compression()
            $0.flow.usesBinaryEnvelope = true
        }
        server.connect(1)
        server.receive(
            from: 1, #"{"type":"flow-handshake","capabilities":{"compression":["gzip"],"binary":true}}"#)
        let long = #"{"type":"x","data":"\#(String(repeating: "y", count: 600))"}"#
        #expect(server.receive(from: 1, long).first?.hasPrefix(#"1 < {"type":"echo""#) == true)
        #expect(server.session.counters.flow.incompressible == 1)
    }

    @Test("Text in an envelope is UTF-8, or it is unreadable, whatever the format makes of it")
    func text() throws {
        var server = try server {
            $0.format = WireFormat(name: "json", isBinary: false) {
                value, bytes, limits throws(WireError) in
                try WireFormat.json.encode(value, into: &bytes, limits: limits)
            } decode: { bytes, limits throws(WireError) in
                try WireFormat.json.decode(Array(String(decoding: bytes, as: UTF8.self).utf8), limits: limits)
            }
        }
        for byte in [0x61, 0xE4] as [UInt8] {
            let bytes = Array(#"{"type":"get-subscriptions","x":""#.utf8) + [byte] + Array(#""}"#.utf8)
            let lines = server.receive(from: 1, .binary([0xC1, 1, 1, 0x1F] + bytes))
            #expect(lines == (byte == 0x61 ? [Self.listed] : []))
        }
        #expect(server.session.counters.unreadableMessages == 1)
    }

    @Test("What does not unfold is unreadable: without a session it is counted, with one the link ends")
    func malformed() throws {
        var server = try server()
        #expect(server.receive(from: 1, .binary([0xC1, 1, 1, 2])) == [])
        #expect(server.receive(from: 1, .binary([0xC1, 1, 1, 0x1F, 0xFF])) == [])
        #expect(server.session.counters.unreadableMessages == 2)
        #expect(
            server.receive(from: 1, .binary([0xC1, 1, 1] + Array(repeating: 0x1F, count: 20_000))) == ["work"]
        )
        #expect(server.work() == ["1 close 1009"])
        var other = try self.server(resumes: true)
        #expect(other.receive(from: 1, .binary([0xC1, 1, 1, 2])) == ["1 close 1007"])
        #expect(other.session.statistics(at: other.now).parkedSessions == 1)
    }

    @Test(
        "An envelope that is none, or in another, ends the connection",
        arguments: [
            [0xC1], [0xC1, 0], [0xC1, 1], [0xC1, 1, 3, 1], [0xC1, 1, 2, 1], [0xC1, 2, 1],
            [0xC1, 2, 0x80, 0, 0, 1],
            [0xC1, 2, 1, 0, 4], [0xC1, 2, 1, 0, 8], [0xC1, 2, 1, 0, 4, 0x80, 0],
            [0xC1, 2] + Array(repeating: 0xFF, count: 10), [0xC1, 3, 1],
        ])
    func wrongEnvelope(_ bytes: [UInt8]) throws {
        var server = try server()
        #expect(server.receive(from: 1, .binary(bytes)) == ["1 close 1002"])
        var other = try self.server()
        let inner = [0x1F] + Array(#"{"type":"flow-chunk-abort","message-id":1}"#.utf8)
        #expect(other.receive(from: 1, .binary([0xC1, 1, 1] + inner)) == ["1 close 1002"])
    }

    // MARK: In parts

    private static func word(_ name: String, _ fields: String) -> String {
        #"{"type":"flow-\#(name)","message-id":7\#(fields)}"#
    }

    @Test("A message in parts is read in any order, doubles ignored, in either spelling")
    func parts() throws {
        var server = try server()
        let bytes = Array(Self.list.utf8)
        let first = [0xC1, 2, 1, 0, 4, UInt8(bytes.count)] + bytes[..<10]
        let parts: [[UInt8]] = [[0xC1, 2, 1, 2, 1] + bytes[20...], first, first]
        for part in parts { #expect(server.receive(from: 1, .binary(part)) == []) }
        #expect(server.receive(from: 1, .binary([0xC1, 2, 1, 1, 0] + bytes[10..<20])) == [Self.listed])
        #expect(server.receive(from: 1, .binary([0xC1, 2, 1, 1, 0] + bytes[10..<20])) == [])

        let text = Self.word("chunk-start", #","total-chunks":2,"total-size":\#(bytes.count)"#)
        #expect(server.receive(from: 1, text) == [])
        #expect(
            server.receive(
                from: 1, Self.word("chunk", #","chunk-index":1,"data":"dC1zdWJzY3JpcHRpb25zIn0=""#)) == [])
        #expect(
            server.receive(from: 1, Self.word("chunk", #","chunk-index":0,"data":"eyJ0eXBlIjoiZ2U=""#)) == [])
        #expect(server.receive(from: 1, Self.word("chunk-end", "")) == [Self.listed])
        #expect(server.session.deadline == nil)
    }

    @Test("A compressed message in parts is put together first")
    func compressedParts() throws {
        var server = try server()
        let bytes = [1, 0x1F] + Array(Self.list.utf8)
        #expect(server.receive(from: 1, .binary([0xC1, 2, 1, 0, 2] + bytes[..<10])) == [])
        #expect(server.receive(from: 1, .binary([0xC1, 2, 1, 1, 3] + bytes[10...])) == [Self.listed])
    }

    @Test("Parts that stay away are let go, and late ones open nothing; a session's link ends instead")
    func timeout() throws {
        var server = try server()
        let first = Message.binary([0xC1, 2, 1, 0, 0, 0x7B])
        #expect(server.receive(from: 1, first) == [])
        #expect(server.advance(by: .seconds(30)) == [])
        #expect(server.session.counters.flow.letGo == 1 && server.session.deadline == nil)
        #expect(server.receive(from: 1, .binary([0xC1, 2, 1, 1, 1, 0x7D])) == [])
        #expect(server.session.deadline == nil)

        var other = try self.server(resumes: true)
        #expect(other.receive(from: 1, first) == [])
        #expect(other.advance(by: .seconds(30)) == ["1 close 1009"])
        #expect(other.session.statistics(at: other.now).parkedSessions == 1)
    }

    @Test(
        "Parts that contradict one another or are too large end the connection",
        arguments: [
            ([[1, 0, 1, 0x7B], [1, 1, 0, 0x7B]], 1002), ([[1, 1, 0, 0x7B], [1, 0, 1, 0x7B]], 1002),
            ([[1, 0, 0, 0x7B], [1, 1, 2, 0x7B]], 1002),
            ([[1, 0, 0] + Array(repeating: 1, count: 101)], 1002),
            ([[1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 1]], 1009),
            // Sizes that cannot be: too large, two of them, another than all parts have.
            ([[1, 0, 4, 0x92, 0x4E, 1]], 1009),
            ([[1, 0, 4, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 1]], 1009),
            ([[1, 0, 4, 5, 1], [1, 1, 4, 6, 1]], 1002), ([[1, 0, 4, 5, 1], [1, 1, 1, 1]], 1002),
        ] as [([[UInt8]], Int)])
    func wrongParts(_ row: ([[UInt8]], Int)) throws {
        var server = try server()
        var lines: [String] = []
        for part in row.0 { lines += server.receive(from: 1, .binary([0xC1, 2] + part)) }
        // A single last part is a message, if an unreadable one; what comes after it is late.
        #expect(lines == ["1 close \(row.1)"] || row.0.first?.prefix(3) == [1, 0, 1])
    }

    @Test(
        "A start that cannot be, or an end without one, ends the connection",
        arguments: [
            ("chunk-start", #","total-chunks":0,"total-size":1"#, 1002),
            ("chunk-start", #","total-chunks":9223372036854775807,"total-size":1"#, 1009),
            ("chunk-start", #","total-chunks":1,"total-size":9223372036854775807"#, 1009),
            ("chunk-start", #","total-chunks":1,"total-size":1,"compression-algorithm":"br""#, 1002),
            ("chunk-end", "", 1002), ("chunk", #","chunk-index":0,"data":"?""#, 1002),
            ("chunk", #","chunk-index":-1,"data":"""#, 1002),
        ])
    func wrongStart(_ row: (name: String, fields: String, code: Int)) throws {
        var server = try server()
        #expect(server.receive(from: 1, Self.word(row.name, row.fields)) == ["1 close \(row.code)"])
    }

    @Test("Whatever parts come, what is kept of them has its bound", arguments: 0..<5)
    func bound(_ seed: UInt64) throws {
        var server = try server { $0.flow.chunking?.maximumMessageBytes = 1_000 }
        var generator = Generator(seed: seed)
        for _ in 0..<2_000 {
            let number = UInt8.random(in: 0..<128, using: &generator)
            let index = UInt8.random(in: 0..<20, using: &generator)
            let head: [UInt8] = index == 0 ? [4, 100] : [0]
            let part = [0xC1, 2, number, index] + head + Array(repeating: UInt8(0x20), count: 40)
            server.receive(from: 1, .binary(part))
            server.advance(by: .milliseconds(Int64.random(in: 0..<200, using: &generator)))
        }
        server.advance(by: .seconds(30))
        #expect(server.session.deadline == nil)
    }

    @Test("What was announced takes its room before it came")
    func announced() throws {
        var server = try server()
        // Each announces 10,000 bytes and brings one; what is kept of all is 16 MiB and one message.
        for number in 128..<2_128 {
            let name = [UInt8(number & 0x7F) | 0x80, UInt8(number >> 7)]
            let part = [0xC1, 2] + name + [0, 4, 0x90, 0x4E, 0x20]
            #expect(server.receive(from: 1, .binary(part)) == [])
        }
        #expect((400..<500).contains(server.session.counters.flow.letGo))
    }

    @Test(
        "A large message goes in parts as the connection takes them, and others pass between; its channel waits"
    )
    func pours() throws {
        for isBinary in [true, false] {
            var server = try server(binary: isBinary, partBytes: 200) {
                $0.flow.compression = nil
                $0.flow.batching = nil
            }
            for channel in ["a", "b"] {
                server.receive(from: 1, #"{"type":"subscribe","channel-id":"\#(channel)"}"#)
            }
            let text = String(repeating: "x", count: 450)
            #expect(server.command(.publish(["x": .string(text)], channel: "a")) == ["1 has more"])
            #expect(server.command(.publish(["n": 1], channel: "a")) == [])
            #expect(server.command(.publish(["n": 2], channel: "b")).count == 1)
            #expect(server.receive(from: 1, #"{"type":"ping"}"#).count == 1)
            var taken: [ServerEffect] = []
            while true {
                let effects = server.effects(of: .room(ConnectionID(1)))
                if effects.isEmpty { break }
                taken += effects
            }
            let messages = taken.compactMap { if case .send(_, let message) = $0 { message } else { nil } }
            var whole: [UInt8] = []
            for message in messages.dropLast() {
                if isBinary {
                    #expect(message.bytes.prefix(3) == [0xC1, 2, 1])
                    // The first says the size, in two bytes.
                    whole += message.bytes.dropFirst(whole.isEmpty ? 7 : 5)
                } else if message.string.contains(#""flow-chunk","#) {
                    let value = try WireFormat.json.decode(message.bytes)
                    whole += try #require(value["data"]?.stringValue.flatMap { Base64.bytes($0) })
                }
            }
            #expect(String(decoding: whole, as: UTF8.self).contains(text))
            #expect(messages.last?.string.contains(#""data":{"n":1}"#) == true)
        }
    }

    @Test("A link that is lost amid a message in parts: the client gets it whole on the next one")
    func lostAmidParts() throws {
        var server = try server(resumes: true) {
            $0.flow.compression = nil
            $0.flow.batching = nil
        }
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        while !server.handle(.room(ConnectionID(1))).isEmpty {}
        let text = String(repeating: "x", count: 250)
        server.command(.publish(["x": .string(text)], channel: "a"))
        server.command(.publish(["n": 1], channel: "a"))
        #expect(server.handle(.room(ConnectionID(1))).count == 2)
        #expect(server.lose(1) == [])
        #expect(server.session.statistics(at: server.now).parkedSessions == 1)
        #expect(server.handle(.room(ConnectionID(1))) == [])
    }
}
