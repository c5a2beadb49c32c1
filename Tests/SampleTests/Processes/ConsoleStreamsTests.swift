// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTestSupport
import SenteLite
import SenteTestKit
import Testing

extension SampleProcesses {
    @Suite("The console's streams")
    struct ConsoleStreamsTests {
        @Test("a file goes up under its name, and another comes down into a folder")
        func files() async throws {
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("sente-console-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let file = folder.appendingPathComponent("a.bin")
            let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try Data(bytes).write(to: file)

            let server = try LoopbackServer()
            await server.takesStreams()
            await server.answersRequests(on: "files") { question in
                guard let name = question["name"]?.stringValue, name == "b.bin" else {
                    throw SenteError(code: .invalidArgument, message: "There is no such file.")
                }
                await server.offersDownload(bytes.reversed(), on: "files", metadata: ["filename": "b.bin"])
                return ["size": Value(bytes.count)]
            }
            let port = try await server.start()
            let client = try SampleProcess.client(port)
            try await client.open()
            let sent = try await client.ask("upload \(file.path)")
            #expect(sent["bytes"] == 200_000)
            #expect(server.uploads.map(\.bytes) == [bytes])
            #expect(server.uploads.first?.metadata["filename"] == "a.bin")
            let received = try await client.ask("download b.bin \(folder.path)")
            let copy = folder.appendingPathComponent("b.bin")
            #expect(received["file"] == .string(copy.path))
            #expect(try Data(contentsOf: copy) == Data(bytes.reversed()))
            #expect(try await client.ask("streams")["streams"] == [])
            #expect(try await client.ask("download c.bin \(folder.path)")["kind"] == "error")
            #expect(try await client.ask("upload \(folder.path)/none")["code"] == "invalidArgument")
            #expect(try await client.quit() == 0)
            await server.stop()
        }
    }
}
