// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire
import Testing

@Suite struct StreamLinkTests {
    static let setups: [StreamLinkWorld.Setup] = [Dialect.senteLiteMaps, .senteLiteVectors, .sente].flatMap {
        dialect in
        [true, false].flatMap { binary in
            [true, false].flatMap { resumes in
                [0, 4].map {
                    StreamLinkWorld.Setup(dialect: dialect, usesBinary: binary, resumes: resumes, cuts: $0)
                }
            }
        }
    }

    @Test(
        "an upload and a download arrive whole at one time, in every dialect and spelling, over links that break"
    )
    func whole() async {
        #if DEBUG
        let seeds: UInt64 = 1
        #else
        let seeds: UInt64 = 3
        #endif
        for (index, setup) in Self.setups.enumerated() {
            for seed in 0..<seeds {
                // A world takes its thread for long, and others have time limits.
                await Task.yield()
                var world = StreamLinkWorld(seed: seed &+ UInt64(index) &* 100, setup)
                let isOver = world.run()
                let name = "\(setup), seed \(seed)"
                #expect(world.problems.isEmpty, "\(name)")
                #expect(isOver, "\(name): \(world.uploaded.count) up, \(world.downloaded.count) down")
                #expect((world.uploaded == world.upload), "\(name)")
                #expect((world.downloaded == world.download), "\(name)")
                guard case .completed(let receipt)? = world.endings["up"] else {
                    Issue.record("\(name): \(String(describing: world.endings["up"]))")
                    continue
                }
                #expect(receipt.answer["id"] == 9 || receipt.answer[Keyword("id")] == 9)
                #expect(world.outcomes["down"] == .completed)
                #expect(world.features?.streaming == true)
            }
        }
    }

    @Test("chunks go as binary messages where both ends take them, and as words where not")
    func spelling() {
        for usesBinary in [true, false] {
            var world = StreamLinkWorld(seed: 7, .init(usesBinary: usesBinary))
            let isOver = world.run()
            #expect(isOver)
            let chunks = world.sent.filter { StreamChunk.isBinary($0.bytes) }
            #expect(chunks.isEmpty == !usesBinary)
            let words = world.sent.filter { $0.kind == .text && $0.string.contains("flow-stream-chunk") }
            #expect(words.isEmpty == usesBinary)
        }
    }

    @Test("questions are answered while streams run")
    func company() {
        var world = StreamLinkWorld(seed: 3, .init())
        let isOver = world.run()
        #expect(isOver)
        #expect(world.answers > 0)
    }
}
