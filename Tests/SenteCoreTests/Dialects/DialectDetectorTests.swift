// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("The first message of a link")
struct DialectDetectorTests {
    private func mismatch(_ message: Message, _ detector: DialectDetector = DialectDetector()) -> SenteError?
    {
        do throws(SenteError) {
            _ = try detector.detect(message)
            return nil
        } catch { return error }
    }

    @Test(
        "shows a server of the map dialect in JSON",
        arguments: [
            #"{"type":"welcome","conn-id":"conn-1","server-time":5}"#,
            #" {"conn-id":"conn-1","type":"welcome"}"#, #"{"type":"ping"}"#, #"{"type":"anything"}"#,
        ])
    func maps(_ text: String) throws {
        for detector in [DialectDetector(), DialectDetector(dialect: .senteLiteMaps, format: .json)] {
            let coder = try detector.detect(.text(text))
            #expect(coder.dialect == .senteLiteMaps)
            #expect(coder.format == .json)
        }
    }

    @Test("is still to be decoded by what it showed")
    func decodes() throws {
        let first = Message.text(#"{"type":"welcome","conn-id":"conn-1","server-time":5}"#)
        var coder = try DialectDetector().detect(first)
        let inbound = coder.decode(first) { _ in false }
        #expect(inbound == [.greeting(Identity(connectionID: "conn-1", serverTime: 5))])
    }

    /// Every greeting that real servers send, as text.
    static let greetings: [(String, Dialect, WireFormat)] = [
        (#"{:type :welcome, :conn-id "conn-1", :server-time 5}"#, .senteLiteMaps, .edn),
        (#"{"type" "welcome" "conn-id" "conn-1"}"#, .senteLiteMaps, .edn),
        (#"["^ ","~:type","~:welcome","~:conn-id","conn-1"]"#, .senteLiteMaps, .transitJSON),
        (#"{"~:type":"~:welcome","~:conn-id":"conn-1"}"#, .senteLiteMaps, .transitJSONVerbose),
        (
            #"[:chsk/handshake ["conn-1" "tok" {:sente-lite-version "2.0.0"} true]]"#, .senteLiteVectors, .edn
        ),
        (#"[:chsk/handshake ["conn-1" nil]]"#, .senteLiteVectors, .edn),
        (" \n[:chsk/handshake [1 2]]", .senteLiteVectors, .edn),
        ("[:my/early {:push 1}]", .senteLiteVectors, .edn),
        ("[:chsk/ws-ping]", .senteLiteVectors, .edn),
        (
            #"["~:chsk/handshake",["conn-1","tok",["^ ","~:sente-lite-version","2.0.0"],true]]"#,
            .senteLiteVectors, .transitJSON
        ),
        (#"[[:chsk/handshake ["cid-1" nil {}]] nil]"#, .sente, .edn),
        (#"[[:chsk/handshake ["cid-1" nil]]]"#, .sente, .edn),
        (#"+[[:chsk/handshake ["cid-1" nil]]]"#, .sente, .edn),
        (#"-[:chsk/handshake ["cid-1" nil]]"#, .sente, .edn),
        ("[:chsk/ws-ping nil]", .sente, .edn),
        (#"[["~:chsk/handshake",["cid-1",null]],null]"#, .sente, .transitJSON),
        (#"[["~:chsk/handshake",["{cid\\\"{",null]],null]"#, .sente, .transitJSON),
        (#"+[["~:chsk/handshake",["cid-1",null]]]"#, .sente, .transitJSON),
        (#"[["~:chsk/handshake",["cid-1",null,{"~:rig":"sente"}]],null]"#, .sente, .transitJSONVerbose),
    ]

    @Test("shows dialect and format of every server in text", arguments: greetings)
    func greeting(_ text: String, _ dialect: Dialect, _ format: WireFormat) throws {
        for detector in [DialectDetector(), DialectDetector(dialect: dialect, format: format)] {
            let coder = try detector.detect(.text(text))
            #expect(coder.dialect == dialect)
            #expect(coder.format == format)
        }
    }

    private static let store = Compressor { bytes, output throws(WireError) in
        output.append(contentsOf: bytes)
    } decompress: { bytes, output, limit throws(WireError) in
        guard bytes.count <= limit else { throw WireError(.tooLarge, "Too much.") }
        output.append(contentsOf: bytes)
    }

    static let binaryFormats: [WireFormat] = [
        .senteMessagePack, .transitMessagePack, .gzip(over: .edn, compressor: store),
        .gzip(over: .transitJSON, compressor: store), .gzip(over: .transitJSONVerbose, compressor: store),
        .gzip(over: .senteMessagePack, compressor: store),
        .gzip(over: .transitMessagePack, compressor: store),
    ]

    @Test(
        "shows dialect and format of every server in bytes", arguments: binaryFormats,
        [
            ("[[:chsk/handshake [\"cid-1\" nil {:rig \"sente\"}]] nil]", Dialect.sente),
            ("[:chsk/handshake [\"conn-1\" nil {:a 1} true]]", .senteLiteVectors),
            ("{:type :welcome, :conn-id \"conn-1\"}", .senteLiteMaps),
        ])
    func binaryGreeting(_ format: WireFormat, _ greeting: (String, Dialect)) throws {
        let value = try Vectors.edn(greeting.0)
        for filler in [0, 2_000] {
            // From 1,024 bytes on the gzip packer compresses.
            var value = value
            if filler > 0, greeting.1 == .sente {
                value = try Vectors.edn(
                    "[[:chsk/handshake [\"\(String(repeating: "x", count: filler))\" nil {:a 1}]] nil]")
            }
            let first = Message(.binary, try format.encode(value))
            for wanted in [nil, format] {
                var coder = try DialectDetector(format: wanted, compressor: Self.store).detect(first)
                #expect(coder.dialect == greeting.1)
                #expect(coder.format == format)
                let inbound = coder.decode(first, isCallback: Vectors.nobody)
                guard case .greeting? = inbound.first else {
                    Issue.record("\(inbound)")
                    continue
                }
            }
        }
    }

    @Test("in gzip that unfolds to too much is that, and one that nothing here can unfold is a mismatch")
    func gzipFailures() throws {
        let first = Message.binary([1] + Array(repeating: UInt8(ascii: "["), count: 100))
        let detector = DialectDetector(compressor: Self.store)
        let error = #expect(throws: SenteError.self) {
            try detector.detect(first, sizes: SizeLimits(incomingMessage: 50))
        }
        #expect(error?.message.contains("more than 50 bytes") == true && error?.closeCode == .messageTooBig)
        #expect(mismatch(first)?.code == .protocolMismatch)
        #expect(mismatch(.binary([0]), detector)?.code == .protocolMismatch)
        #expect(mismatch(.binary([1]), detector)?.code == .protocolMismatch)
    }

    @Test("with fields named by keywords, or by texts, is answered in kind")
    func kinds() throws {
        for (greeting, ping) in [
            ("{:type :welcome}", "{:type :ping, :timestamp 5}"),
            (#"{"type" "welcome"}"#, #"{"type" "ping", "timestamp" 5}"#),
            (#"{"type":"welcome"}"#, #"{"type":"ping","timestamp":5}"#),
        ] {
            let coder = try DialectDetector().detect(.text(greeting))
            #expect(try coder.text(.ping(stamp: 5)) == ping)
        }
    }

    @Test("is tried in the fallback format when it is not what it looks like")
    func fallback() throws {
        let mine = WireFormat(
            name: "mine", isBinary: false, encode: { (_, _, _) throws(WireError) in },
            decode: { (bytes, _) throws(WireError) in
                guard bytes.first != UInt8(ascii: "{") else { throw WireError(.malformed, "No braces.") }
                return [.keyword("chsk/handshake"), ["u", .null]]
            })
        let detector = DialectDetector(fallback: mine)
        for text in ["%%%", "[:chsk/handshake", "[1, 2"] {
            let coder = try detector.detect(.text(text))
            #expect(coder.dialect == .senteLiteVectors && coder.format == mine)
        }
        #expect(mismatch(.text("{broken"), detector) != nil)
        // What it looks like comes first, and bytes are no text.
        #expect(try detector.detect(.text("[:chsk/ws-ping]")).format == .edn)
        #expect(mismatch(.binary([UInt8(ascii: "%")]), detector) != nil)
    }

    @Test(
        "of vectors whose names are plain texts is refused, for the server would drop whatever it is sent",
        arguments: [
            #"["chsk/handshake",["conn-1","tok",{"sente-lite-version":"2.0.0"},true]]"#,
            #"[["chsk/handshake",["cid-1",null]],null]"#,
        ])
    func plainJSON(_ text: String) throws {
        for detector in [DialectDetector(), DialectDetector(format: .json)] {
            let error = try #require(mismatch(.text(text), detector))
            #expect(error.code == .protocolMismatch)
            #expect(error.message.contains("plain JSON") && error.message.contains("drop every event"))
            #expect(error.message.contains("Give it EDN or Transit"))
        }
    }

    @Test(
        "that greets in a way nobody speaks is a mismatch",
        arguments: [
            "[:chsk/handshake]", "[:chsk/handshake [1]]", "[:chsk/handshake [1 2 3 4 5]]",
            "[:chsk/handshake 1 2]",
            "[[:chsk/handshake] nil]", "[[:chsk/handshake [1]] nil]", "[[:my/ev 1] [:my/ev 1]]", "[[] nil]",
            "[:plain 1]", "[1 2]", "[]", "{}", "{:kind :welcome}", "nil", ":chsk/handshake", "+[:my/ev 1]",
            "+{:type :welcome}", #"["~:plain",1]"#,
        ])
    func strange(_ text: String) throws {
        let error = try #require(mismatch(.text(text)))
        #expect(error.code == .protocolMismatch)
        #expect(error.message.contains("Check the address"))
    }

    @Test(
        "is quoted when nobody knows it, short and printable",
        arguments: [
            "hello", "<html>\u{7}\r\n<body>", "", "   ", #"{"broken"#, #"{"error":"go away"}"#,
            #"{"type":5}"#,
            "[1,2]", "null", "\"text\"", String(repeating: "long ", count: 10_000),
            "\u{202E}reversed\u{0}", String(repeating: "👩‍👩‍👧‍👦", count: 100),
        ])
    func unknown(_ text: String) throws {
        let error = try #require(mismatch(.text(text)))
        #expect(error.code == .protocolMismatch)
        #expect(error.message.unicodeScalars.count < 340)
        #expect(error.message.contains("Check the address"))
        let isPrintable = error.message.unicodeScalars.allSatisfy {
            ![.control, .format, .unassigned].contains($0.properties.generalCategory)
        }
        #expect(isPrintable)
    }

    @Test("is named by its size when it is binary")
    func binary() throws {
        let error = try #require(mismatch(.binary([0x92, 0x92, 0xc7])))
        #expect(error.code == .protocolMismatch)
        #expect(error.message.contains("binary (3 bytes)"))
    }

    @Test("that contradicts the configured format ends in a mismatch that names both")
    func contradiction() throws {
        let mine = WireFormat(
            name: "mine", isBinary: false, encode: { (_, _, _) throws(WireError) in },
            decode: { (_, _) throws(WireError) in .null })
        let error = try #require(mismatch(.text(#"{"type":"welcome"}"#), DialectDetector(format: mine)))
        #expect(error.code == .protocolMismatch)
        #expect(error.message.contains("json") && error.message.contains("mine"))
        #expect(error.message.contains("`format`"))
    }

    @Test("that contradicts the configured dialect ends in a mismatch that names both", arguments: greetings)
    func otherDialect(_ text: String, _ dialect: Dialect, _ format: WireFormat) throws {
        for other in Dialect.detected where other != dialect {
            let error = try #require(mismatch(.text(text), DialectDetector(dialect: other)))
            #expect(error.code == .protocolMismatch)
            #expect(error.message.contains(other.rawValue) && error.message.contains(dialect.rawValue))
            #expect(error.message.contains("`dialect`"))
        }
    }

    @Test("that is neither the configured format nor any other says what it is not")
    func notEvenThat() throws {
        let error = try #require(mismatch(.text("[broken"), DialectDetector(format: .edn)))
        #expect(error.message.contains("as edn:"), "\(error.message)")
        let json = try #require(mismatch(.text("[:chsk/handshake [1 2]]"), DialectDetector(format: .json)))
        #expect(
            json.message.contains("edn") && json.message.contains("json") && json.message.contains("`format`")
        )
    }

    @Test("never traps, whatever the bytes are, and costs two decodings at most", arguments: 0..<8)
    func fuzz(_ seed: Int) throws {
        var generator = Generator(seed: UInt64(seed))
        var found: Set<Dialect> = []
        let detector = DialectDetector(compressor: Self.store)
        for _ in 0..<1_000 {
            var bytes: [UInt8]
            if Bool.random(using: &generator) {
                let index = Int.random(in: 0..<Self.greetings.count, using: &generator)
                bytes = Array(Self.greetings[index].0.utf8)
            } else {
                let format = Self.binaryFormats[
                    Int.random(in: 0..<Self.binaryFormats.count, using: &generator)]
                bytes = try format.encode(try Vectors.edn("[[:chsk/handshake [:a nil {:b 1}]] nil]"))
            }
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(bytes[place], at: place)
                }
            }
            for kind in [Message.Kind.text, .binary] {
                if let coder = try? detector.detect(Message(kind, bytes)) { found.insert(coder.dialect) }
            }
        }
        #expect(found == Set(Dialect.detected))
    }
}
