// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSignals
import SenteWire
import Testing

@Suite("Messages in other shapes, to a server")
struct FlowEnvelopeTests {
    // MARK: Agreed on

    @Test("What holds is what both have")
    func features() throws {
        var server = TestServerSession(.maps, compressors: [.gzip: TestServerSession.store]) {
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
        var server = TestServerSession(.maps, compressors: [.gzip: TestServerSession.store]) {
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

    // MARK: Compressed

    @Test("A compressed message is read in either spelling")
    func compressed() throws {
        var server = try TestServerSession.agreed()
        let bytes = [0x1F] + Array(TestServerSession.list.utf8)
        #expect(server.receive(from: 1, .binary([0xC1, 1, 1] + bytes)) == [TestServerSession.listed])
        let word =
            #"{"type":"flow-compressed","compressed":true,"compression-algorithm":"gzip","data":"H3sidHlwZSI6ImdldC1zdWJzY3JpcHRpb25zIn0="}"#
        #expect(server.receive(from: 1, word) == [TestServerSession.listed])
        #expect(server.session.counters.flow.unfolded == 2)
    }

    @Test("A message goes compressed where it is smaller by a tenth, and only where it is long enough")
    func compresses() throws {
        for isBinary in [true, false] {
            var server = try TestServerSession.agreed(binary: isBinary) { $0.flow.chunking = nil }
            let long = #"{"type":"x","data":"\#(String(repeating: "y", count: 600))"}"#
            let echo = server.effects(of: .received(ConnectionID(1), .text(long)))
            #expect(echo.count == 1)
            guard case .send(_, let message) = echo[0] else { return }
            if isBinary {
                #expect(message.kind == .binary && message.bytes.prefix(4) == [0xC1, 1, 1, 0x1F])
            } else {
                #expect(message.string.hasPrefix(#"{"type":"flow-compressed","compressed":true,"#))
            }
            #expect(server.receive(from: 1, TestServerSession.list) == [TestServerSession.listed])
            #expect(server.session.counters.flow.compressed == 1)
        }
    }

    @Test("Of the algorithms that a server has, those hold that its client offered, and no other is read")
    func algorithms() throws {
        for isInParts in [false, true] {
            var server = TestServerSession(
                .maps, compressors: [.gzip: TestServerSession.store, .deflate: TestServerSession.store]
            ) {
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
                server.receive(from: 1, .binary(head + [0x1F] + Array(TestServerSession.list.utf8))) == [
                    "1 close 1002"
                ])
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
        var server = try TestServerSession.agreed {
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
            #expect(lines == (byte == 0x61 ? [TestServerSession.listed] : []))
        }
        #expect(server.session.counters.unreadableMessages == 1)
    }

    @Test("What does not unfold is unreadable: without a session it is counted, with one the link ends")
    func malformed() throws {
        var server = try TestServerSession.agreed()
        #expect(server.receive(from: 1, .binary([0xC1, 1, 1, 2])) == [])
        #expect(server.receive(from: 1, .binary([0xC1, 1, 1, 0x1F, 0xFF])) == [])
        #expect(server.session.counters.unreadableMessages == 2)
        #expect(
            server.receive(from: 1, .binary([0xC1, 1, 1] + Array(repeating: 0x1F, count: 20_000))) == ["work"]
        )
        #expect(server.work() == ["1 close 1009"])
        var other = try TestServerSession.agreed(resumes: true)
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
        var server = try TestServerSession.agreed()
        #expect(server.receive(from: 1, .binary(bytes)) == ["1 close 1002"])
        var other = try TestServerSession.agreed()
        let inner = [0x1F] + Array(#"{"type":"flow-chunk-abort","message-id":1}"#.utf8)
        #expect(other.receive(from: 1, .binary([0xC1, 1, 1] + inner)) == ["1 close 1002"])
    }

    // MARK: In parts

    private static func word(_ name: String, _ fields: String) -> String {
        #"{"type":"flow-\#(name)","message-id":7\#(fields)}"#
    }

    @Test("A message in parts is read in any order, doubles ignored, in either spelling")
    func parts() throws {
        var server = try TestServerSession.agreed()
        let bytes = Array(TestServerSession.list.utf8)
        let first = [0xC1, 2, 1, 0, 4, UInt8(bytes.count)] + bytes[..<10]
        let parts: [[UInt8]] = [[0xC1, 2, 1, 2, 1] + bytes[20...], first, first]
        for part in parts { #expect(server.receive(from: 1, .binary(part)) == []) }
        #expect(
            server.receive(from: 1, .binary([0xC1, 2, 1, 1, 0] + bytes[10..<20])) == [
                TestServerSession.listed
            ])
        #expect(server.receive(from: 1, .binary([0xC1, 2, 1, 1, 0] + bytes[10..<20])) == [])

        let text = Self.word("chunk-start", #","total-chunks":2,"total-size":\#(bytes.count)"#)
        #expect(server.receive(from: 1, text) == [])
        #expect(
            server.receive(
                from: 1, Self.word("chunk", #","chunk-index":1,"data":"dC1zdWJzY3JpcHRpb25zIn0=""#)) == [])
        #expect(
            server.receive(from: 1, Self.word("chunk", #","chunk-index":0,"data":"eyJ0eXBlIjoiZ2U=""#)) == [])
        #expect(server.receive(from: 1, Self.word("chunk-end", "")) == [TestServerSession.listed])
        #expect(server.session.deadline == nil)
    }

    @Test("A compressed message in parts is put together first")
    func compressedParts() throws {
        var server = try TestServerSession.agreed()
        let bytes = [1, 0x1F] + Array(TestServerSession.list.utf8)
        #expect(server.receive(from: 1, .binary([0xC1, 2, 1, 0, 2] + bytes[..<10])) == [])
        #expect(
            server.receive(from: 1, .binary([0xC1, 2, 1, 1, 3] + bytes[10...])) == [TestServerSession.listed])
    }

    @Test("Parts that stay away are let go, and late ones open nothing; a session's link ends instead")
    func timeout() throws {
        var server = try TestServerSession.agreed()
        let first = Message.binary([0xC1, 2, 1, 0, 0, 0x7B])
        #expect(server.receive(from: 1, first) == [])
        #expect(server.advance(by: .seconds(30)) == [])
        #expect(server.session.counters.flow.letGo == 1 && server.session.deadline == nil)
        #expect(server.receive(from: 1, .binary([0xC1, 2, 1, 1, 1, 0x7D])) == [])
        #expect(server.session.deadline == nil)

        var other = try TestServerSession.agreed(resumes: true)
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
        var server = try TestServerSession.agreed()
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
        var server = try TestServerSession.agreed()
        #expect(server.receive(from: 1, Self.word(row.name, row.fields)) == ["1 close \(row.code)"])
    }

    @Test("Whatever parts come, what is kept of them has its bound", arguments: 0..<5)
    func bound(_ seed: UInt64) throws {
        var server = try TestServerSession.agreed { $0.flow.chunking?.maximumMessageBytes = 1_000 }
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
        var server = try TestServerSession.agreed()
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
            var server = try TestServerSession.agreed(binary: isBinary, partBytes: 200) {
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
        var server = try TestServerSession.agreed(resumes: true) {
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
