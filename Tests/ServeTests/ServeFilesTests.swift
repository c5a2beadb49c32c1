// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTestSupport
import SenteLite
import Testing

extension ServeProcesses {
    /// Files between two consoles.
    @Suite("Its folder of files")
    struct ServeFilesTests {
        @Test("a file goes up into the server's folder, and comes down into another")
        func files() async throws {
            let home = FileManager.default.temporaryDirectory
                .appendingPathComponent("sente-console-\(UUID().uuidString)")
            let (kept, back) = (home.appendingPathComponent("kept"), home.appendingPathComponent("back"))
            for folder in [kept, back] {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            }
            defer { try? FileManager.default.removeItem(at: home) }
            let file = home.appendingPathComponent("a.bin")
            let data = Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            try data.write(to: file)

            let (server, port) = try await SampleProcess.serve(["--streams", kept.path])
            let client = try SampleProcess.client(port)
            _ = try await client.first("a connection") { $0["state"] == "open" }
            let sent = try await client.ask("upload \(file.path)")
            #expect(sent["bytes"] == 200_000)
            #expect(sent["answer"]?["name"] == "a.bin")
            #expect(try Data(contentsOf: kept.appendingPathComponent("a.bin")) == data)
            let received = try await client.ask("download a.bin \(back.path)")
            #expect(received["file"] == .string(back.appendingPathComponent("a.bin").path))
            #expect(try Data(contentsOf: back.appendingPathComponent("a.bin")) == data)
            #expect(try await client.ask("streams")["streams"] == [])
            let missing = try await client.ask("download b.bin \(back.path)")
            #expect(missing["kind"] == "error")
            #expect(try await client.ask("upload \(home.path)/none")["code"] == "invalidArgument")
            #expect(try await client.quit() == 0)
            #expect(try await server.quit() == 0)
        }
    }
}
