// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Link")
struct LinkTests {
    // MARK: - Closing

    @Test("RFC 6455 §5.5.1: our close is answered, told once, and the client waits for the server to end TCP")
    func ourClose() throws {
        let peer = try Peer.openClient()
        #expect(peer.send(.text("last")) == .queued)
        #expect(peer.close(.normal, reason: "bye"))
        #expect(!peer.link.isOpen)
        #expect(peer.link.deadline == peer.now.advanced(by: .seconds(5)))
        #expect(peer.send(.text("late")) == .notOpen)
        #expect(peer.ping() == .notOpen)
        #expect(peer.close())
        #expect(frames(peer.output()).map(\.first) == [0x81, 0x88])
        // Until its close frame comes, the server may still send.
        peer.feed(
            Frame.text("x").bytes() + Frame(9).bytes() + Frame.close(1000, "bye").bytes()
                + Frame.text("y").bytes())
        #expect(peer.told == ["text 78", "closed 1000 bye"])
        #expect(!peer.link.hasOutput)
        #expect(!peer.link.mayShutDownWriting)
        #expect(!peer.link.isOver)
        peer.end()
        #expect(peer.link.isOver)
        #expect(peer.link.deadline == nil)
        #expect(peer.events.count == 2)
    }

    @Test("RFC 6455 §7.1.4: crossing close frames are clean")
    func crossing() throws {
        let client = try Peer.openClient()
        let server = Peer.openServer()
        #expect(client.close(.normal, reason: "client"))
        #expect(server.close(.goingAway, reason: "server"))
        let (up, down) = (client.output(), server.output())
        client.feed(down)
        server.feed(up)
        #expect(client.told == ["closed 1001 server"])
        #expect(server.told == ["closed 1000 client"])
        #expect(!client.link.hasOutput)
        #expect(!server.link.hasOutput)
    }

    @Test(
        "RFC 6455 §5.5.1: their close is told at once; one answer goes out behind what was queued, and nothing after it"
    )
    func theirClose() throws {
        let peer = try Peer.openClient()
        #expect(peer.send(.text("queued"), id: 1) == .queued)
        peer.feed(Frame.close(4001, "go").bytes() + Frame.text("after").bytes() + Frame.close(1000).bytes())
        #expect(peer.told == ["closed 4001 go"])
        #expect(peer.send(.text("late")) == .notOpen)
        #expect(peer.close())
        let written = frames(peer.output())
        #expect(written.map(\.first) == [0x81, 0x88])
        #expect(written.last?.payload == [0x0F, 0xA1])
        // Nothing is reported after the last report.
        #expect(peer.wrote.isEmpty)
        #expect(!peer.link.isOver)
    }

    @Test("RFC 6455 §7.1.1: a server that never ends TCP is waited for no longer than the close limit")
    func openTCP() throws {
        let peer = try Peer.openClient()
        peer.feed(Frame.close(1000).bytes())
        _ = peer.output()
        peer.advance(by: .milliseconds(4_999))
        #expect(!peer.link.isOver)
        peer.advance(by: .milliseconds(1))
        #expect(peer.link.isOver)
        #expect(peer.told == ["closed 1000 "])
    }

    @Test("a close that is not answered in time ends the link as lost")
    func unanswered() throws {
        let peer = try Peer.openClient()
        #expect(peer.close())
        peer.advance(by: .seconds(4))
        peer.feed(Frame.text("x").bytes())
        peer.advance(by: .seconds(1))
        #expect(peer.told == ["text 78", "failed lost -"])
        #expect(peer.link.isOver)
        #expect(!peer.link.hasOutput)
    }

    @Test("a server has said its last word when its close frame is written")
    func serverShutdown() {
        let peer = Peer.openServer()
        peer.feed(Frame.close(1000, masked: true).bytes())
        #expect(!peer.link.mayShutDownWriting)
        _ = peer.output()
        #expect(peer.link.mayShutDownWriting)
        #expect(!peer.link.isOver)
        peer.feed([1, 2, 3])
        peer.end()
        #expect(peer.link.isOver)
        #expect(!peer.link.mayShutDownWriting)
    }

    @Test("the client's end right behind its close frame still lets the answer out")
    func halfClosed() {
        let peer = Peer.openServer()
        peer.feed(Frame.close(1000, masked: true).bytes())
        peer.end()
        #expect(!peer.link.isOver)
        #expect(frames(peer.output()).map(\.first) == [0x88])
        #expect(peer.link.isOver)
    }

    @Test("RFC 6455 §7.1.5: an end without a close frame is lost, at any byte of a frame")
    func lost() throws {
        let frame = Frame.text("Hello").bytes()
        for cut in 0..<frame.count {
            let peer = try Peer.openClient()
            peer.feed(Array(frame[..<cut]))
            peer.end()
            #expect(peer.told == ["failed lost -"])
            #expect(peer.link.isOver)
            peer.end()
            peer.link.failed(LinkFailure(.lost, "again"), into: &peer.reports)
            peer.feed(frame)
            #expect(peer.events.count == 1)
        }
    }

    @Test("a fault while closing is told, and no second close frame is written")
    func faultWhileClosing() throws {
        let peer = try Peer.openClient()
        #expect(peer.close())
        _ = peer.output()
        peer.feed(Frame(3).bytes())
        #expect(peer.told == ["failed protocolViolation -"])
        #expect(!peer.link.hasOutput)
        peer.end()
        #expect(peer.link.isOver)
    }

    @Test("closing before the link is open ends it at once")
    func early() throws {
        let (client, _) = try Peer.client()
        #expect(client.close())
        #expect(client.told == ["failed lost -"])
        #expect(client.link.isOver)
        let server = Peer.server()
        #expect(server.close())
        #expect(server.link.isOver)
    }

    @Test("a failure after the last event only ends the waiting")
    func failureWhileEnding() throws {
        let peer = try Peer.openClient()
        peer.feed(Frame.close(1000).bytes())
        peer.link.failed(LinkFailure(.lost, "Reset."), into: &peer.reports)
        #expect(peer.told == ["closed 1000 "])
        #expect(peer.link.isOver)
        #expect(!peer.link.hasOutput)
    }

    // MARK: - Time

    @Test("a timer that fires early, twice or where nothing is waited for does nothing")
    func timers() throws {
        let (peer, answer) = try Peer.client()
        peer.advance(by: .seconds(9))
        #expect(peer.events.isEmpty)
        peer.feed(Peer.switching(answer))
        #expect(peer.link.deadline == nil)
        peer.advance(by: .seconds(1_000))
        #expect(peer.link.isOpen)
        #expect(peer.close())
        peer.link.timerFired(at: peer.now, into: &peer.reports)
        #expect(peer.events.count == 1)
        peer.advance(by: .seconds(5))
        peer.advance(by: .seconds(5))
        #expect(peer.told == ["opened -", "failed lost -"])
    }

    // MARK: - Sending

    @Test("what is too big, or comes at the wrong time, is refused and changes nothing")
    func verdicts() throws {
        var limits = LinkLimits()
        limits.message = MessageLimits(both: 10)
        let (peer, answer) = try Peer.client(limits: limits)
        #expect(peer.send(.text("x")) == .notOpen)
        #expect(peer.ping() == .notOpen)
        peer.feed(Peer.switching(answer))
        #expect(peer.send(.binary([UInt8](repeating: 0, count: 11)), id: 1) == .tooBig)
        #expect(peer.ping([UInt8](repeating: 0, count: 126)) == .tooBig)
        #expect(!peer.link.hasOutput)
        #expect(peer.send(.binary([UInt8](repeating: 0, count: 10)), id: 2) == .queued)
        #expect(peer.ping([UInt8](repeating: 0, count: 125)) == .queued)
        _ = peer.output()
        #expect(peer.wrote == [SendID(2)])
    }

    @Test("the limits hold each for its way: what may be sent may be larger than what may come")
    func limitsEachWay() throws {
        var limits = LinkLimits()
        limits.message = MessageLimits(incoming: 1_000, outgoing: 1 << 20)
        let long = [UInt8](repeating: 0x61, count: 1_100)
        for (peer, isServer) in [
            (try Peer.openClient(limits: limits), false), (Peer.openServer(limits: limits), true),
        ] {
            #expect(peer.send(.binary(long)) == .queued)
            _ = peer.output()
            // The header says enough.
            peer.feed(Array(Frame(2, long, masked: isServer).bytes().prefix(isServer ? 8 : 4)))
            #expect(peer.told == ["failed protocolViolation 1009"])
            #expect(peer.failure?.message.contains("1000 bytes") == true)
            #expect(frames(peer.output()).map(\.payload).first?.prefix(2) == [0x03, 0xF1])
        }
    }

    @Test("RFC 6455 §5.5.3: pings are answered in order with their payload")
    func pings() throws {
        let peer = try Peer.openClient()
        let payloads: [[UInt8]] = [[], [1], [UInt8](repeating: 2, count: 125)]
        peer.feed(payloads.flatMap { Frame(9, $0).bytes() })
        let written = frames(peer.output())
        #expect(written.map(\.first) == [0x8A, 0x8A, 0x8A])
        #expect(written.map(\.payload) == payloads)
    }

    @Test("RFC 6455 §5.5.3: under a flood of pings the output stays bounded and the latest is answered")
    func pingFlood() {
        let peer = Peer.openServer()
        for number in 0..<10_000 {
            peer.feed(
                Frame(9, Array("\(number)".utf8) + [UInt8](repeating: 0, count: 100), masked: true).bytes())
        }
        #expect(peer.link.unwrittenBytes <= (64 << 10) + 200)
        var taken: [UInt8] = []
        while peer.link.hasOutput { taken += peer.output(1_000) }
        let answers = frames(taken).map { String(decoding: $0.payload.prefix { $0 != 0 }, as: UTF8.self) }
        #expect(answers.first == "0")
        #expect(answers.last == "9999")
        #expect(answers.count < 1_000)
    }

    // MARK: - Conversations

    /// Moves bytes both ways, `size` at a time, until nothing moves.
    private func exchange(_ client: Peer, _ server: Peer, by size: Int) {
        while client.link.hasOutput || server.link.hasOutput {
            server.feed(client.output(size))
            if server.link.request != nil { _ = server.accept(subprotocol: "v1") }
            client.feed(server.output(size))
        }
    }

    @Test(
        "RFC 6455 §5: client and server talk the same whatever a read brings",
        arguments: [1, 2, 3, 7, 100_000])
    func conversation(size: Int) throws {
        let (client, _) = try Peer.client(subprotocols: ["v2", "v1"], seed: 40)
        // The request was taken by the helper: begin again with it unwritten.
        let request = try UpgradeRequest(WebSocketURL("ws://h/"), subprotocols: ["v2", "v1"])
        client.link = Link(client: request, key: HandshakeKey(.seeded(1)), deadline: .distantFuture)
        let server = Peer.server()
        exchange(client, server, by: size)
        #expect(client.told == ["opened v1"])
        let messages: [Message] = [
            .text(""), .text("Hello 水"), .binary([0, 255]), .binary([UInt8](repeating: 7, count: 126)),
            .text(String(repeating: "é", count: size > 7 ? 20_000 : 300)),
        ]
        for (index, message) in messages.enumerated() {
            #expect(client.send(message, id: UInt64(index)) == .queued)
            #expect(server.send(message, id: UInt64(index)) == .queued)
            #expect(client.ping([UInt8(index)]) == .queued)
        }
        exchange(client, server, by: size)
        #expect(client.close(.goingAway, reason: "done"))
        exchange(client, server, by: size)
        #expect(server.messages == messages)
        #expect(client.messages == messages)
        #expect(server.told.last == "closed 1001 done")
        #expect(client.told.last == "closed 1001 ")
        #expect(client.wrote == (0..<5).map { SendID($0) })
        #expect(server.wrote == client.wrote)
        #expect(server.link.mayShutDownWriting)
        client.end()
        server.end()
        #expect(client.link.isOver && server.link.isOver)
    }

    @Test("RFC 6455 §5: every place where a stream can be cut gives the same events and the same answers")
    func everyCut() throws {
        let (_, answer) = try Peer.client()
        let stream =
            Peer.switching(answer) + Frame.text("水é").bytes() + Frame.text("a", final: false).bytes()
            + Frame(9, [1, 2]).bytes() + Frame(0, [UInt8](repeating: 0x62, count: 130)).bytes()
            + Frame(10).bytes()
            + Frame.close(4000, "é").bytes() + Frame.text("z").bytes()
        let whole = try Peer.client().peer
        whole.feed(stream)
        #expect(whole.events.count == 4)
        let written = whole.output()
        for cut in 0...stream.count {
            let peer = try Peer.client().peer
            peer.feed(Array(stream[..<cut]))
            peer.feed(Array(stream[cut...]))
            #expect(peer.events == whole.events)
            #expect(peer.output() == written)
        }
    }

    // MARK: - Faults behind good messages

    @Test("a good message before a bad frame can be answered before the close frame")
    func heldFault() throws {
        let peer = try Peer.openClient()
        let bytes = Frame(1, Array("good".utf8)).bytes() + [0xF1, 0x00]
        bytes.withUnsafeBytes {
            peer.link.receive($0, at: peer.now, masks: &peer.masks, into: &peer.reports)
        }
        #expect(peer.events == [.received([.text("good")])])
        #expect(peer.link.deadline == peer.now)
        #expect(peer.send(.text("answer")) == .queued)
        peer.fireIfDue()
        #expect(peer.events.count == 2 && peer.events.last?.isLast == true)
        let written = peer.output()
        #expect(written.first == 0x81)
        #expect(written.contains(0x88))
        #expect(peer.send(.text("late")) == .notOpen)
    }

    // MARK: - Garbage

    /// A stream that begins well and then goes wrong somewhere, or does not.
    private func stream(_ generator: inout Generator, masked: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let opcode: UInt8 = [0, 1, 2, 8, 9, 10].randomElement(using: &generator) ?? 1
            let count = [0, 1, 5, 125, 126, 400].randomElement(using: &generator) ?? 0
            let payload = (0..<count).map { _ in UInt8.random(in: 0x20...0x7E, using: &generator) }
            let final = opcode > 7 || Bool.random(using: &generator)
            bytes += Frame(
                opcode, opcode > 7 ? Array(payload.prefix(125)) : payload, final: final, masked: masked
            ).bytes()
        }
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(
                in: .min ... .max, using: &generator)
        }
        return bytes
    }

    private func check(_ open: Peer, _ stream: [UInt8], _ generator: inout Generator) {
        let whole = open.copy()
        whole.feed(stream)
        let cut = open.copy()
        cut.feed(
            stream, by: Int.random(in: 1...9, using: &generator),
            inPlaceFrom: Int.random(in: 1...300, using: &generator))
        #expect(whole.told == cut.told)
        #expect(whole.link.missingBytes <= 1 << 20)
        for peer in [whole, cut] {
            _ = peer.output(5)
            peer.advance(by: .seconds(20))
            peer.end()
            #expect(peer.link.isOver)
            #expect(peer.link.deadline == nil)
            #expect(peer.events.filter(\.isLast).count == 1)
            #expect(peer.events.last?.isLast == true)
        }
    }

    @Test("damaged frames never trap, are read alike however they are cut, and end each link once")
    func damagedFrames() throws {
        var generator = Generator(seed: 2_026)
        let (client, server) = (try Peer.openClient(), Peer.openServer())
        for _ in 0..<500 {
            check(client, stream(&generator, masked: false), &generator)
            check(server, stream(&generator, masked: true), &generator)
        }
    }

    @Test("damaged handshakes and random bytes never trap, and end each link once")
    func damagedHandshakes() throws {
        var generator = Generator(seed: 77)
        let (client, answer) = try Peer.client()
        let server = Peer.server()
        let refusal = Array(
            "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".utf8)
        for round in 0..<500 {
            var answers = round % 2 == 0 ? Peer.switching(answer) + Frame.text("x").bytes() : refusal
            var request = Peer.request() + Frame.text("x", masked: true).bytes()
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                answers[Int.random(in: answers.indices, using: &generator)] = UInt8.random(
                    in: .min ... .max, using: &generator)
                request[Int.random(in: request.indices, using: &generator)] = UInt8.random(
                    in: .min ... .max, using: &generator)
            }
            if round % 5 == 0 {
                answers = (0..<200).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
                request = answers
            }
            check(client, answers, &generator)
            check(server, request, &generator)
        }
    }

    @Test("random bytes through an open link never trap")
    func noise() throws {
        var generator = Generator(seed: 5)
        let (client, server) = (try Peer.openClient(), Peer.openServer())
        for _ in 0..<500 {
            let noise = (0..<Int.random(in: 1...300, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            check(client, noise, &generator)
            check(server, noise, &generator)
        }
    }
}
