// SPDX-License-Identifier: Apache-2.0

import SampleTerminal
import SampleTestSupport
import SenteBase
import SenteLite
import SenteServer
import Testing
import console

@Suite("The access lines of console serve")
struct AccessLinesTests {
    private let narrator = Narrator(ink: Ink(hasColors: false), isLive: true)

    @Test("A client that comes, goes or is turned away is a line, without what its query says")
    func access() {
        let visitor = ServerAccess.Visitor(
            name: "c1", remoteAddress: "127.0.0.1:5", target: "/chsk?csrf-token=secret")
        let stranger = ServerAccess.Visitor(
            name: nil, remoteAddress: "127.0.0.1:5", target: "/x?token=secret")
        let accesses: [ServerAccess] = [
            .came(visitor),
            .went(visitor, after: .milliseconds(1_500), messages: 1, .closed(code: .normal, reason: "bye")),
            .refused(stranger, status: 403),
        ]
        let lines = accesses.map {
            narrator.text(
                .access,
                ValueMap(Output.fields(of: $0).compactMap { name, value in value.map { (Value(name), $0) } }))
        }
        #expect(
            lines == [
                "→ c1 127.0.0.1:5 /chsk", "← c1 after 1.5 s, 1 message, closed with 1000 (bye)",
                "✗ refused with 403 127.0.0.1:5 /x",
            ])
    }
}

extension ServeProcesses {
    @Suite("Its access lines")
    struct AccessTests {
        @Test(
            "it tells of each client that comes, goes or is turned away, unless it is to be quiet")
        func accessLines() async throws {
            let (server, port) = try await SampleProcess.serve(["--mode", "sente", "--csrf", "t"])
            let client = try SampleProcess(
                ["ws://127.0.0.1:\(port)/chsk", "--csrf", "t", "--param", "user=ann"])
            try await client.open()
            let came = try await server.first("the client comes") { $0["event"] == "came" }
            #expect(came["kind"] == "access" && came["path"] == "/chsk")
            #expect(came["peer"]?.stringValue?.hasPrefix("127.0.0.1:") == true)
            client.write("event [:chat/say {:text \"hi\"}]")
            #expect(try await client.quit() == 0)
            let went = try await server.first("the client goes") { $0["event"] == "went" }
            #expect(went["connection"] == came["connection"])
            #expect(went["reason"]?.stringValue?.contains("1000") == true)
            #expect(went["messages"]?.integerValue ?? 0 > 0)
            let stranger = try SampleProcess(["ws://127.0.0.1:\(port)/chsk", "--csrf", "wrong"])
            let refused = try await server.first("the stranger is turned away") { $0["event"] == "refused" }
            #expect(refused["status"] == 403)
            #expect(try await stranger.quit() == 0)
            #expect(try await server.quit() == 0)
            #expect(server.lines.last?["state"] == "stopped")

            let (quiet, other) = try await SampleProcess.serve(["--quiet"])
            let guest = try SampleProcess(["ws://127.0.0.1:\(other)/"])
            try await guest.open()
            #expect(try await guest.quit() == 0)
            #expect(try await quiet.quit() == 0)
            #expect(!quiet.lines.contains { $0["kind"] == "access" })
        }
    }
}
