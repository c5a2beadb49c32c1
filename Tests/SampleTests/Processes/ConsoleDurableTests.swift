// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTestSupport
import SenteLite
import SenteTestKit
import Testing

extension SampleProcesses {
    /// Messages that outlive the process that said them.
    @Suite("The console's outbox")
    struct ConsoleDurableTests {
        @Test("what a killed console had no answer to, the next one sends, and tells what came of it")
        func killed() async throws {
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("sente-console-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let server = try LoopbackServer()
            let port = try await server.start()
            let watcher = try SenteClient(server.url)
            try await watcher.connect()
            var messages = try await watcher.subscribe("room").makeAsyncIterator()
            await server.losesReplies()

            let options = ["--outbox", folder.path, "--client-id", "till-7"]
            let url = "ws://127.0.0.1:\(port)/"
            let first = try SampleProcess([url] + options)
            try await first.open()
            first.write(#"publish --durable room {"total": 12}"#)
            #expect(await messages.next()?.data == ["total": 12])
            try await first.kill()

            await server.recovers()
            let second = try SampleProcess([url] + options)
            let told = try await second.first("what came of it") { $0["command"] == "outbox" }
            #expect(told["outcome"] == "acknowledged")
            #expect(try await second.quit() == 0)
            let third = try SampleProcess([url] + options)
            try await third.open()
            #expect(try await third.quit() == 0)
            #expect(!third.lines.contains { $0["command"] == "outbox" }, "it is told once")
            await watcher.disconnect()
            await server.stop()
        }
    }
}
