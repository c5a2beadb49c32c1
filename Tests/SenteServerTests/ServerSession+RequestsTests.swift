// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("Requests through the server")
struct ServerSessionRequestsTests {
    private let ask = #"{"type":"rpc-request","channel-id":"svc","data":{"q":1},"timeout-ms":5000}"#
    private let answer = #"{"type":"rpc-response","request-id":"<r1>","data":{"a":2}}"#

    /// 1 asks; 2 and 3 serve.
    private func server(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> TestServerSession {
        var server = TestServerSession(.maps, change)
        for number in 1...3 as ClosedRange<UInt64> { server.connect(number) }
        server.receive(from: 2, #"{"type":"subscribe","channel-id":"svc"}"#)
        server.receive(from: 3, #"{"type":"subscribe","channel-id":"svc"}"#)
        return server
    }

    @Test("A request reaches every service but never the one who asks, even if it serves too")
    func forwarded() {
        var server = server()
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"svc"}"#)
        let seen = server.receive(from: 1, ask)
        #expect(seen.map { $0.first } == ["2", "3", "1"])
        #expect(seen.last?.contains(#""delivered-to":2,"subscribers":["<c2>","<c3>"]"#) == true)
    }

    @Test(
        "The requests of a channel that the server's own user serves come to it alone, and its answer goes to who asked"
    )
    func served() {
        var server = server()
        server.command(.serve(channel: "svc"))
        let seen = server.receive(from: 1, ask)
        #expect(seen.count == 2)
        #expect(seen.first?.contains(#""delivered-to":1,"subscribers":["server"]"#) == true)
        #expect(seen.last == #"serve "svc" {"q" 1}"#)
        let id = server.session.statistics(at: server.now).pendingRequests
        #expect(id == 1)
        #expect(server.command(.answer(["a": 2], requestID: "another", isError: false)) == [])
        let answered = server.command(.answer(["a": 2], requestID: "req-1000-1", isError: false))
        #expect(answered.count == 1)
        #expect(
            answered.first?.hasPrefix(#"1 < {"type":"rpc-response","request-id":"<r1>","data":{"a":2}"#)
                == true)
        #expect(server.command(.answer(["a": 2], requestID: "req-1000-1", isError: false)) == [])
    }

    @Test("The first answer wins; the second one is told so")
    func firstWins() {
        var server = server()
        server.receive(from: 1, ask)
        #expect(server.receive(from: 3, answer).map { $0.first } == ["1", "3"])
        #expect(
            server.receive(from: 2, answer) == [
                #"2 < {"type":"rpc-response-result","request-id":"<r1>","success":false,"reason":"request-not-found"}"#
            ])
        #expect(server.advance(by: .seconds(60)) == [])
    }

    @Test("Who asked is told when nobody answered in time, and a later answer finds no request")
    func timeOut() {
        var server = server()
        server.receive(from: 1, ask)
        #expect(server.advance(by: .milliseconds(4_999)) == [])
        #expect(
            server.advance(by: .milliseconds(1)) == [
                #"1 < {"type":"rpc-response","request-id":"<r1>","data":null,"error?":true,"created-at":6000,"error":true,"reason":"rpc-timeout"}"#
            ])
        #expect(server.receive(from: 2, answer).first?.contains("request-not-found") == true)
        #expect(server.session.statistics(at: server.now).pendingRequests == 0)
        #expect(server.session.counters.expiredRequests == 1)
    }

    @Test(
        "A request's limit is its own, but never longer than its channel's",
        arguments: [
            (#","timeout-ms":500"#, 500), (#","timeout-ms":99999"#, 2_000), ("", 2_000),
            (#","timeout-ms":null"#, 2_000), (#","timeout-ms":0"#, 1), (#","timeout-ms":-9"#, 1),
        ])
    func limits(_ field: String, _ milliseconds: Int64) {
        var server = server {
            $0.channels = [.init("svc", ChannelConfiguration(requestLimit: .seconds(2)))]
        }
        server.receive(from: 1, #"{"type":"rpc-request","channel-id":"svc","data":{}\#(field)}"#)
        #expect(server.advance(by: .milliseconds(milliseconds - 1)) == [])
        #expect(server.advance(by: .milliseconds(1)).count == 1)
    }

    @Test("The requests of a connection that goes go with it")
    func requesterGone() {
        var server = server()
        server.receive(from: 1, ask)
        server.handle(.closed(ConnectionID(1)))
        #expect(server.session.deadline == nil)
        #expect(server.receive(from: 2, answer).count == 1)
    }

    @Test("Answers find their requests in any order")
    func anyOrder() {
        var server = server()
        for _ in 0..<3 { server.receive(from: 1, ask) }
        for number in [3, 1, 2] {
            let seen = server.receive(
                from:
                    2, #"{"type":"rpc-response","request-id":"<r\#(number)>","data":{"n":\#(number)}}"#)
            #expect(seen.first?.contains(#""request-id":"<r\#(number)>","data":{"n":\#(number)}"#) == true)
        }
    }

    @Test("The server answers on the channels it is told to, at once")
    func answering() {
        var server = TestServerSession { $0.answeringChannels = ["echo"] }
        server.connect(1)
        #expect(
            server.receive(from: 1, #"{"type":"rpc-request","channel-id":"echo","data":{"q":1}}"#) == [
                #"1 < {"type":"rpc-request-result","request-id":"<r1>","channel-id":"echo","delivery":{"success":true,"message-id":"msg-1","delivered-to":1,"subscribers":["server"]}}"#,
                #"1 < {"type":"rpc-response","request-id":"<r1>","data":{"q":1},"error?":false,"created-at":1000,"error":false}"#,
            ])
        #expect(server.session.deadline == nil)
    }

    @Test("A channel that retains shows its requests to later subscribers")
    func retained() {
        var server = server { $0.channelDefaults.retention = 1 }
        server.receive(from: 1, ask)
        #expect(
            server.receive(from: 1, #"{"type":"subscribe","channel-id":"svc"}"#).first?.contains(
                #""retained-messages":[{"type":"rpc-request","request-id":"<r1>","data":{"q":1},"sender-conn-id":"<c1>","created-at":1000,"channel-id":"svc","published-at":1000,"message-id":"msg-1"}]"#
            ) == true)
    }

    @Test("Request-ids that wait are never given twice")
    func distinct() {
        var server = server { $0.tables.pendingRequestsPerConnection = 10_000 }
        var ids: Set<String> = []
        for _ in 0..<9_000 {
            for case .send(ConnectionID(1), let message) in server.effects(
                of: .received(ConnectionID(1), .text(ask)))
            {
                let value = try? WireFormat.json.decode(message.bytes)
                ids.insert(value?["request-id"]?.stringValue ?? "")
            }
        }
        #expect(ids.count == 9_000)
        server.moveClock(to: server.now.instant.advanced(by: .seconds(6)))
        #expect(server.effects(of: .timerFired).count == 9_000)
    }

    @Test("The channels it answers on are known by their bytes")
    func answeringByBytes() {
        var server = TestServerSession { $0.answeringChannels = ["caf\u{e9}", "cafe\u{301}", "\u{212B}"] }
        server.connect(1)
        for (name, isAnswered) in [("caf\u{e9}", true), ("cafe\u{301}", true), ("\u{C5}", false)] {
            let lines = server.receive(from: 1, #"{"type":"rpc-request","channel-id":"\#(name)","data":{}}"#)
            #expect(lines.count == (isAnswered ? 2 : 1))
        }
    }
}
