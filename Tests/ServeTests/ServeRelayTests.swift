// SPDX-License-Identifier: Apache-2.0

import SampleTestSupport
import Testing

extension ServeProcesses {
    /// Between two terminals with the sample chat.
    @Suite("Its relay in Sente's mode")
    struct ServeRelayTests {
        @Test(
            "two terminals talk, see each other come and go, and lose nothing while the server is away")
        func chat() async throws {
            let (server, port) = try await SampleProcess.serve(["--mode", "sente"])
            let url = "ws://127.0.0.1:\(port)/chsk"
            let ann = try SampleProcess([url, "--name", "Ann"], sample: "chat")
            try await ann.says("Ann is connected") { $0.contains("connected as Ann") }
            let bob = try SampleProcess([url, "--name", "Bob"], sample: "chat")
            try await ann.says("Bob joins") { $0 == "Bob joined" }
            try await bob.says("Ann is there") { $0 == "Ann is here" }
            ann.write("hello, Bob")
            for side in [ann, bob] { try await side.says("what Ann said") { $0 == "Ann hello, Bob" } }
            bob.write("and you\u{1B}[31m")
            for side in [ann, bob] {
                try await side.says("what Bob said, and nothing a terminal would obey") {
                    $0 == "Bob and you·[31m"
                }
            }
            bob.write("/people")
            try await bob.says("who is here") { $0 == "Ann, Bob" }

            try await server.kill()
            for side in [ann, bob] {
                try await side.says("the connection is lost") { $0.contains("connection lost") }
            }
            ann.write("are you still there?")
            try await ann.says("it waits") { $0.contains("waits: are you still there?") }
            let (second, _) = try await SampleProcess.serve(["--mode", "sente"], port: port)
            try await ann.says("it comes round") { $0 == "Ann are you still there?" }
            try await bob.says("Bob is back too") { $0.contains("connected again") }
            ann.write("/quit")
            #expect(try await ann.quit() == 0)
            try await bob.says("Ann leaves") { $0 == "Ann left" }
            #expect(try await bob.quit() == 0)
            #expect(try await second.quit() == 0)
        }
    }
}
