// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite struct StreamMachineTests {
    // MARK: Sending

    @Test("an upload asks, and its source is asked when the server has accepted")
    func opening() throws {
        var peer = StreamPeer()
        try peer.open(totalSize: 6, isChecked: true)
        guard case .open(let opening)? = peer.takeWords().first else {
            Issue.record("it does not ask")
            return
        }
        #expect(opening.number == 1)
        #expect(opening.totalChunks == 2)
        #expect(!opening.isAgain)
        #expect(peer.state == .negotiating)
        #expect(!peer.takeEffects().contains(.wantsBytes))
        peer.hear(.accept(peer.reception(0, 0, until: 4)))
        #expect(peer.state == .active)
        #expect(peer.takeEffects().contains(.wantsBytes))
    }

    @Test("without credit nothing goes, and the source is asked for no more")
    func credits() throws {
        var peer = try StreamPeer.uploading(credits: 2)
        peer.give("aaaabbbbccccdd", at: 0)
        #expect(peer.takeChunks() == ["0 aaaa", "1 bbbb"])
        _ = peer.takeEffects()
        peer.hear(.credits(peer.reception(1, 4, until: 3)))
        #expect(peer.takeChunks() == ["2 cccc"])
        #expect(!peer.takeEffects().contains(.wantsBytes))
        peer.hear(.credits(peer.reception(3, 12, until: 6)))
        #expect(peer.takeChunks() == ["3 dd"])
        #expect(peer.takeEffects().contains(.wantsBytes), "what was given has gone")
    }

    @Test("an older grant takes nothing back")
    func oldGrant() throws {
        var peer = try StreamPeer.uploading(credits: 3)
        peer.hear(.credits(peer.reception(0, 0, until: 1)))
        peer.give("aaaabbbbcccc", at: 0)
        #expect(peer.takeChunks().count == 3)
    }

    @Test("a grant of 2⁶³ lets no more go than is kept")
    func hugeGrant() throws {
        var peer = try StreamPeer.uploading(credits: UInt64(Int64.max))
        peer.give(String(repeating: "x", count: 4_000), at: 0)
        #expect(peer.takeChunks().count == 64)
        #expect(peer.table["u"]?.keptChunks == 64)
    }

    @Test("a window counts bytes")
    func byteWindow() throws {
        var peer = StreamPeer()
        try peer.open()
        peer.hear(.accept(StreamReception(credit: .bytes(until: 6))))
        peer.give("aaaabbbb", at: 0)
        #expect(peer.takeChunks() == ["0 aaaa", "1 bb"])
        peer.hear(
            .credits(
                StreamReception(next: StreamPoint(index: 2, bytes: 6), credit: .bytes(until: 12))))
        #expect(peer.takeChunks() == ["2 bb"])
    }

    @Test("when the last chunk has gone its totals are said, and the receipt completes the stream")
    func completion() throws {
        var peer = try StreamPeer.uploading(isChecked: true)
        peer.give("abc", at: 0)
        peer.finish(at: 3)
        #expect(peer.takeWords().isEmpty)
        #expect(peer.takeChunks() == ["0 abc"])
        let checksum = DigestFunction.sha256.digest(of: Array("abc".utf8)[...])
        let end = StreamPoint(index: 1, bytes: 3)
        #expect(peer.takeWords() == [.sent(StreamTotals(end: end, checksum: checksum))])
        #expect(peer.state == .completing)
        let receipt = StreamReceipt(end: end, milliseconds: 5, checksum: checksum, answer: "kept")
        peer.hear(.received(receipt))
        #expect(peer.takeEffects().ending == .completed(receipt))
        #expect(peer.table.count == 0)
        #expect(peer.takeWords().isEmpty)
    }

    @Test("a source that gives more than it said, or less, fails its stream")
    func wrongTotal() throws {
        var more = try StreamPeer.uploading(totalSize: 3)
        more.give("aaaa", at: 0)
        #expect(more.takeEffects().fault == .sourceFailed)
        var less = try StreamPeer.uploading(totalSize: 3)
        less.give("aa", at: 0)
        less.finish(at: 2)
        #expect(less.takeEffects().fault == .sourceFailed)
        guard case .failed? = less.takeWords().last else {
            Issue.record("the server is not told")
            return
        }
    }

    @Test("after a new link it asks again and goes on from where the server is")
    func newLink() throws {
        var peer = try StreamPeer.uploading()
        peer.give("aaaabbbbcccc", at: 0)
        #expect(peer.takeChunks().count == 3)
        peer.table.unlinked(at: peer.now)
        #expect(peer.state == .initializing)
        #expect(peer.takeChunks().isEmpty)
        peer.table.linked(at: peer.now)
        guard case .open(let opening)? = peer.takeWords().last else {
            Issue.record("it does not ask again")
            return
        }
        #expect(opening.isAgain)
        #expect(opening.number == 1, "numbers begin anew with each link")
        peer.hear(.accept(peer.reception(1, 4, until: 5)))
        #expect(peer.takeChunks() == ["1 bbbb", "2 cccc"])
    }

    @Test(
        "a server that lost what was acknowledged asks a seekable source to go back, and ends the stream of another"
    )
    func goingBack() throws {
        for isSeekable in [true, false] {
            var peer = try StreamPeer.uploading(isSeekable: isSeekable)
            peer.give("aaaabbbb", at: 0)
            _ = peer.takeChunks()
            peer.hear(.credits(peer.reception(2, 8, until: 6)))
            _ = peer.takeEffects()
            peer.hear(.rewind(peer.reception(0, 0, until: 4)))
            let effects = peer.takeEffects()
            guard isSeekable else {
                #expect(effects.fault == .notResumable)
                continue
            }
            #expect(effects.contains(.seek(to: 0)))
            peer.give("zzzz", at: 8)
            #expect(peer.takeChunks().isEmpty, "what the source gives for the old place comes too late")
            peer.give("aaaabbbb", at: 0)
            #expect(peer.takeChunks() == ["0 aaaa", "1 bbbb"])
        }
    }

    @Test("in a new process the source is read from its start for the checksum, and sent from the position")
    func position() throws {
        var peer = StreamPeer()
        try peer.open(isSeekable: true, isChecked: true, position: .start)
        guard case .open(let opening)? = peer.takeWords().last else { return }
        #expect(opening.isAgain)
        peer.hear(.accept(peer.reception(2, 8, until: 6)))
        #expect(peer.takeEffects().contains(.seek(to: 0)))
        peer.give("aaaabbbbcc", at: 0)
        peer.finish(at: 10)
        #expect(peer.takeChunks() == ["2 cc"])
        let checksum = DigestFunction.sha256.digest(of: Array("aaaabbbbcc".utf8)[...])
        #expect(
            peer.takeWords() == [
                .sent(StreamTotals(end: StreamPoint(index: 3, bytes: 10), checksum: checksum))
            ])
    }

    @Test(
        "a stream that the server completed while there was no link is completed by the answer to asking again"
    )
    func completedMeanwhile() throws {
        var peer = try StreamPeer.uploading()
        peer.give("abc", at: 0)
        peer.finish(at: 3)
        _ = peer.takeChunks()
        peer.table.unlinked(at: peer.now)
        peer.table.linked(at: peer.now)
        let receipt = StreamReceipt(end: StreamPoint(index: 1, bytes: 3), milliseconds: 5)
        peer.hear(.received(receipt))
        #expect(peer.takeEffects().ending == .completed(receipt))
    }

    // MARK: Receiving

    @Test(
        "the sender may go further when the consumer has taken what came, and never further than the credits")
    func raising() throws {
        var peer = StreamPeer.downloading()
        for index in 0..<4 as Range<UInt64> { try peer.hear(index, "abcd") }
        #expect(peer.takeWords().isEmpty, "nobody has taken anything")
        #expect(peer.takeEffects().filter { $0 == .hasPieces }.count == 1, "once is enough")
        #expect(peer.take() == "0 abcd")
        #expect(peer.take() == "1 abcd")
        #expect(peer.takeWords().isEmpty, "two of four are left")
        #expect(peer.take() == "2 abcd")
        #expect(peer.takeWords() == [.credits(peer.reception(4, 16, until: 7))])
        #expect(peer.table["u"]?.keptBytes == 4)
    }

    @Test(
        "however wide the window is, and small the chunks, the sender hears of every 32",
        arguments: [.credits(100), .credits(.max), .window(bytes: 1 << 20), .window(bytes: .max)]
            as [StreamFlowControl])
    func wideWindow(_ window: StreamFlowControl) throws {
        var peer = StreamPeer.downloading(flowControl: window)
        for index in 0..<64 as Range<UInt64> { try peer.hear(index, "a") }
        for _ in 0..<31 { #expect(peer.take() != nil) }
        #expect(peer.takeWords().isEmpty)
        for _ in 0..<33 { #expect(peer.take() != nil) }
        #expect(peer.takeWords().count == 2)
    }

    @Test(
        "a chunk that is out of order, without credit, empty, too large or beyond the total ends its stream and no other"
    )
    func hostileChunks() throws {
        let chunks: [(UInt64, String)] = [(1, "abcd"), (0, ""), (0, "abcde"), (UInt64(Int64.max), "a")]
        for (index, text) in chunks {
            var peer = StreamPeer.downloading()
            peer.hear(.open(StreamOpening(kind: .download, number: 4, chunkSize: 4)), of: "other")
            try peer.hear(index, text)
            #expect(peer.takeEffects().fault == .protocolError)
            #expect(peer.takeWords().count == 1, "the server is told")
            #expect(peer.table["other"]?.state == .negotiating)
            try peer.hear(index, text)
            #expect(peer.table.strayChunks == 1, "what still comes is dropped")
        }
        var beyond = StreamPeer.downloading(totalSize: 5)
        try beyond.hear(0, "abcd")
        try beyond.hear(1, "ef")
        #expect(beyond.takeEffects().fault == .protocolError)
        var uncredited = StreamPeer.downloading()
        for index in 0..<5 as Range<UInt64> { try uncredited.hear(index, "abcd") }
        #expect(uncredited.takeEffects().fault == .protocolError)
    }

    @Test("a chunk whose checksum does not hold is asked for again after a second, and three times at most")
    func chunkChecksums() throws {
        let right = DigestFunction.sha256.digest(of: Array("abcd".utf8)[...])
        var peer = StreamPeer.downloading(checksChunks: true)
        for _ in 0..<3 {
            try peer.hear(0, "abcX", checksum: right)
            try peer.hear(1, "abcd", checksum: right)
            #expect(peer.takeWords().isEmpty, "a rewind waits")
            peer.pass(.seconds(1))
            #expect(peer.takeWords() == [.rewind(peer.reception(0, 0, until: 4))])
        }
        try peer.hear(0, "abcX", checksum: right)
        #expect(peer.takeEffects().fault == .checksumMismatch)
        var mended = StreamPeer.downloading(checksChunks: true)
        try mended.hear(0, "abcX", checksum: right)
        mended.pass(.seconds(1))
        try mended.hear(1, "abcd", checksum: right)
        try mended.hear(0, "abcd", checksum: right)
        try mended.hear(1, "abcd", checksum: right)
        #expect(mended.take() == "0 abcd")
        #expect(mended.take() == "1 abcd")
    }

    @Test(
        "a whole whose checksum does not hold fails, or comes again from the start where the consumer can begin anew"
    )
    func wholeChecksum() throws {
        for startsOver in [false, true] {
            var peer = StreamPeer.downloading(isChecked: true, startsOver: startsOver)
            let totals = StreamTotals(
                end: StreamPoint(index: 1, bytes: 4),
                checksum: DigestFunction.sha256.digest(of: Array("abcd".utf8)[...]))
            try peer.hear(0, "abcX")
            peer.hear(.sent(totals))
            guard startsOver else {
                #expect(peer.takeEffects().fault == .checksumMismatch)
                continue
            }
            peer.pass(.seconds(1))
            #expect(peer.takeEffects().contains(.startsOver))
            #expect(peer.takeWords() == [.rewind(peer.reception(0, 0, until: 4))])
            try peer.hear(0, "abcd")
            peer.hear(.sent(totals))
            #expect(peer.take() == "0 abcd")
            peer.change { $0.confirm(at: $1) }
            guard case .completed? = peer.takeEffects().ending else {
                Issue.record("it is not complete")
                return
            }
        }
    }

    @Test("a download is complete when its consumer has taken everything and says so")
    func downloaded() throws {
        var peer = StreamPeer.downloading()
        try peer.hear(0, "abcd")
        peer.hear(.sent(StreamTotals(end: StreamPoint(index: 1, bytes: 4))))
        peer.change { $0.confirm(at: $1) }
        #expect(peer.takeEffects().ending == nil, "nothing was taken")
        #expect(peer.take() == "0 abcd")
        #expect(peer.takeEffects() == [.hasPieces], "there is no more, and that is to be seen")
        #expect(peer.take() == nil)
        peer.change { $0.confirm("stored", at: $1) }
        let receipt = StreamReceipt(end: StreamPoint(index: 1, bytes: 4), milliseconds: 0, answer: "stored")
        #expect(peer.takeWords() == [.received(receipt)])
        #expect(peer.takeEffects().ending == .completed(receipt))
    }

    @Test("totals that do not fit what came end the stream")
    func wrongTotals() throws {
        for end in [StreamPoint(index: 2, bytes: 4), StreamPoint(index: 1, bytes: 5), .start] {
            var peer = StreamPeer.downloading()
            try peer.hear(0, "abcd")
            peer.hear(.sent(StreamTotals(end: end)))
            #expect(peer.takeEffects().fault == .protocolError)
        }
    }

    @Test("a broadcast begins where it says, and what it leaves out shows in the index")
    func broadcast() throws {
        var peer = StreamPeer()
        peer.hear(
            .open(
                StreamOpening(
                    kind: .broadcast, number: 2, chunkSize: 4, isChecked: false,
                    first: StreamPoint(index: 7, bytes: 70))))
        peer.change { $0.accept(at: $1) }
        #expect(peer.takeWords() == [.accept(peer.reception(7, 70, until: 11))])
        try peer.hear(7, "abcd")
        peer.hear(.resume(at: StreamPoint(index: 20, bytes: 200)))
        #expect(peer.takeWords() == [.credits(peer.reception(20, 200, until: 23))])
        try peer.hear(20, "efgh")
        #expect(peer.take() == "7 abcd")
        #expect(peer.take() == "20 efgh")
        peer.hear(.resume(at: StreamPoint(index: 3, bytes: 30)))
        #expect(peer.takeEffects().fault == .protocolError, "nothing goes back")
    }

    // MARK: Either

    @Test("paused by either end nothing goes, and each says so")
    func pausing() throws {
        var peer = try StreamPeer.uploading()
        peer.give("aaaa", at: 0)
        peer.change { $0.pause(at: $1) }
        #expect(peer.state == .paused)
        #expect(peer.takeWords() == [.pause(reason: nil)])
        #expect(peer.takeChunks().isEmpty)
        peer.hear(.pause(reason: "backpressure"))
        peer.change { $0.resume(at: $1) }
        #expect(peer.takeWords() == [.resume(at: nil)])
        #expect(peer.takeChunks().isEmpty)
        peer.hear(.resume(at: nil))
        #expect(peer.state == .active)
        #expect(peer.takeChunks() == ["0 aaaa"])
    }

    @Test("a pause lasts over links")
    func pauseOverLinks() throws {
        var peer = try StreamPeer.uploading()
        peer.change { $0.pause(at: $1) }
        peer.table.unlinked(at: peer.now)
        peer.table.linked(at: peer.now)
        _ = peer.takeWords()
        peer.hear(.accept(peer.reception(0, 0, until: 4)))
        #expect(peer.takeWords() == [.pause(reason: nil)])
    }

    @Test(
        "each end says something every third of the idle limit, so that a slow one is not taken for a dead one"
    )
    func signsOfLife() throws {
        var upload = try StreamPeer.uploading()
        upload.pass(.seconds(20))
        #expect(upload.takeWords() == [.resume(at: nil)])
        var download = StreamPeer.downloading()
        download.pass(.seconds(20))
        #expect(download.takeWords() == [.credits(download.reception(0, 0, until: 4))])
    }

    @Test(
        "a server that says nothing of a stream for the idle limit has lost it, and without a link nobody is idle"
    )
    func idle() throws {
        var peer = try StreamPeer.uploading()
        peer.pass(.seconds(59))
        #expect(peer.takeEffects().fault == nil)
        peer.hear(.credits(peer.reception(0, 0, until: 4)))
        peer.pass(.seconds(59))
        #expect(peer.takeEffects().fault == nil)
        peer.pass(.seconds(1))
        #expect(peer.takeEffects().fault == .timeout)

        var unlinked = try StreamPeer.uploading()
        unlinked.table.unlinked(at: unlinked.now)
        unlinked.pass(.seconds(100_000))
        #expect(unlinked.takeEffects().fault == nil)
        #expect(unlinked.table.deadline == nil)

        var unanswered = StreamPeer()
        try unanswered.open()
        unanswered.pass(.seconds(60))
        #expect(unanswered.takeEffects().fault == .timeout)
    }

    @Test("progress is told at most every half second, and at the end, with all that is known")
    func progress() throws {
        var peer = try StreamPeer.uploading(credits: 100, totalSize: 40)
        _ = peer.takeEffects()
        peer.now = peer.now.advanced(by: .seconds(1))
        peer.give("aaaabbbbccccdddd", at: 0)
        for _ in 0..<4 {
            _ = peer.table.takeChunk(at: peer.now)
            peer.now = peer.now.advanced(by: .milliseconds(100))
        }
        #expect(peer.takeEffects().progress.map(\.chunks) == [1])
        peer.pass(.milliseconds(600))
        let progress = peer.takeEffects().progress
        #expect(progress.map(\.chunks) == [4])
        let last = try #require(progress.last)
        #expect(last.id == "u")
        #expect(last.state == .active)
        #expect(last.bytes == 16)
        #expect(last.totalBytes == 40)
        #expect(last.percentage == 40)
        #expect(last.totalChunks == 10)
        #expect(last.elapsed == .milliseconds(1_500))
        #expect(abs(last.throughput - 10.67) < 0.01)
        #expect(
            last.estimatedRemaining.map { $0 > .milliseconds(2_249) && $0 < .milliseconds(2_251) } == true)
        #expect(last.creditStalls == 0)
        #expect(last.rewinds == 0)
        peer.change { $0.cancel(at: $1) }
        #expect(peer.takeEffects().progress.map(\.state) == [.cancelled])
    }

    @Test("a sender that has bytes and no credit has stalled, once for each time")
    func stalls() throws {
        var peer = try StreamPeer.uploading(credits: 1)
        peer.give("aaaabbbbcccc", at: 0)
        _ = peer.takeChunks()
        peer.hear(.credits(peer.reception(1, 4, until: 2)))
        _ = peer.takeChunks()
        peer.change { $0.cancel(at: $1) }
        #expect(peer.takeEffects().progress.last?.creditStalls == 2)
    }

    @Test("what apps say beside the bytes goes both ways")
    func controls() throws {
        var peer = try StreamPeer.uploading()
        _ = peer.takeEffects()
        peer.hear(.control(["quality": "480p"]))
        #expect(peer.takeEffects() == [.control(["quality": "480p"])])
        peer.change { $0.control("faster", at: $1) }
        #expect(peer.takeWords() == [.control("faster")])
    }

    /// Every word against every state: it changes something or nothing, and never traps.
    @Test("any word is borne in any state", arguments: StreamWordTests.words.map(\.0))
    func totality(word: StreamWord) throws {
        var peers: [StreamPeer] = []
        var initializing = StreamPeer(isLinked: false)
        try initializing.open()
        peers.append(initializing)
        for kind in StreamKind.allCases {
            var negotiating = StreamPeer()
            try negotiating.open("u", kind)
            peers.append(negotiating)
        }
        peers.append(try StreamPeer.uploading())
        peers.append(StreamPeer.downloading())
        var offered = StreamPeer()
        offered.hear(.open(StreamOpening(kind: .download, number: 2, chunkSize: 4)))
        peers.append(offered)
        var paused = try StreamPeer.uploading()
        paused.change { $0.pause(at: $1) }
        peers.append(paused)
        var completing = try StreamPeer.uploading()
        completing.finish(at: 0)
        peers.append(completing)
        var cancelled = try StreamPeer.uploading()
        cancelled.change { $0.cancel(at: $1) }
        peers.append(cancelled)
        for var peer in peers {
            peer.hear(word)
            peer.hear(word)
            if let deadline = peer.table.deadline { #expect(deadline > peer.now) }
            let ends = peer.takeEffects().filter { if case .ended = $0 { true } else { false } }
            #expect(ends.count <= 1)
        }
    }
}
