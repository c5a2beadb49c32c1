// SPDX-License-Identifier: Apache-2.0

import SampleTestSupport
import SenteLite
import SenteTestKit
import Testing

extension SampleProcesses {
    @Suite("chat")
    struct ChatProcessTests {
        @Test(
            "it says that it is connecting and why it is not connected, and leaves politely when it is told to end"
        )
        func connecting() async throws {
            let server = try LoopbackServer(.sente)
            let port = try await server.start()
            await server.stop()
            let ann = try SampleProcess([server.url + "chsk", "--name", "Ann"], sample: "chat")
            try await ann.says("why there is no connection") {
                $0.contains("no connection: Connecting to 127.0.0.1:\(port) failed")
            }
            server.answersEvents("chat/bye") { _ in nil }
            try await server.start()
            try await ann.says("Ann is connected") { $0.contains("connected as Ann") }
            await server.push(Event("chat/here", [.keyword("from"): "Bob", .keyword("new"): true]))
            try await ann.says("Bob joins") { $0 == "Bob joined" }
            await server.push(Event("chat/bye", [.keyword("from"): "Bob"]))
            try await ann.says("Bob leaves") { $0 == "Bob left" }
            #expect(try await ann.terminate() == 0)
            try await server.expectEvent("chat/bye")
            #expect(ann.texts.last?.contains("left") == true)
            await server.stop()
        }

        @Test("it shows who says what, answers who is new, and says what the server answers")
        func conversation() async throws {
            let server = try LoopbackServer(.sente)
            try await server.start()
            server.answersEvents("chat/say") { event in
                event.data[Keyword("text")] == "refuse me" ? .keyword("chsk/error") : .keyword("ok")
            }
            server.answersEvents("chat/here") { _ in nil }
            let ann = try SampleProcess([server.url + "chsk", "--name", "Ann"], sample: "chat")
            try await ann.says("Ann is connected") { $0.contains("connected as Ann") }
            try await server.expectEvent("chat/here") { $0.data[Keyword("new")] == true }
            await server.push(Event("chat/here", [.keyword("from"): "Bob", .keyword("new"): true]))
            try await ann.says("Bob joins") { $0 == "Bob joined" }
            try await server.expectEvent("chat/here") { $0.data.isNull }
            await server.push(Event("chat/say", [.keyword("from"): "Bob", .keyword("text"): "hi, Ann"]))
            try await ann.says("what Bob said") { $0 == "Bob hi, Ann" }
            ann.write("hello")
            try await server.expectEvent("chat/say") { $0.data[Keyword("text")] == "hello" }
            ann.write("refuse me")
            try await ann.says("what was not delivered") { $0.contains("not delivered: refuse me") }
            #expect(try await ann.quit() == 0)
            await server.stop()
        }

        @Test("what is wrong with its command line is said, and what would be right")
        func misuse() async throws {
            for arguments in [["--nonsense"], ["--name"], ["localhost:3000"], ["ws://a/", "ws://b/"]] {
                #expect(try await SampleProcess(arguments, sample: "chat").quit() == 2)
            }
            let help = try SampleProcess(["--help"], sample: "chat")
            try await help.says("the usage") { $0.contains("swift run chat") }
            #expect(try await help.quit() == 0)
        }
    }
}
