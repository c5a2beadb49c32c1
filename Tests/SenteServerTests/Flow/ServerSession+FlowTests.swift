// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSignals
import SenteWire
import Testing

@Suite("What a server announces, agrees on and counts")
struct ServerSessionFlowTests {
    @Test("A server that announces nothing greets and answers as ever")
    func silence() {
        var server = TestServerSession()
        #expect(server.connect(1) == [#"1 < {"type":"welcome","conn-id":"<c1>","server-time":1000}"#])
        #expect(
            server.receive(from: 1, #"{"type":"flow-handshake","capabilities":{}}"#) == [
                #"1 < {"type":"echo","original":{"type":"flow-handshake","capabilities":{}},"conn-id":"<c1>","timestamp":1000}"#
            ])
    }

    @Test("The greeting announces, and the answer to the handshake says what holds")
    func agreement() throws {
        var server = TestServerSession.resuming { $0.heartbeatInterval = .seconds(1) }
        let resume = #"{"window-ms":300000,"messages":100,"bytes":1048576}"#
        #expect(
            server.connect(1) == [
                #"1 < {"type":"welcome","conn-id":"<c1>","server-time":1000,"capabilities":{"resume":\#(resume)}}"#
            ])
        let answer = server.receive(
            from: 1,
            #"{"type":"flow-handshake","capabilities":{"resume":{"window-ms":1000,"messages":10,"bytes":10},"new":1}}"#
        )
        let said = try server.values(answer)
        #expect(said.count == 1)
        #expect(said[0]["features"] == ["resume": ["window-ms": 1_000, "messages": 100, "bytes": 1_048_576]])
        #expect(said[0]["resumed"] == false && said[0]["received"] == 0 && said[0]["missed"] == nil)
        #expect(said[0]["session"]?.stringValue.flatMap { UniqueID($0) } != nil)
    }

    @Test("A client that offers nothing has a plain connection")
    func plain() throws {
        var server = TestServerSession.resuming()
        server.connect(1)
        let answer = try server.values(
            server.receive(from: 1, #"{"type":"flow-handshake","capabilities":{}}"#))
        #expect(answer[0]["features"] == [:])
        #expect(answer[0]["session"] == nil)
        #expect(server.lose(1) == [])
        #expect(server.session.statistics(at: server.now).parkedSessions == 0)
    }

    @Test(
        "A wrong value turns off that feature alone",
        arguments: [
            "1", "{}", #"{"messages":0,"bytes":1}"#, #"{"messages":-1,"bytes":1}"#, #"{"messages":1}"#,
            #"{"messages":"1","bytes":1}"#, #"{"messages":1,"bytes":1,"window-ms":"x"}"#,
            #"{"messages":1e300,"bytes":1}"#,
        ])
    func wrong(_ value: String) throws {
        var server = TestServerSession.resuming()
        server.session.signalLevel = .warn
        server.connect(1)
        let said = try server.values(
            server.receive(from: 1, #"{"type":"flow-handshake","capabilities":{"resume":\#(value)}}"#))
        #expect(said[0]["features"] == [:])
        #expect(server.signals.map(\.id) == [.flowIgnored])
    }

    @Test("A client that takes parts of a few bytes only gets none", arguments: [1, 63])
    func tinyParts(_ size: Int) throws {
        var server = TestServerSession(.maps) { $0.flow.chunking = .init() }
        server.connect(1)
        let answer = try server.values(
            server.receive(
                from: 1,
                #"{"type":"flow-handshake","capabilities":{"chunking":true,"max-chunk-size":\#(size)}}"#))
        #expect(answer[0]["features"]?["chunking"] == nil)
    }

    @Test(
        "A client that does not keep to it is closed with 1002, and its session is gone",
        arguments: [
            #"{"type":"flow-handshake","capabilities":{}}"#, #"{"type":"flow-ack","received":1}"#,
            #"{"type":"flow-ack","received":-1}"#, #"{"type":"flow-ack","received":9223372036854775807}"#,
            #"{"type":"flow-ack"}"#, #"{"type":"flow-handshake-ack"}"#, #"{"type":"flow-what"}"#,
        ])
    func breach(_ word: String) throws {
        var server = TestServerSession.resuming()
        let session = try server.begin(1)
        #expect(server.receive(from: 1, word) == ["1 close 1002"])
        #expect(server.session.counters.flow.breaches == 1)
        let said = try server.values(server.comeBack(2, to: session, received: 0, sent: 0))
        #expect(said[0]["resumed"] == false)
    }

    @Test(
        "Before the handshake a word is none, and a handshake that says nothing is none either",
        arguments: [
            #"{"type":"flow-ack","received":0}"#, #"{"type":"flow-skip"}"#, #"{"type":"flow-handshake"}"#,
            #"{"type":"flow-handshake","capabilities":1}"#,
            #"{"type":"flow-handshake","capabilities":{},"resume":1}"#,
            #"{"type":"flow-handshake","capabilities":{},"resume":{"session":"x","received":0,"sent":0}}"#,
            #"{"type":"flow-handshake","capabilities":{},"resume":{"session":1,"received":0,"sent":0,"attempt":1}}"#,
        ])
    func early(_ word: String) {
        var server = TestServerSession.resuming()
        server.connect(1)
        #expect(server.receive(from: 1, word) == ["1 close 1002"])
    }

    @Test(
        "A client is told how many of its messages came after a quarter of what it keeps, or after a second")
    func acknowledgements() throws {
        var server = TestServerSession.resuming()
        server.connect(1)
        server.receive(
            from: 1, #"{"type":"flow-handshake","capabilities":{"resume":{"messages":8,"bytes":4000}}}"#)
        let publish = #"{"type":"publish","channel-id":"a","data":{}}"#
        #expect(server.receive(from: 1, publish).count == 1)
        // What keeps alive does not count.
        #expect(server.receive(from: 1, #"{"type":"ping"}"#).count == 1)
        #expect(server.receive(from: 1, #"{"type":"pong"}"#).count == 1)
        #expect(server.receive(from: 1, publish).last == #"1 < {"type":"flow-ack","received":2}"#)
        #expect(server.receive(from: 1, #"{"type":"flow-skip"}"#) == [])
        #expect(server.advance(by: .milliseconds(999)) == [])
        #expect(server.advance(by: .milliseconds(1)) == [#"1 < {"type":"flow-ack","received":3}"#])
        #expect(server.advance(by: .seconds(10)) == [])
        // A thousand bytes are a quarter of four thousand.
        let large = #"{"type":"publish","data":"\#(String(repeating: "x", count: 1_000))"}"#
        #expect(server.receive(from: 1, large).last == #"1 < {"type":"flow-ack","received":4}"#)
    }

    @Test("Whatever becomes of a message, it counts")
    func refused() throws {
        var server = TestServerSession.resuming()
        try server.begin(1)
        for text in [
            #"{"type":"publish","channel-id":"none","data":{}}"#, #"{"type":"rpc-response"}"#, #"[1]"#,
            #"{"type":"what"}"#, #"{"type":"get-subscriptions"}"#,
        ] { #expect(server.receive(from: 1, text).count == 1) }
        #expect(server.advance(by: .seconds(1)) == [#"1 < {"type":"flow-ack","received":5}"#])
    }

    @Test("In sente-lite's vectors the words are events")
    func vectors() throws {
        var server = TestServerSession(.vectors) {
            $0.flow.resumption = ServerConfiguration.Flow.Resumption()
            $0.csrfToken = "t"
        }
        let greeting = server.connect(1)[0]
        #expect(
            greeting.contains(":capabilities {:resume {:window-ms 300000, :messages 100, :bytes 1048576}}"))
        let offer = ":capabilities {:resume {:messages 100 :bytes 1000}}"
        let answer = server.receive(from: 1, "[:flow/handshake {\(offer)}]")[0]
        #expect(answer.hasPrefix("1 < [:flow/handshake-ack {:features {:resume {"))
        let session = try #require(answer.firstMatch(of: /:session "([-0-9a-f]{36})", :resumed false/)?.1)
        #expect(server.lose(1) == [])
        server.connect(2)
        let resume = #":resume {:session "\#(session)" :received 0 :sent 0 :attempt 1}"#
        let resumed = server.receive(from: 2, "[:flow/handshake {\(offer) \(resume)}]")[0]
        #expect(
            resumed.hasSuffix(
                #":resumed true, :received 0, :sent 0, :missed 0, :uid "<c1>", :csrf-token "t"}]"#))
    }

    @Test("In Sente the words are replies to the handshake's callback")
    func sente() throws {
        var server = TestServerSession(.sente) {
            $0.flow.resumption = ServerConfiguration.Flow.Resumption()
            $0.hasHook = false
        }
        let greeting = server.connect(1, HandshakeInfo(clientID: "c", handshakeData: [.keyword("mine"): 1]))
        #expect(greeting.first?.contains("{:mine 1, :capabilities {:resume {") == true)
        let offer = ":capabilities {:resume {:messages 4 :bytes 1000}}"
        let answer = server.receive(from: 1, #"[[:flow/handshake {\#(offer)}] "cb"]"#)
        #expect(answer.count == 1)
        #expect(
            answer[0].hasPrefix("1 < [{:features {:resume {") && answer[0].hasSuffix(#":received 0} "cb"]"#))
        #expect(
            server.receive(from: 1, #"[[:a/b 1] "x"]"#) == [
                #"1 < [1 "x"]"#, #"1 < [[:flow/ack {:received 1}] "cb"]"#,
            ])
        server.connect(2)
        #expect(server.receive(from: 2, "[[:flow/handshake {\(offer)}] nil]") == ["2 close 1002"])
    }

    @Test("Sente's server announces nothing where the app's data is no map")
    func data() {
        var server = TestServerSession(.sente) { $0.flow.resumption = ServerConfiguration.Flow.Resumption() }
        let greeting = server.connect(1, HandshakeInfo(clientID: "c", handshakeData: [1]))
        #expect(greeting == ["1 < [[:chsk/handshake [:sente/nil-uid nil [1]]] nil]"])
    }
}
