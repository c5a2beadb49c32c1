// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("Messages that are heard past one in parts that is being read")
struct ServerSessionPassingTests: LargeWorkSuite {
    private static let nonsense = #"{"type":"publish","data":""# + String(repeating: "x", count: 700)

    /// Client 2 has a session; its name.
    private static func withSession() throws -> (TestServerSession, session: String) {
        var server = try server(resumes: true)
        let begun = try server.values(open(2, &server, acknowledges: true))
        return (server, try #require(begun[0]["session"]?.stringValue))
    }

    /// Client 2 comes back on link 4; how many of its messages have come.
    private static func comeBack(
        to session: String, sent: Int, _ server: inout TestServerSession
    ) throws -> Int64? {
        let resume = #","resume":{"session":"\#(session)","received":0,"sent":\#(sent),"attempt":1}"#
        let lines = open(4, &server, as: 2, resume: resume, acknowledges: true)
        let answer = try server.values(lines.filter { $0.hasPrefix("4 < ") })[0]
        #expect(answer["resumed"] == true)
        return answer["received"]?.integerValue
    }

    // MARK: In

    @Test(
        "Whatever comes is heard past it but others in parts, whose order holds; the client is told of each")
    func passing() throws {
        var server = try Self.server(resumes: true, acknowledges: true)
        #expect(Self.send(Self.publish(700, "a"), inParts: 1, &server) == ["work"])
        #expect(try Self.types(server.receive(from: 1, Self.ping), server) == ["pong"])
        #expect(Self.send(Self.publish(5, "b"), inParts: 2, &server) == [])
        let passed = server.receive(from: 1, Self.publish(5, "b"))
        #expect(try Self.types(passed, server) == ["channel-message", "publish-result"])
        #expect(server.session.counters.publications == 1)
        let lines = server.work()
        #expect(try Self.types(lines, server).filter { $0 == "flow-chunk-ack" }.count == 2)
        #expect(server.session.counters.publications == 3)
        // Small ones, and parts that are words, too.
        let text = Array(Self.publish(5).utf8)
        var last: [String] = []
        for word in [
            #"{"type":"flow-chunk-start","message-id":7,"total-chunks":1,"total-size":\#(text.count)}"#,
            #"{"type":"flow-chunk","message-id":7,"chunk-index":0,"data":"\#(Base64.text(text))"}"#,
            #"{"type":"flow-chunk-end","message-id":7}"#,
        ] { last = server.receive(from: 1, word) }
        #expect(try Self.types(last, server) == ["publish-result", "flow-chunk-ack"])
    }

    @Test("Behind a large one that came in no parts all waits, and behind what waits for it")
    func ordered() throws {
        var server = try Self.server(acknowledges: true)
        #expect(server.receive(from: 1, Self.publish(700)) == ["work"])
        #expect(server.receive(from: 1, Self.ping) == [])
        #expect(Self.send(Self.publish(700), inParts: 1, &server) == [])
        #expect(server.receive(from: 1, #"{"type":"get-subscriptions"}"#) == [])
        #expect(try Self.types(server.work(), server) == ["publish-result", "pong"])
        // It came behind what is being read now, and before what comes.
        #expect(server.receive(from: 1, Self.publish(5)) == [])
        let lines = try Self.types(server.work(), server)
        #expect(lines == ["publish-result", "flow-chunk-ack", "subscription-list", "publish-result"])
        #expect(Self.send(Self.publish(700), inParts: 2, &server) == ["work"])
        #expect(try Self.types(server.receive(from: 1, Self.ping), server) == ["pong"])
    }

    @Test(
        "What others have passed is counted with the end of its link, and heard before what comes over the next"
    )
    func survives() throws {
        var (server, session) = try Self.withSession()
        #expect(Self.send(Self.publish(700, "a"), inParts: 1, from: 2, &server) == ["work"])
        Self.send(Self.publish(5, "a"), inParts: 2, from: 2, &server)
        server.receive(from: 2, Self.publish(5, "b"))
        server.receive(from: 2, Self.nonsense + Self.nonsense)
        #expect(server.session.counters.publications == 1)
        // The server has not noticed the end of the link. What cannot be read comes again.
        #expect(try Self.comeBack(to: session, sent: 4, &server) == 3)
        #expect(server.receive(from: 4, Self.publish(6, "a")) == [])
        #expect(server.receive(from: 4, Self.publish(7, "b")) == [])
        let lines = server.work()
        #expect(server.session.counters.publications == 5)
        #expect(try Self.types(lines, to: 4, server) == [String](repeating: "publish-result", count: 4))
        // Whoever comes back once more hears that both came.
        #expect(server.receive(from: 4, #"{"type":"flow-ack","received":5}"#) == [])
        _ = server.lose(4)
        let resume = #","resume":{"session":"\#(session)","received":5,"sent":5,"attempt":2}"#
        let answer = try server.values(Self.open(5, &server, as: 2, resume: resume, acknowledges: true))[0]
        #expect(answer["resumed"] == true && answer["received"] == 5)
    }

    @Test("It is heard where the server ends the link, too, and what is behind it in a second break")
    func endedByServer() throws {
        var (server, session) = try Self.withSession()
        Self.send(Self.publish(700, "a"), inParts: 1, from: 2, &server)
        Self.send(Self.publish(800, "a"), inParts: 2, from: 2, &server)
        server.command(.close(ConnectionID(2), .normal, reason: ""))
        #expect(server.work().contains("work"))
        #expect(try Self.comeBack(to: session, sent: 2, &server) == 2)
        server.command(.close(ConnectionID(2), .normal, reason: ""))
        while !server.works.isEmpty { server.work() }
        #expect(server.session.counters.publications == 2)
        let resume = #","resume":{"session":"\#(session)","received":2,"sent":2,"attempt":2}"#
        let answer = try server.values(Self.open(5, &server, as: 2, resume: resume, acknowledges: true))[0]
        #expect(answer["resumed"] == true && answer["received"] == 2)
    }

    @Test("One that cannot be read ends its link, and counts where others have passed it")
    func unreadable() throws {
        for isPassed in [false, true] {
            var (server, session) = try Self.withSession()
            Self.send(Self.nonsense, inParts: 1, from: 2, &server)
            if isPassed { server.receive(from: 2, Self.publish(5)) }
            #expect(server.work() == ["2 close 1007"])
            #expect(server.session.counters.unreadableMessages == 1)
            let received = try Self.comeBack(to: session, sent: isPassed ? 2 : 1, &server)
            #expect(received == (isPassed ? 2 : 0))
            // None is expected again.
            let next = server.receive(from: 4, Self.nonsense.replacing("x", with: "y"))
            if isPassed { #expect(next == ["work"] && server.work() == ["4 close 1007"]) }
        }
    }

    @Test(
        "One that unfolds to too much ends its link, and counts where others have passed it; a later link lives"
    )
    func tooBig() throws {
        let bomb: [UInt8] = [0xC1, 2, 1, 0, 3, 1] + [UInt8](repeating: 0, count: 300)
        var (server, session) = try Self.withSession()
        server.receive(from: 2, .binary(bomb))
        server.receive(from: 2, Self.publish(5))
        #expect(server.work() == ["2 close 1009"])
        #expect(try Self.comeBack(to: session, sent: 2, &server) == 2)

        (server, session) = try Self.withSession()
        server.receive(from: 2, .binary(bomb))
        server.receive(from: 2, Self.publish(5))
        #expect(try Self.comeBack(to: session, sent: 2, &server) == 2)
        #expect(server.work() == [])
        #expect(server.session.counters.oversizedMessages == 1)
        #expect(try Self.types(server.receive(from: 4, Self.ping), to: 4, server) == ["pong"])
    }

    @Test("Of parts that were let go, the client is told when the last of them came")
    func letGo() throws {
        var server = try Self.server(acknowledges: true) { $0.flow.chunking?.timeout = .seconds(3) }
        server.receive(from: 1, .binary([0xC1, 2, 1, 0, 0] + Array("{".utf8)))
        server.advance(by: .seconds(5))
        #expect(server.session.counters.flow.letGo == 1)
        #expect(server.receive(from: 1, .binary([0xC1, 2, 1, 1, 0] + Array("x".utf8))) == [])
        let last = server.receive(from: 1, .binary([0xC1, 2, 1, 2, 1] + Array("}".utf8)))
        #expect(try Self.types(last, server) == ["flow-chunk-ack"])
    }

    @Test("An ack of parts is a breach where none was agreed on, and nothing where it names none that went")
    func acks() throws {
        let word = #"{"type":"flow-chunk-ack","message-id":7}"#
        var server = try Self.server()
        #expect(server.receive(from: 1, word) == ["1 close 1002"])
        server = try Self.server(acknowledges: true)
        #expect(server.receive(from: 1, word) == [])
        #expect(server.receive(from: 1, #"{"type":"flow-chunk-ack","message-id":-7}"#) == ["1 close 1002"])
    }

    // MARK: Out

    @Test(
        "What must not overtake a delivery in parts waits until the client has heard it, but others in parts do not"
    )
    func waits() throws {
        var server = try Self.server(acknowledges: true, size: 10_000)
        let lines = server.command(Self.news(2_500, "a")) + Self.pour(&server)
        #expect(try Self.types(lines, server) == ["part", "part", "part"])
        #expect(try Self.types(server.command(Self.news(5, "b")), server) == ["channel-message"])
        #expect(try Self.types(server.receive(from: 1, Self.ping), server) == ["pong"])
        let more =
            server.command(Self.news(1_500, "a")) + server.command(Self.news(5, "a")) + Self.pour(&server)
        #expect(try Self.types(more, server) == ["part", "part"])
        #expect(server.receive(from: 1, #"{"type":"flow-chunk-ack","message-id":1}"#) == [])
        #expect(Self.pour(&server) == [])
        #expect(server.receive(from: 1, #"{"type":"flow-chunk-ack","message-id":2}"#) == ["1 has more"])
        #expect(try Self.types(Self.pour(&server), server) == ["channel-message"])
        #expect(try Self.types(server.command(Self.news(6, "a")), server) == ["channel-message"])
    }

    @Test("Behind one that goes again all that counts waits until it has been heard")
    func again() throws {
        var server = try Self.server(resumes: true, size: 10_000)
        let begun = try server.values(Self.open(2, &server, acknowledges: true))
        let session = try #require(begun[0]["session"]?.stringValue)
        server.receive(from: 2, #"{"type":"subscribe","channel-id":"a"}"#)
        server.receive(from: 1, #"{"type":"unsubscribe","channel-id":"a"}"#)
        server.command(Self.news(2_500, "a"))
        _ = Self.pour(&server, to: 2)
        server.command(Self.news(5, "a"))
        _ = server.lose(2)
        let resume = #","resume":{"session":"\#(session)","received":1,"sent":1,"attempt":1}"#
        var lines = Self.open(4, &server, as: 2, resume: resume, acknowledges: true)
        lines += (0..<9).flatMap { _ in server.handle(.room(ConnectionID(4))) }
        #expect(try Self.types(lines, to: 4, server).suffix(3) == ["part", "part", "part"])
        #expect(try Self.types(server.receive(from: 4, Self.publish(5)), to: 4, server) == [])
        let heard = server.receive(from: 4, #"{"type":"flow-chunk-ack","message-id":1}"#)
        #expect(heard == ["4 has more"])
        lines = (0..<9).flatMap { _ in server.handle(.room(ConnectionID(4))) }
        #expect(try Self.types(lines, to: 4, server) == ["channel-message", "publish-result"])
    }

    @Test("A client that never says to have heard any is not served for ever")
    func neverHeard() throws {
        var server = try Self.server(acknowledges: true, size: 10_000)
        var lines: [String] = []
        for _ in 0...1_024 {
            lines = server.command(Self.news(1_000, "a"))
            lines += server.handle(.room(ConnectionID(1))) + server.handle(.room(ConnectionID(1)))
        }
        #expect(lines.last == "1 close 1002")
    }
}
