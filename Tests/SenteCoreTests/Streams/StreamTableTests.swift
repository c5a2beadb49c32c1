// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite struct StreamTableTests {
    @Test("there are fifty streams at once, and one more is refused at the call")
    func bound() throws {
        var peer = StreamPeer()
        for number in 0..<50 { try peer.open("s\(number)") }
        let error = #expect(throws: StreamFault.self) { try peer.open("s50") }
        #expect(error?.code == .quotaExceeded)
        peer.change("s7") { $0.cancel(at: $1) }
        try peer.open("s50")
    }

    @Test("a name that is in use, or was, is refused")
    func names() throws {
        var peer = StreamPeer()
        try peer.open("a")
        #expect(throws: StreamFault.self) { try peer.open("a") }
        peer.change("a") { $0.cancel(at: $1) }
        #expect(throws: StreamFault.self) { try peer.open("a") }
    }

    @Test("streams take turns, whatever each could send")
    func turns() throws {
        var peer = StreamPeer()
        for name in ["a", "b", "c"] {
            try peer.open(name)
            peer.hear(.accept(peer.reception(0, 0, until: 4)), of: name)
            peer.change(name) { $0.provide(Array("11112222".utf8)[...], at: 0, now: $1) }
        }
        var order: [String] = []
        while let (id, _, _) = peer.table.takeChunk(at: peer.now) { order.append(id) }
        #expect(order == ["a", "b", "c", "a", "b", "c"])
        #expect(!peer.table.hasChunk)
    }

    @Test("a thousand offers a second are fifty streams and refusals, and leave nothing")
    func flood() {
        var peer = StreamPeer()
        for number in 1...1_000 as ClosedRange<UInt64> {
            peer.hear(
                .open(StreamOpening(kind: .download, number: number * 2, chunkSize: 4)), of: "s\(number)")
        }
        #expect(peer.table.count == 50)
        let refusals = peer.takeWords().filter {
            if case .failed(let fault) = $0 { fault.code == .quotaExceeded } else { false }
        }
        #expect(refusals.count == 950)
        #expect(peer.table.farewellCount == 0)
    }

    static let badOffers: [(StreamOpening, StreamFault.Code)] = [
        (StreamOpening(kind: .download, number: 3, chunkSize: 4), .protocolError),
        (StreamOpening(kind: .download, number: 0, chunkSize: 4), .protocolError),
        (StreamOpening(kind: .upload, number: 2, chunkSize: 4), .protocolError),
        (StreamOpening(kind: .bidirectional, number: 2, chunkSize: 4), .protocolError),
        (StreamOpening(kind: .download, number: 2, chunkSize: 5), .quotaExceeded),
        (
            StreamOpening(
                kind: .download, number: 2, chunkSize: 4,
                metadata: .string(String(repeating: "x", count: 20_000))), .quotaExceeded
        ),
        (StreamOpening(kind: .download, number: 2, chunkSize: 4, isAgain: true), .unknownStream),
    ]

    @Test("an offer that cannot be is refused by its code", arguments: badOffers)
    func badOffer(opening: StreamOpening, code: StreamFault.Code) {
        var peer = StreamPeer()
        peer.hear(.open(opening))
        guard case .failed(let fault)? = peer.takeWords().first else {
            Issue.record("it is not refused")
            return
        }
        #expect(fault.code == code)
        #expect(peer.table.count == 0)
    }

    @Test("a number that another stream has on this link is refused")
    func takenNumber() {
        var peer = StreamPeer()
        peer.hear(.open(StreamOpening(kind: .download, number: 2, chunkSize: 4)), of: "a")
        peer.hear(.open(StreamOpening(kind: .download, number: 2, chunkSize: 4)), of: "b")
        #expect(peer.table.count == 1)
    }

    @Test("an end that this client made is told again on each link until the server has noted it")
    func farewells() throws {
        var peer = try StreamPeer.uploading()
        peer.change { $0.cancel(reason: "enough", at: $1) }
        #expect(peer.takeWords() == [.cancel(reason: "enough")])
        for _ in 0..<2 {
            peer.table.unlinked(at: peer.now)
            peer.table.linked(at: peer.now)
            #expect(peer.takeWords() == [.cancel(reason: "enough")])
        }
        peer.hear(.end)
        peer.table.unlinked(at: peer.now)
        peer.table.linked(at: peer.now)
        #expect(peer.takeWords().isEmpty)
        #expect(peer.table.farewellCount == 0)
    }

    @Test("cancelled at both ends at once, a stream is over at both, and nobody answers")
    func crossing() throws {
        var peer = try StreamPeer.uploading()
        peer.change { $0.cancel(at: $1) }
        _ = peer.takeWords()
        peer.hear(.cancel(reason: nil))
        #expect(peer.takeWords().isEmpty)
        #expect(peer.table.farewellCount == 0)
    }

    @Test(
        "words for a stream that is over are dropped, and those for one that never was are answered, but for ends"
    )
    func strays() throws {
        var peer = try StreamPeer.uploading()
        peer.change { $0.cancel(at: $1) }
        _ = peer.takeWords()
        peer.hear(.credits(peer.reception(0, 0, until: 9)))
        #expect(peer.takeWords().isEmpty)
        peer.hear(.credits(peer.reception(0, 0, until: 9)), of: "never")
        guard case .failed(let fault)? = peer.takeWords().first else {
            Issue.record("it is not answered")
            return
        }
        #expect(fault.code == .unknownStream)
        for word in [.cancel(reason: nil), .failed(StreamFault(.timeout, "")), .end] as [StreamWord] {
            peer.hear(word, of: "never")
            #expect(peer.takeWords().isEmpty)
        }
        try peer.table.heard(binary: StreamChunk(index: 0, bytes: [1]).binary(number: 8), at: peer.now)
        #expect(peer.table.strayChunks == 1)
    }

    @Test("a malformed word ends the stream that it names, and the link when it names none")
    func malformed() throws {
        var peer = try StreamPeer.uploading()
        try peer.table.heard(name: "stream-credits", ["message-id": "u", "until": -1], at: peer.now)
        #expect(peer.takeEffects().fault == .protocolError)
        try peer.table.heard(name: "stream-credits", ["message-id": "never", "until": -1], at: peer.now)
        #expect(throws: FlowViolation.self) {
            try peer.table.heard(name: "stream-credits", ["until": -1], at: peer.now)
        }
        #expect(throws: FlowViolation.self) { try peer.table.heard(binary: [0xC1, 3, 1], at: peer.now) }
    }

    @Test("an offer that nobody took before the link was lost may come again, under the same name")
    func offeredAgain() {
        var peer = StreamPeer()
        let opening = StreamOpening(kind: .download, number: 2, chunkSize: 4)
        peer.hear(.open(opening))
        peer.table.unlinked(at: peer.now)
        #expect(peer.table.count == 0)
        peer.table.linked(at: peer.now)
        _ = peer.takeEffects()
        peer.hear(.open(opening))
        #expect(peer.takeEffects() == [.offered(opening)])
        #expect(peer.takeWords().isEmpty)
    }

    @Test("where the server offers a stream again that this client has asked for, the client's number holds")
    func crossingOffers() throws {
        var peer = StreamPeer.downloading()
        peer.table.unlinked(at: peer.now)
        peer.table.linked(at: peer.now)
        _ = peer.takeWords()
        peer.hear(.open(StreamOpening(kind: .download, number: 2, chunkSize: 4)))
        peer.hear(.accept(nil))
        try peer.hear(0, "abcd", number: 1)
        #expect(peer.take() == "0 abcd")
    }

    @Test("ends are remembered up to a bound")
    func bounds() throws {
        var peer = StreamPeer(isLinked: false)
        for number in 0..<3_000 {
            try peer.open("s\(number)")
            peer.change("s\(number)") { $0.cancel(at: $1) }
            _ = peer.takeWords()
        }
        #expect(peer.table.farewellCount == 1_024)
        #expect(peer.table.count == 0)
        #expect(peer.table.deadline == nil)
    }
}
