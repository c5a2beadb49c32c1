// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSignals
import SenteWire
import Testing

@Suite("Large values, written and read off a server's loop")
struct ServerSessionLargeWorkTests: LargeWorkSuite {
    // MARK: In

    @Test("Nothing overtakes a message that is being read; others' clients are served, and so is an ack")
    func order() throws {
        var server = try Self.server(resumes: true)
        Self.open(2, &server)
        #expect(server.receive(from: 1, Self.publish(700)) == ["work"])
        #expect(server.receive(from: 1, Self.ping) == [])
        #expect(server.receive(from: 1, #"{"type":"get-subscriptions"}"#) == [])
        #expect(server.receive(from: 1, Self.publish(800)) == [])
        #expect(server.receive(from: 1, #"{"type":"get-subscriptions"}"#) == [])
        #expect(server.session.flowLoad.heldBytes > 1_500)
        #expect(server.receive(from: 1, #"{"type":"flow-ack","received":2}"#) == [])
        #expect(server.session.flowLoad.keptBytes == 0)
        #expect(try Self.types(server.receive(from: 2, Self.ping), to: 2, server) == ["pong"])
        let first = server.work()
        #expect(try Self.types(first, server) == ["publish-result", "pong", "subscription-list"])
        #expect(first.last == "work")
        #expect(try Self.types(server.work(), server) == ["publish-result", "subscription-list"])
        #expect(server.session.flowLoad.heldBytes == 0)
    }

    @Test("Parts are put together meanwhile, and the message that they make waits")
    func parts() throws {
        var server = try Self.server()
        server.receive(from: 1, Self.publish(700))
        #expect(server.receive(from: 1, Self.ping) == [])
        let held = server.session.flowLoad.heldBytes
        let text = Array(Self.publish(5).utf8)
        for word in [
            #"{"type":"flow-chunk-start","message-id":7,"total-chunks":1,"total-size":\#(text.count)}"#,
            #"{"type":"flow-chunk","message-id":7,"chunk-index":0,"data":"\#(Base64.text(text))"}"#,
        ] { #expect(server.receive(from: 1, word) == []) }
        #expect(server.session.flowLoad.heldBytes == held)
        #expect(server.session.flowLoad.unfinishedBytes > text.count)
        #expect(server.receive(from: 1, #"{"type":"flow-chunk-end","message-id":7}"#) == [])
        #expect(server.session.flowLoad.heldBytes > held && server.session.flowLoad.unfinishedBytes == 0)
        #expect(try Self.types(server.work(), server) == ["publish-result", "pong", "publish-result"])
    }

    @Test("A link that ends is over when all that came over it has been heard")
    func ends() throws {
        var server = try Self.server()
        Self.open(2, &server)
        server.receive(from: 2, Self.publish(700, "a"))
        #expect(server.receive(from: 2, Self.publish(10, "a")) == [])
        #expect(server.lose(2) == [])
        #expect(server.session.name(of: ConnectionID(2)) != nil)
        let lines = server.work() + server.work() + Self.pour(&server)
        #expect(try Self.types(lines, server).filter { $0 == "channel-message" }.count == 2)
        #expect(server.session.name(of: ConnectionID(2)) == nil)
    }

    @Test("A client that comes back meanwhile sends again what was being read, and it is heard once")
    func resumesMeanwhile() throws {
        var server = try Self.server(resumes: true)
        server.receive(from: 1, Self.ping)
        let begun = try server.values(Self.open(2, &server))
        let session = try #require(begun[0]["session"]?.stringValue)
        #expect(server.receive(from: 2, Self.publish(700, "a")) == ["work"])
        #expect(server.receive(from: 2, Self.publish(10, "a")) == [])
        #expect(server.lose(2) == [])
        let resume = #","resume":{"session":"\#(session)","received":0,"sent":2,"attempt":1}"#
        let lines = Self.open(4, &server, as: 2, resume: resume)
        let answer = try server.values(lines.filter { $0.hasPrefix("4 < ") })
        #expect(answer[0]["resumed"] == true && answer[0]["received"] == 0)
        // What was read of the older link goes nowhere.
        #expect(server.work() == [])
        #expect(server.receive(from: 4, Self.publish(700, "a")) == ["work"])
        #expect(try Self.types(server.work(), to: 4, server) == ["publish-result"])
        #expect(server.session.counters.publications == 1)
    }

    @Test("More than may be held is not read from the link until less is held")
    func bound() throws {
        var server = try Self.server(size: 64 << 10)
        let large = Self.publish(1_000_000)
        #expect(server.receive(from: 1, large) == ["work"])
        var lines: [String] = []
        for _ in 0..<18 { lines += server.receive(from: 1, large) }
        #expect(lines == ["1 is not read"])
        #expect(server.session.flowLoad.heldBytes < 20 << 20)
        lines = []
        for _ in 0..<4 { lines += server.work() }
        #expect(lines.filter { $0 == "1 is read" }.count == 1)
    }

    @Test("What cannot be read ends the link of a session with 1007; without one what follows is heard")
    func unreadable() throws {
        let nonsense = #"{"type":"publish","data":""# + String(repeating: "x", count: 700)
        var server = try Self.server(resumes: true)
        #expect(server.receive(from: 1, nonsense) == ["work"])
        #expect(server.receive(from: 1, Self.ping) == [])
        #expect(server.work() == ["1 close 1007"])
        var other = try Self.server()
        #expect(other.receive(from: 1, nonsense) == ["work"])
        #expect(other.receive(from: 1, Self.ping) == [])
        #expect(try Self.types(other.work(), other) == (["pong"]))
        #expect(other.session.counters.unreadableMessages == 1)
    }

    @Test("What unfolds to too much ends the link with 1009, and text that is not UTF-8 cannot be read")
    func hostile() throws {
        var server = try Self.server()
        let bomb = [0xC1, 1, 1] + [UInt8](repeating: 0, count: 300)
        #expect(server.receive(from: 1, .binary(bomb)) == ["work"])
        #expect(server.receive(from: 1, Self.ping) == [])
        #expect(server.work() == ["1 close 1009"])
        // A small one is found out elsewhere as well.
        var second = try Self.server()
        #expect(second.receive(from: 1, .binary(Array(bomb.prefix(30)))) == ["work"])
        #expect(second.work() == ["1 close 1009"])
        var other = try Self.server(resumes: true)
        let text =
            Array(#"{"type":"x","t":""#.utf8) + [UInt8](repeating: 0xFF, count: 300) + Array("\"}".utf8)
        #expect(other.receive(from: 1, .binary([0xC1, 2, 1, 0, 1] + text)) == ["work"])
        #expect(other.work() == ["1 close 1007"])
    }

    @Test("A server that ends a link hears nothing more of what came over it")
    func endedByServer() throws {
        var server = try Self.server()
        server.receive(from: 1, Self.publish(700, "a"))
        server.command(.close(ConnectionID(1), .normal, reason: ""))
        #expect(server.work() == [])
        #expect(server.session.counters.publications == 0)
    }

    // MARK: Out

    @Test("A message that is being written keeps its place on its channel; other channels and pongs go on")
    func writing() throws {
        var server = try Self.server()
        #expect(server.command(Self.news(2_500, "a")) == ["work"])
        #expect(server.command(Self.news(5, "a")) == [])
        #expect(try Self.types(server.command(Self.news(6, "b")), server) == ["channel-message"])
        #expect(try Self.types(server.receive(from: 1, Self.ping), server) == ["pong"])
        // Room alone brings nothing, and is not asked for.
        #expect(server.handle(.room(ConnectionID(1))) == [])
        #expect(server.session.flowLoad.waitingBytes > 2_500)
        #expect(server.work() == ["1 has more"])
        #expect(try Self.types(Self.pour(&server), server) == ["part", "part", "part", "channel-message"])
        #expect(server.session.flowLoad.waitingBytes == 0)
        #expect(server.session.counters.flow.inParts == 1)
    }

    @Test("A message to many is written once")
    func once() throws {
        var server = try Self.server()
        for number in [2, 3] as [UInt64] {
            Self.open(number, &server)
            server.receive(from: number, #"{"type":"subscribe","channel-id":"a"}"#)
        }
        // Who takes no parts gets it at once.
        server.connect(4)
        server.receive(from: 4, #"{"type":"subscribe","channel-id":"a"}"#)
        let lines = server.command(Self.news(2_500, "a"))
        #expect(lines.filter { $0 == "work" }.count == 1)
        #expect(try Self.types(lines, to: 4, server) == ["channel-message"])
        #expect(server.work() == ["1 has more", "2 has more", "3 has more"])
        for number in [1, 2, 3] as [UInt64] { #expect(Self.pour(&server, to: number).count == 5) }
    }

    @Test("A message that turns out small goes whole, in its place")
    func turnsOutSmall() throws {
        var server = try Self.server()
        #expect(server.command(Self.news(400, "a")) == ["work"])
        #expect(server.command(Self.news(5, "a")) == [])
        #expect(server.work() == ["1 has more"])
        #expect(try Self.types(Self.pour(&server), server) == ["channel-message", "channel-message"])
    }

    @Test("One that cannot be written is passed over, and what waited behind it goes")
    func unwritable() throws {
        var server = try Self.server()
        server.session.signalLevel = .error
        let value: Value = ["t": .string(String(repeating: "x", count: 700)), "n": .double(.nan)]
        #expect(server.command(.publish(value, channel: "a")) == ["work"])
        #expect(server.command(Self.news(5, "a")) == [])
        let lines = server.work()
        #expect(lines.last == "1 has more")
        #expect(server.signals.map(\.id) == [.sendFailed])
        #expect(try Self.types(Self.pour(&server), server) == ["channel-message"])
    }

    @Test("What was being written when the link ended is kept, in its order")
    func keptMeanwhile() throws {
        var server = try Self.server(resumes: true)
        let begun = try server.values(Self.open(2, &server))
        let session = try #require(begun[0]["session"]?.stringValue)
        server.receive(from: 2, #"{"type":"subscribe","channel-id":"a"}"#)
        server.command(Self.news(400, "a"))
        server.command(Self.news(5, "a"))
        #expect(server.lose(2) == [])
        let resume = #","resume":{"session":"\#(session)","received":1,"sent":1,"attempt":1}"#
        let lines = Self.open(4, &server, as: 2, resume: resume)
        let said = try server.values(lines.filter { $0.hasPrefix("4 < ") })
        #expect(said.count == 1 && said[0]["resumed"] == true && said[0]["missed"] == 0)
        // It was for two.
        #expect(server.work() == ["1 has more", "4 has more"])
        #expect(try Self.sizes(Self.pour(&server, to: 4), server) == [400, 5])
    }

    // MARK: Again

    /// How large the texts are that were sent.
    private static func sizes(_ lines: [String], _ server: TestServerSession) throws -> [Int?] {
        try server.values(lines.filter { $0.contains(" < ") }).map { $0["data"]?["t"]?.stringValue?.count }
    }

    /// A server whose client 2, that follows `a`, has gone and comes back as 4.
    private static func parked(
        _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> (TestServerSession, resume: String) {
        var server = try Self.server(resumes: true, change: change)
        let begun = try server.values(Self.open(2, &server))
        let session = try #require(begun[0]["session"]?.stringValue)
        server.receive(from: 2, #"{"type":"subscribe","channel-id":"a"}"#)
        server.receive(from: 1, #"{"type":"unsubscribe","channel-id":"a"}"#)
        return (server, #","resume":{"session":"\#(session)","received":1,"sent":1,"attempt":1}"#)
    }

    @Test("What is sent to a session without link is written elsewhere, and keeps its order")
    func parkedMeanwhile() throws {
        var (server, resume) = try Self.parked()
        #expect(server.lose(2) == [])
        #expect(server.command(Self.news(400, "a")) == ["work"])
        #expect(server.command(Self.news(5, "a")) == [])
        #expect(server.work() == [])
        #expect(server.command(Self.news(500, "a")) == ["work"])
        server.command(Self.news(6, "a"))
        let lines = Self.open(4, &server, as: 2, resume: resume)
        // The first is there, and is compressed elsewhere.
        #expect(lines.last == "work")
        #expect(try server.values(lines.filter { $0.hasPrefix("4 < ") })[0]["sent"] == 5)
        #expect(server.works.count == 2)
        // The second is there first, and waits.
        #expect(server.work() == [])
        #expect(server.work() == ["4 has more"])
        #expect(try Self.sizes(Self.pour(&server, to: 4), server) == [400, 5, 500, 6])
        server.receive(from: 4, #"{"type":"flow-ack","received":5}"#)
        server.receive(from: 1, #"{"type":"flow-ack","received":3}"#)
        #expect(server.session.flowLoad.keptBytes == 0)
    }

    @Test("Behind what goes again all waits that counts; a pong and an ack go on")
    func again() throws {
        var (server, resume) = try Self.parked()
        server.command(Self.news(2_500, "a"))
        server.work()
        _ = Self.pour(&server, to: 2)
        #expect(server.lose(2) == [])
        #expect(Self.open(4, &server, as: 2, resume: resume).last == "work")
        #expect(server.command(Self.news(5, "a")) == [])
        #expect(try Self.types(server.receive(from: 4, Self.ping), to: 4, server) == ["pong"])
        #expect(server.receive(from: 4, #"{"type":"get-subscriptions"}"#) == [])
        #expect(server.work() == ["4 has more"])
        let lines = Self.pour(&server, to: 4)
        #expect(
            try Self.types(lines, to: 4, server)
                == ["part", "part", "part", "channel-message", "subscription-list"])
    }

    @Test("An answer that goes again holds up a pong, which says that it was given")
    func answerAgain() throws {
        var (server, resume) = try Self.parked()
        server.command(Self.news(400, "a"))
        server.work()
        _ = Self.pour(&server, to: 2)
        server.receive(from: 2, #"{"type":"get-subscriptions"}"#)
        #expect(server.lose(2) == [])
        let lines = Self.open(4, &server, as: 2, resume: resume.replacing("sent\":1", with: "sent\":2"))
        #expect(lines.last == "work")
        #expect(server.receive(from: 4, Self.ping) == [])
        #expect(server.work() == ["4 has more"])
        #expect(
            try Self.types(Self.pour(&server, to: 4), to: 4, server)
                == ["channel-message", "subscription-list", "pong"])
    }

    @Test("A cut in the middle of what goes again begins it anew, and late work goes nowhere")
    func cutAgain() throws {
        var (server, resume) = try Self.parked()
        server.command(Self.news(2_500, "a"))
        server.work()
        _ = Self.pour(&server, to: 2)
        #expect(server.lose(2) == [])
        Self.open(4, &server, as: 2, resume: resume)
        server.command(Self.news(5, "a"))
        #expect(server.lose(4) == [])
        let kept = server.session.flowLoad.keptBytes
        #expect(server.work() == [])
        #expect(server.session.flowLoad.keptBytes == kept)
        let later = resume.replacing("attempt\":1", with: "attempt\":2")
        let lines = Self.open(5, &server, as: 2, resume: later)
        #expect(try server.values(lines.filter { $0.hasPrefix("5 < ") })[0]["sent"] == 3)
        #expect(server.work() == ["5 has more"])
        #expect(
            try Self.types(Self.pour(&server, to: 5), to: 5, server)
                == ["part", "part", "part", "channel-message"])
    }

    @Test("What goes again does not count as what a client does not take")
    func muchAgain() throws {
        var (server, resume) = try Self.parked { $0.maximumUnwrittenBytes = 3_000 }
        for _ in 0..<3 {
            server.command(Self.news(2_500, "a"))
            server.work()
            _ = Self.pour(&server, to: 2)
        }
        #expect(server.lose(2) == [])
        Self.open(4, &server, as: 2, resume: resume)
        #expect(server.command(Self.news(5, "a")) == [])
        for _ in 0..<3 { server.work() }
        #expect(Self.pour(&server, to: 4).count { $0.hasPrefix("4 < ") } == 10)
    }

    @Test("For what is kept and cannot be written a word stands that only counts")
    func unwritableKept() throws {
        var (server, resume) = try Self.parked()
        #expect(server.lose(2) == [])
        let value: Value = ["t": .string(String(repeating: "x", count: 700)), "n": .double(.nan)]
        #expect(server.command(.publish(value, channel: "a")) == ["work"])
        server.session.signalLevel = .error
        #expect(server.work() == ["record"] || server.signals.last?.id == .sendFailed)
        let lines = Self.open(4, &server, as: 2, resume: resume)
        #expect(try Self.types(lines, to: 4, server).suffix(1) == ["flow-skip"])
    }

    @Test("One that cannot be read ends one link, and counts on the next, whatever overtakes it there")
    func unreadableAgain() throws {
        let nonsense = #"{"type":"publish","data":""# + String(repeating: "x", count: 700)
        var server = try Self.server(resumes: true)
        let begun = try server.values(Self.open(2, &server))
        let session = try #require(begun[0]["session"]?.stringValue)
        server.receive(from: 2, nonsense)
        #expect(server.work() == ["2 close 1007"])
        let resume = #","resume":{"session":"\#(session)","received":0,"sent":1,"attempt":1}"#
        Self.open(4, &server, as: 2, resume: resume)
        #expect(
            try Self.types(server.receive(from: 4, Self.publish(5)), to: 4, server) == ["publish-result"])
        server.receive(from: 4, nonsense)
        #expect(server.work() == [])
        // Another one is new.
        server.receive(from: 4, nonsense)
        #expect(server.work() == ["4 close 1007"])
    }

    @Test("What a client cannot take is not kept for it, written elsewhere or not", arguments: [300, 10_000])
    func tooLargeToKeep(size: Int) throws {
        var server = try Self.server(resumes: true, size: size)
        server.session.signalLevel = .error
        let sizes = #","max-message-bytes":{"in":2000,"out":100000}"#
        func open(_ number: UInt64, resume: String = "") -> [String] {
            server.connect(number, HandshakeInfo(clientID: "small"))
            let offer = Self.offer.replacing("true,\"binary", with: "true\(sizes),\"binary")
            return server.receive(from: number, #"{"type":"flow-handshake",\#(offer)\#(resume)}"#)
        }
        let session = try #require(try server.values(open(2))[0]["session"]?.stringValue)
        server.receive(from: 2, #"{"type":"subscribe","channel-id":"a"}"#)
        server.receive(from: 1, #"{"type":"unsubscribe","channel-id":"a"}"#)
        _ = server.lose(2)
        server.command(Self.news(2_500, "a"))
        server.command(Self.news(5, "a"))
        server.work()
        #expect(server.signals.map(\.id) == [.sendFailed])
        #expect(server.session.flowLoad.keptBytes < 1_000)
        let lines = open(
            4, resume: #","resume":{"session":"\#(session)","received":1,"sent":1,"attempt":1}"#)
        let expected = size == 300 ? ["flow-skip", "channel-message"] : ["channel-message"]
        #expect(try Self.types(lines, to: 4, server).suffix(from: 1) == expected[...])
    }

    @Test("What Sente's server pushes is written elsewhere, for who comes back too")
    func pushes() throws {
        var server = TestServerSession(.sente) {
            $0.largeValue = 300
            $0.hasHook = false
            $0.sente.keepAlive = nil
            $0.flow.chunking = ServerConfiguration.Flow.Chunking()
        }
        let push = ServerCommand.push(
            [.keyword("a/b"), .string(String(repeating: "x", count: 2_500))], uid: "u", flushes: true)
        func open(_ number: UInt64) {
            server.connect(number, HandshakeInfo(clientID: "c", uid: "u"))
            let offer = "{:capabilities {:chunking true :max-chunk-size 1000}}"
            #expect(server.receive(from: number, #"[[:flow/handshake \#(offer)] "cb"]"#).count == 1)
        }
        open(1)
        #expect(server.command(push) == ["work"])
        #expect(server.work() == ["1 has more"])
        #expect(Self.pour(&server).filter { $0.contains(":data") }.count == 3)
        #expect(server.lose(1) == [])
        #expect(server.command(push) == [])
        open(2)
        #expect(server.advance(by: .seconds(1)) == ["work"])
        #expect(server.work() == ["2 has more"])
        #expect(Self.pour(&server, to: 2).filter { $0.contains(":data") }.count == 3)
    }

    @Test("A push that is written and waits for another client of the user is written for that one again")
    func pushesLater() {
        var server = TestServerSession(.sente) {
            $0.largeValue = 300
            $0.hasHook = false
            $0.sente.keepAlive = nil
            $0.flow.chunking = ServerConfiguration.Flow.Chunking()
        }
        func open(_ number: UInt64, _ clientID: String) {
            server.connect(number, HandshakeInfo(clientID: clientID, uid: "u"))
            server.receive(from: number, #"[[:flow/handshake {:capabilities {:chunking true}}] "cb"]"#)
        }
        open(1, "c")
        open(2, "d")
        #expect(server.lose(2) == [])
        let text = String(repeating: "x", count: 500)
        #expect(server.command(.push([.keyword("a/b"), .string(text)], uid: "u", flushes: true)) == ["work"])
        #expect(server.work() == ["1 has more"])
        open(3, "d")
        #expect(server.advance(by: .seconds(1)) == ["work"])
        #expect(server.work() == ["3 has more"])
        #expect(Self.pour(&server, to: 3).count { $0.hasPrefix("3 < [[[:a/b") } == 1)
    }

    @Test("What Sente's server pushes together goes in no batch")
    func pushesAlone() {
        var server = TestServerSession(.sente) {
            $0.hasHook = false
            $0.sente.keepAlive = nil
            $0.flow.batching = ServerConfiguration.Flow.Batching()
            $0.flow.batching?.linger = .milliseconds(10)
        }
        server.connect(1, HandshakeInfo(clientID: "c", uid: "u"))
        server.receive(from: 1, #"[[:flow/handshake {:capabilities {:batching true}}] "cb"]"#)
        let lines = server.command(.push([.keyword("a/b"), 1], uid: "u", flushes: true))
        #expect(lines == ["1 < [[[:a/b 1]] nil]"])
    }

    @Test("What was compressed for a link goes plain over one that takes it otherwise")
    func otherAlgorithm() throws {
        let tiny = Compressor { _, output throws(WireError) in
            output += [7]
        } decompress: { _, _, _ throws(WireError) in
        }
        var server = TestServerSession(.maps, compressors: [.gzip: tiny, .deflate: tiny]) {
            $0.largeValue = 300
            $0.flow.chunking = ServerConfiguration.Flow.Chunking()
            $0.flow.compression = ServerConfiguration.Flow.Compression()
            $0.flow.usesBinaryEnvelope = true
            $0.flow.resumption = ServerConfiguration.Flow.Resumption()
        }
        func open(_ number: UInt64, _ algorithm: String, _ resume: String = "") throws -> Value {
            server.connect(number, HandshakeInfo(clientID: "c"))
            let offer =
                #""chunking":true,"binary":true,"compression":["\#(algorithm)"],"resume":{"messages":9,"bytes":9}"#
            let lines = server.receive(
                from: number, #"{"type":"flow-handshake","capabilities":{\#(offer)}\#(resume)}"#)
            return try #require(try server.values(lines).first)
        }
        let session = try #require(try open(1, "gzip")["session"]?.stringValue)
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        #expect(server.lose(1) == [])
        #expect(server.command(Self.news(900, "a")) == ["work"])
        let resumed = try open(
            2, "deflate", #","resume":{"session":"\#(session)","received":1,"sent":1,"attempt":1}"#)
        #expect(resumed["resumed"] == true)
        #expect(server.work() == ["2 has more"])
        #expect(try Self.sizes(Self.pour(&server, to: 2), server) == [900])
    }

    @Test("A client that takes less than is written for it is dropped")
    func tooMuch() throws {
        var server = TestServerSession(.maps) {
            $0.largeValue = 300
            $0.maximumUnwrittenBytes = 2_000
            $0.flow.chunking = ServerConfiguration.Flow.Chunking()
        }
        Self.open(1, &server)
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        let lines = (0..<5).flatMap { _ in server.command(Self.news(1_000, "a")) }
        #expect(lines.last == "1 drop")
        while !server.works.isEmpty { #expect(server.work() == []) }
    }
}
