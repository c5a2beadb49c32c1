// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTestSupport
import SenteTransport
import Testing

@Suite("InMemoryTransport", .timeLimit(.minutes(5)))
struct InMemoryTransportTests {
    @Test("opens, carries messages both ways, reports writes, and ends once")
    func conversation() async throws {
        try await withLoop(.standard) { loop in
            let transport = InMemoryTransport { peer in
                peer.open(subprotocol: "p")
                peer.send([.text("welcome")])
                peer.onMessages = { peer.send($0) }
            }
            let recorder = LinkRecorder.open(loop.request(1), on: loop, transport: transport)
            await recorder.untilOpen()
            recorder.onLoop {
                $0.send([Transmission(SendID(1), .text("a")), Transmission(SendID(2), .text("b"))])
            }
            let reports = await recorder.reports.wait { $0.flatMap(\.messages).count == 3 }
            #expect(reports.flatMap(\.messages).map(\.string) == ["welcome", "a", "b"])
            #expect(reports.flatMap(\.writes) == [SendID(1), SendID(2)])
            recorder.onLoop { $0.close(.goingAway, reason: "x") }
            #expect(await recorder.untilEnd().last == .closed(.closed(code: .goingAway, reason: "x")))
        }
    }

    @Test("a refusal and a failure are each the only last report")
    func endings() async throws {
        try await withLoop(.standard) { loop in
            let refused = LinkRecorder.open(
                loop.request(1), on: loop,
                transport: InMemoryTransport { peer in
                    peer.refuse(Refusal(status: 403))
                    peer.fail()
                })
            #expect(await refused.untilEnd() == [.refused(Refusal(status: 403))])
            let lost = LinkRecorder.open(
                loop.request(1), on: loop,
                transport: InMemoryTransport { peer in
                    peer.fail()
                    peer.close()
                })
            #expect(await lost.untilEnd().count == 1)
        }
    }

    @Test("a message beyond the incoming limit ends the link with 1009, one beyond the outgoing is not sent")
    func limits() async throws {
        try await withLoop(.standard) { loop in
            let closes = Collector<CloseCode>()
            let transport = InMemoryTransport { peer in
                peer.open()
                peer.onMessages = { messages in peer.send(messages + [.binary([1, 2, 3, 4])] + messages) }
                peer.onClose = { code, _ in closes.append(code) }
            }
            var request = loop.request(1)
            request.messageLimits = MessageLimits(incoming: 3, outgoing: 2)
            let recorder = LinkRecorder.open(request, on: loop, transport: transport)
            await recorder.untilOpen()
            recorder.onLoop {
                $0.send([Transmission(SendID(1), .text("abc")), Transmission(SendID(2), .text("ab"))])
            }
            let reports = await recorder.untilEnd()
            #expect(reports.flatMap(\.writes) == [SendID(2)])
            #expect(reports.flatMap(\.messages).map(\.string) == ["ab"])
            #expect(reports.last?.failure?.closeCode == .messageTooBig)
            #expect(closes.elements == [.messageTooBig])
        }
    }

    @Test("nothing is reported after the link is abandoned, and while it is paused")
    func silence() async throws {
        try await withLoop(.standard) { loop in
            let peers = Collector<InMemoryPeer>()
            let transport = InMemoryTransport { peer in
                peer.open()
                peers.append(peer)
            }
            let recorder = LinkRecorder.open(loop.request(1), on: loop, transport: transport)
            await recorder.untilOpen()
            let peer = peers.elements[0]
            recorder.onLoop {
                $0.pauseReading()
                peer.send([.text("late")])
            }
            await loop.run {}
            await loop.run {}
            #expect(recorder.reports.elements.flatMap(\.messages).isEmpty)
            recorder.onLoop { $0.resumeReading() }
            _ = await recorder.reports.wait { $0.flatMap(\.messages).count == 1 }
            recorder.onLoop { link in
                peer.send([.text("never")])
                link.abandon()
            }
            await loop.run {}
            await loop.run {}
            #expect(recorder.reports.elements.flatMap(\.messages).count == 1)
            #expect(await loop.run { peer.isAbandoned })
        }
    }
}
