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

    @Test(
        "names the server that speaks another dialect",
        arguments: [
            (#"{:type :welcome, :conn-id "conn-1", :server-time 5}"#, "maps in EDN"),
            (
                #"[:chsk/handshake ["conn-1" "tok" {:sente-lite-version "2.0.0"} true]]"#,
                "sente-lite's vectors in EDN"
            ),
            (#"[[:chsk/handshake ["cid-1" nil {}]] nil]"#, "Sente's vectors in EDN"),
            (#"["~:chsk/handshake",["conn-1","tok",["^ "],true]]"#, "sente-lite's vectors in Transit"),
            (#"[["~:chsk/handshake",["cid-1",null]],null]"#, "Sente's vectors in Transit"),
            (#"["chsk/handshake",["conn-1"]]"#, "plain JSON"),
            (" \n[:chsk/handshake []]", "sente-lite's vectors in EDN"),
        ])
    func others(_ text: String, _ name: String) throws {
        let error = try #require(mismatch(.text(text)))
        #expect(error.code == .protocolMismatch)
        #expect(error.message.contains("a server that speaks"))
        #expect(error.message.contains(name), "\(error.message)")
        #expect(error.message.contains(text.drop { $0.isWhitespace }.prefix(20)))
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
        #expect(error.message.unicodeScalars.count < 220)
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
}
