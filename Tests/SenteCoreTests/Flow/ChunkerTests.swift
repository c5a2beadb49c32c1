// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Chunker")
struct ChunkerTests {
    private func all(_ chunker: Chunker) -> [[Envelope]] {
        var chunker = chunker
        var steps: [[Envelope]] = []
        while !chunker.isDone { steps.append(chunker.next()) }
        #expect(chunker.next() == [])
        return steps
    }

    @Test("As words, the start goes with the first part and the end with the last")
    func words() {
        let chunker = Chunker(Folded(plain: [1, 2, 3, 4, 5]), number: 9, size: 2, isBinary: false)
        #expect(chunker.count == 3)
        #expect(
            all(chunker) == [
                [
                    .start(ChunkStart(number: 9, chunks: 3, size: 5)),
                    .part(ChunkPart(number: 9, index: 0, bytes: [1, 2])),
                ],
                [.part(ChunkPart(number: 9, index: 1, bytes: [3, 4]))],
                [.part(ChunkPart(number: 9, index: 2, bytes: [5])), .end(9)],
            ])
    }

    @Test(
        "In binary messages the first part says the size, the last its place, each the compression"
    )
    func binary() {
        let folded = Folded(by: .deflate) { $0 += [7, 8, 9] }
        let chunker = Chunker(folded, number: 1, size: 2, isBinary: true)
        #expect(
            all(chunker) == [
                [.part(ChunkPart(number: 1, index: 0, namesAlgorithm: true, size: 4, bytes: [2, 7]))],
                [.part(ChunkPart(number: 1, index: 1, isLast: true, namesAlgorithm: true, bytes: [8, 9]))],
            ])
    }

    @Test("As words, the start names the algorithm")
    func compressedWords() {
        let folded = Folded(by: .gzip) { $0 += [7, 8] }
        #expect(
            all(Chunker(folded, number: 1, size: 2, isBinary: false)) == [
                [
                    .start(ChunkStart(number: 1, chunks: 1, size: 2, algorithm: .gzip)),
                    .part(ChunkPart(number: 1, index: 0, bytes: [7, 8])), .end(1),
                ]
            ])
    }

    @Test("An empty message is one empty part")
    func empty() {
        #expect(
            all(Chunker(Folded(plain: []), number: 1, size: 2, isBinary: true)) == [
                [.part(ChunkPart(number: 1, index: 0, isLast: true, size: 0, bytes: []))]
            ])
    }
}
