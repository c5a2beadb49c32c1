// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteLite
import SenteServer
import Testing
import console

@Suite("What console serve does with streams")
struct ServeStreamsTests {
    private static func serving(_ arguments: [String]) throws -> ServerConfiguration {
        try ServeSettings.read(arguments, environment: [:]).configuration
    }

    @Test("Streams are announced with --streams only, with or without the rest of flow")
    func announced() throws {
        #expect(try Self.serving([]).flow.streaming == nil)
        #expect(try Self.serving(["--streams", "in"]).flow.streaming == StreamPolicy())
        for arguments in [["--streams", "in", "--no-flow"], ["--flow", "batching", "--streams", "in"]] {
            #expect(try Self.serving(arguments).flow.streaming == StreamPolicy())
            #expect(try Self.serving(arguments).flow.resumption == nil)
        }
        let strict = try Self.serving(["--max-upload", "99", "--max-streams", "3", "--streams", "in"])
        #expect(strict.flow.streaming?.uploadBytes == 99)
        #expect(strict.flow.streaming?.streams == 3)
    }

    @Test("A question for what cannot be given is answered with a sentence")
    func answers() async throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("sente-streams-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        let streams = ServeStreams(try StreamFolder(url.path))
        try Data("abc".utf8).write(to: url.appendingPathComponent("a.txt"))
        let questions: [Value] = [
            .null, ["follow": true], "none.txt", "../a.txt", ["name": "/etc/passwd"], "a.txt",
        ]
        for question in questions {
            let (data, isError) = await streams.answer(question, to: ConnectionID(1))
            #expect(isError)
            #expect(data["code"] == "refused")
            #expect(data["message"]?.stringValue?.isEmpty == false)
        }
    }
}
