// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite struct StreamRegistryTests {
    // MARK: What clients may open

    @Test("a client's stream is accepted with what may come at once")
    func accepting() {
        var stage = StreamStage()
        stage.hear(StreamStage.offer())
        #expect(stage.takeWords().isEmpty)
        stage.change { $0.accept(at: $1) }
        #expect(stage.takeWords() == [.acceptance(StreamStage.grant(0, 0, until: 4))])
        stage.hear(StreamStage.offer())
        #expect(stage.takeWords().isEmpty, "asked twice on one link, it is answered once")
    }

    @Test("a name is only a name")
    func names() {
        var stage = StreamStage()
        stage.hear(StreamStage.offer(more: ["metadata": ["filename": "../../etc/passwd"]]))
        #expect(stage.registry.count == 1)
        #expect(stage.takeWords().isEmpty)
    }

    static let refused: [(ServerStreamWord, String)] = [
        (StreamStage.offer(more: ["chunk-size": 5]), "quota-exceeded"),
        (StreamStage.offer(totalSize: 101), "quota-exceeded"),
        (
            StreamStage.offer(more: ["metadata": .string(String(repeating: "x", count: 20_000))]),
            "quota-exceeded"
        ),
        (StreamStage.offer(number: 2), "protocol-error"),
        (StreamStage.offer(.download), "refused"),
        (StreamStage.offer(.broadcast), "refused"),
        (StreamStage.offer(.bidirectional), "protocol-error"),
        (StreamStage.offer(again: true), "unknown-stream"),
    ]

    @Test("what the policy does not allow is refused by its code, and leaves nothing", arguments: refused)
    func refusals(word: ServerStreamWord, code: String) {
        var stage = StreamStage { $0.uploadBytes = 100 }
        stage.hear(word)
        #expect(stage.takeWords().codes == [code])
        #expect(stage.registry.isEmpty)
    }

    @Test("a thousand streams a second are fifty and refusals")
    func flood() {
        var stage = StreamStage()
        for number in 0..<1_000 as Range<Int64> {
            stage.hear(StreamStage.offer(number: 2 * number + 1), of: "s\(number)")
        }
        #expect(stage.registry.count == 50)
        #expect(stage.takeWords().codes.count == 950)
        #expect(stage.registry.endCount == 0)
    }

    @Test("an upload of no known size ends when it is more than the policy allows")
    func quotaMidway() {
        var stage = StreamStage.uploading { $0.uploadBytes = 6 }
        stage.send(0, "abcd")
        stage.send(1, "efgh")
        #expect(stage.takeEvents().code == "quota-exceeded")
        #expect(stage.takeWords().codes == ["quota-exceeded"])
    }

    // MARK: What comes

    @Test("what came is taken in order, and the client may go on as it is taken")
    func receiving() {
        var stage = StreamStage.uploading()
        for index in 0..<4 as Range<UInt64> { stage.send(index, "abc\(index)") }
        #expect(stage.takeWords().isEmpty)
        #expect(stage.takeEvents() == [.hasParts])
        #expect(stage.take() == "abc0")
        #expect(stage.take() == "abc1")
        #expect(stage.takeWords().isEmpty)
        #expect(stage.take() == "abc2")
        #expect(stage.takeWords() == [.credits(StreamStage.grant(4, 16, until: 7))])
    }

    static let hostile: [ServerStreamWord] = [
        .chunk(StreamPart(index: 1, bytes: [1])), .chunk(StreamPart(index: 0, bytes: [])),
        .chunk(StreamPart(index: 0, bytes: [1, 2, 3, 4, 5])),
        .chunk(StreamPart(index: UInt64(Int64.max), bytes: [1])),
        .sent(StreamPlace(index: 1, bytes: 1), checksum: nil), .credits(StreamStage.grant(0, 0, until: 9)),
        .rewind(StreamStage.grant(0, 0, until: 9)), .acceptance(nil), .resumption(at: StreamPlace(index: 1)),
        .received(StreamPlace(), milliseconds: 0, checksum: nil, receipt: .null), .wrong("stream-credits"),
        .end,
    ]

    @Test("a client that breaks the rules of one stream loses that one, and no other", arguments: hostile)
    func breaches(word: ServerStreamWord) {
        var stage = StreamStage.uploading()
        stage.hear(StreamStage.offer(number: 3), of: "other")
        _ = stage.takeWords()
        stage.hear(word)
        #expect(stage.takeEvents().code == "protocol-error")
        #expect(stage.takeWords("u").codes == ["protocol-error"])
        #expect(stage.registry["u"] == nil)
        #expect(stage.registry["other"] != nil)
        stage.send(0, "abcd")
        #expect(stage.registry.strays == 1)
    }

    @Test("a chunk beyond the total, or without credit, ends its stream")
    func beyond() {
        var total = StreamStage.uploading(totalSize: 5)
        total.send(0, "abcd")
        total.send(1, "ef")
        #expect(total.takeEvents().code == "protocol-error")
        var credit = StreamStage.uploading()
        for index in 0..<5 as Range<UInt64> { credit.send(index, "abcd") }
        #expect(credit.takeEvents().code == "protocol-error")
    }

    @Test("a whole whose checksum does not hold fails")
    func checksum() {
        var stage = StreamStage()
        stage.hear(StreamStage.offer(isChecked: true))
        stage.change { $0.accept(at: $1) }
        stage.send(0, "abcX")
        let checksum = DigestFunction.sha256.digest(of: Array("abcd".utf8)[...])
        stage.hear(.sent(StreamPlace(index: 1, bytes: 4), checksum: checksum))
        #expect(stage.takeEvents().code == "checksum-mismatch")
    }

    // MARK: Ends

    @Test(
        "a finished upload is finished when it is asked for again, with the same receipt, and is not stored twice"
    )
    func finished() {
        var stage = StreamStage.uploading()
        stage.send(0, "abcd")
        stage.hear(.sent(StreamPlace(index: 1, bytes: 4), checksum: nil))
        #expect(stage.take() == "abcd")
        stage.change { $0.confirm("kept", at: $1) }
        let receipt = ServerStreamWord.received(
            StreamPlace(index: 1, bytes: 4), milliseconds: 0, checksum: nil, receipt: "kept")
        #expect(stage.takeWords() == [receipt])
        #expect(stage.takeEvents().outcome == .completed)
        for again in [false, true] {
            stage.relink()
            stage.hear(StreamStage.offer(again: again))
            #expect(stage.takeWords() == [receipt])
            #expect(stage.takeEvents().isEmpty)
        }
        stage.pass(.seconds(3_600))
        #expect(stage.registry.isEmpty)
        stage.hear(StreamStage.offer(again: true))
        #expect(stage.takeWords().codes == ["unknown-stream"])
    }

    @Test("what a client says of an end is noted, known or not, and never answered with an end of ours")
    func notes() {
        for word in [.cancellation(reason: nil), .error(code: "timeout", message: "")] as [ServerStreamWord] {
            var stage = StreamStage.uploading()
            stage.hear(word)
            #expect(stage.takeWords() == [.end])
            #expect(stage.registry.count == 0)
            stage.hear(word)
            #expect(stage.takeWords() == [.end])
            stage.hear(word, of: "never")
            #expect(stage.takeWords() == [.end])
        }
    }

    @Test("an end that a client tells after a new link ends a stream that it has not asked for again")
    func endOfParked() {
        var stage = StreamStage.downloading()
        stage.give("abcd", at: 0)
        #expect(stage.takeParts() == ["0 abcd"])
        stage.change { $0.end(at: 4, now: $1) }
        #expect(stage.takeWords() == [.sent(StreamPlace(index: 1, bytes: 4), checksum: nil)])
        stage.relink()
        stage.hear(.received(StreamPlace(index: 1, bytes: 4), milliseconds: 5, checksum: nil, receipt: .null))
        #expect(stage.takeWords() == [.end])
        #expect(stage.takeEvents().outcome == .completed)
    }

    @Test("what the server ended is told to a client that asks for it")
    func ownEnd() {
        var stage = StreamStage.uploading()
        stage.registry.unlinked(at: stage.now)
        stage.change { $0.cancel("enough", at: $1) }
        stage.registry.linked(at: stage.now)
        #expect(stage.takeWords().isEmpty)
        stage.hear(StreamStage.offer(again: true))
        #expect(stage.takeWords() == [.cancellation(reason: "enough")])
    }

    @Test("ends are remembered up to a bound")
    func bound() {
        var stage = StreamStage { $0.ends = 10 }
        for number in 0..<100 as Range<Int64> {
            stage.hear(StreamStage.offer(number: 2 * number + 1), of: "s\(number)")
            stage.change("s\(number)") { $0.cancel(at: $1) }
        }
        #expect(stage.registry.endCount == 10)
        #expect(stage.registry.count == 0)
    }

    // MARK: Links and time

    @Test("without link a stream waits, keeps what it has, and is let go of after its time")
    func parking() {
        var stage = StreamStage.uploading()
        stage.send(0, "abcd")
        stage.registry.unlinked(at: stage.now)
        stage.pass(.seconds(3_599))
        #expect(stage.registry.count == 1)
        stage.registry.linked(at: stage.now)
        stage.hear(StreamStage.offer(number: 9, again: true))
        #expect(stage.takeWords() == [.acceptance(StreamStage.grant(1, 4, until: 4))])
        stage.registry.unlinked(at: stage.now)
        stage.pass(.seconds(3_600))
        #expect(stage.registry.count == 0)
        #expect(stage.takeEvents().code == "timeout")
    }

    @Test("a client that is silent about a stream for the idle limit has lost it; the server is not silent")
    func idle() {
        var stage = StreamStage.uploading()
        stage.pass(.seconds(20))
        #expect(stage.takeWords() == [.credits(StreamStage.grant(0, 0, until: 4))])
        stage.hear(.resumption(at: nil))
        stage.pass(.seconds(59))
        #expect(stage.takeEvents().isEmpty)
        stage.pass(.seconds(1))
        #expect(stage.takeEvents().code == "timeout")
    }

    @Test(
        "a download that no client has taken is offered again over a new link, and one that was taken is not")
    func offeringAgain() {
        var stage = StreamStage()
        let isOpen = stage.registry.open(StreamOffer(.download, chunkSize: 4), id: "u", at: stage.now)
        #expect(isOpen)
        #expect(stage.takeWords().count == 1)
        stage.relink()
        #expect(stage.takeWords().count == 1)
        stage.hear(.acceptance(StreamStage.grant(0, 0, until: 4)))
        stage.relink()
        #expect(stage.takeWords().isEmpty)
    }

    // MARK: What goes

    @Test("a download goes as far as its credits, and goes back to what the client has")
    func sending() {
        var stage = StreamStage.downloading(credits: 2)
        #expect(stage.takeEvents() == [.accepted, .wants(at: 0)])
        stage.give("aaaabbbbcccc", at: 0)
        #expect(stage.takeParts() == ["0 aaaa", "1 bbbb"])
        stage.relink()
        #expect(stage.takeParts().isEmpty)
        stage.hear(StreamStage.offer(.download, again: true, more: ["next": 1, "bytes": 4, "until": 5]))
        #expect(stage.takeWords() == [.acceptance(nil)])
        #expect(stage.takeParts() == ["1 bbbb", "2 cccc"])
        #expect(stage.takeEvents() == [.wants(at: 12)])
    }

    @Test(
        "a client that lost what it had is served again where the bytes can be had again, else told why not")
    func goingBack() {
        for canGoBack in [true, false] {
            var stage = StreamStage.downloading(canGoBack: canGoBack)
            stage.give("aaaabbbb", at: 0)
            _ = stage.takeParts()
            stage.hear(.credits(StreamStage.grant(2, 8, until: 6)))
            stage.relink()
            _ = stage.takeEvents()
            stage.hear(StreamStage.offer(.download, again: true, more: ["next": 1, "bytes": 4, "until": 5]))
            if canGoBack {
                #expect(stage.takeEvents() == [.wants(at: 4)])
                stage.give("bbbb", at: 4)
                #expect(stage.takeParts() == ["1 bbbb"])
            } else {
                #expect(stage.takeEvents().code == "not-resumable")
            }
        }
    }

    @Test(
        "however wide the window is, and small the chunks, the client hears of every 32",
        arguments: [.chunks(100), .chunks(.max), .bytes(1 << 20), .bytes(.max)] as [StreamPolicy.Window])
    func wideWindow(_ window: StreamPolicy.Window) {
        var stage = StreamStage.uploading { $0.window = window }
        for index in 0..<64 as Range<UInt64> { stage.send(index, "a") }
        func take(_ count: Int) {
            for _ in 0..<count { stage.change { #expect($0.take(at: $1) != nil) } }
        }
        take(31)
        #expect(stage.takeWords().isEmpty)
        take(33)
        #expect(stage.takeWords().count == 2)
    }

    @Test("credits of 2⁶³ let no more go than is kept")
    func hugeCredits() {
        var stage = StreamStage.downloading(credits: UInt64(Int64.max))
        stage.give(String(repeating: "x", count: 4_000), at: 0)
        #expect(stage.takeParts().count == 64)
        #expect(stage.registry["u"]?.kept.parts == 64)
    }

    @Test("streams take turns")
    func turns() {
        var stage = StreamStage()
        for name in ["a", "b"] {
            _ = stage.registry.open(StreamOffer(.download, chunkSize: 4), id: name, at: stage.now)
            stage.hear(.acceptance(StreamStage.grant(0, 0, until: 4)), of: name)
            stage.change(name) { $0.give(Array("11112222".utf8)[...], at: 0, now: $1) }
        }
        var order: [String] = []
        while let (id, _, _) = stage.registry.takePart(at: stage.now) { order.append(id) }
        #expect(order == ["a", "b", "a", "b"])
    }

    @Test("words for streams that never were are answered, but for ends")
    func strays() {
        var stage = StreamStage()
        stage.hear(.credits(StreamStage.grant(0, 0, until: 4)))
        #expect(stage.takeWords().codes == ["unknown-stream"])
        stage.send(0, "abcd")
        #expect(stage.takeWords().isEmpty)
        #expect(stage.registry.strays == 1)
        let now = stage.now
        let isWord = stage.registry.hear(named: "stream-cancel", [:], at: now)
        let isChunk = stage.registry.hear(binary: [0xC1, 3], at: now) != nil
        let isStray = stage.registry.hear(
            binary: StreamPart(index: 0, bytes: [1]).binary(number: 77), at: now)
        #expect(!isWord && !isChunk && isStray == 1)
    }
}
