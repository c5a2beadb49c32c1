// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSocket
import SenteWire
import Testing

@Suite("The channel socket server on real sockets", .serialized)
struct ChannelSocketServerTests {
    /// Runs a server on a free port, and stops it at the end.
    private func withServer(
        _ dialect: ServerConfiguration.Dialect = .sente, _ service: ServerService = ServerService(),
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (ChannelSocketServer, Int) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration(dialect)
        configuration.port = 0
        configuration.closeLimit = .seconds(2)
        configuration.heartbeatInterval = nil
        configuration.sente.keepAlive = nil
        change(&configuration)
        let socket = try makeChannelSocketServer(configuration, service: service)
        let port = try await socket.server.start()
        do {
            try await body(socket, port)
        } catch {
            await socket.server.stop()
            throw error
        }
        await socket.server.stop()
    }

    private static let named: ServerService = {
        var service = ServerService()
        service.userID = { request in request.parameter("user").map { .string($0) } }
        service.handshakeData = { request in [.keyword("path"): .string(request.path)] }
        return service
    }()

    @Test("Events come by chRecv, are answered, and go to users and to all")
    func conversation() async throws {
        try await withServer(.sente, Self.named) { socket, port in
            let router = startRouter(
                socket.chRecv,
                [
                    "chat/say": { message in
                        let said: Value = [.keyword("from"): message.uid, .keyword("text"): message.data]
                        try socket.broadcast([.keyword("chat/said"), said])
                        message.reply?(.keyword("ok"))
                    },
                    "chat/tell": { message in try socket.sendFn("ann", message.event, flush: true) },
                    "chat/fail": { _ in throw ServerEventError.notAnEvent(1) },
                ],
                default: { message in message.reply?([.string(message.clientID), message.event]) })
            let (ann, greeting) = try await AsyncRawClient.webSocket(port: port, "/chsk?client-id=a&user=ann")
            #expect(greeting == #"[[:chsk/handshake ["ann" nil {:path "/chsk"}]] nil]"#)
            let (bob, _) = try await AsyncRawClient.webSocket(port: port, "/chsk?client-id=b&user=bob")
            #expect(await socket.connectedUIDs == ConnectedUIDs(ws: ["ann", "bob"], any: ["ann", "bob"]))

            try await bob.sendText(#"[[:chat/say "hi"] "cb1"]"#)
            #expect(try await bob.readText() == #"[:ok "cb1"]"#)
            let said = #"[[[:chat/said {:from "bob", :text "hi"}]] nil]"#
            #expect(try await bob.readText() == said)
            #expect(try await ann.readText() == said)
            try await bob.sendText("[[:chat/tell 1] nil]")
            #expect(try await ann.readText() == "[[[:chat/tell 1]] nil]")
            try await bob.sendText(#"[[:chat/fail] "cb2"]"#)
            try await bob.sendText(#"[[:a/b 2] "cb3"]"#)
            #expect(try await bob.readText() == #"[["b" [:a/b 2]] "cb3"]"#)
            router.stop()
        }
    }

    @Test("Coming and going is told, with the request it began with")
    func comingAndGoing() async throws {
        try await withServer(.sente, Self.named, { $0.sente.reconnectGrace = .milliseconds(20) }) {
            socket, port in
            let messages = socket.chRecv.messages
            let (client, _) = try await AsyncRawClient.webSocket(port: port, "/chsk?client-id=a&user=ann")
            try await client.sendText("[[:chsk/ws-ping] nil]")
            try await client.sendText("[[:plain] nil]")
            try await client.sendClose(1000)
            var seen: [String] = []
            for await message in messages {
                #expect(message.uid == "ann")
                #expect((message.request?.path == "/chsk") == (message.id != "chsk/uidport-close"))
                seen.append(message.event.description)
                if message.id == "chsk/uidport-close" { break }
            }
            #expect(
                seen == [
                    "[:chsk/connected]", #"[:chsk/uidport-open "ann"]"#, "[:chsk/ws-ping]",
                    "[:chsk/bad-event [:plain]]", "[:chsk/disconnected]", #"[:chsk/uidport-close "ann"]"#,
                ])
            #expect(await socket.connectedUIDs.any.isEmpty)
        }
    }

    @Test("Requests are refused as Sente refuses them, and by what the server's user says")
    func refusals() async throws {
        var service = ServerService()
        service.csrfToken = { $0.parameter("lost") == nil ? "good" : nil }
        service.authenticate = { $0.header("Authorization") == "Bearer yes" }
        service.userID = { $0.parameter("user").map { .string($0) } }
        service.authorize = { _, uid in uid != "eve" }
        try await withServer(.sente, service, { $0.sente.path = "/chsk" }) { _, port in
            let yes = "Authorization: Bearer yes\r\n"
            let rows: [(target: String, headers: String, status: String)] = [
                ("/other?client-id=a&csrf-token=good", yes, "404"), ("/chsk?csrf-token=good", yes, "500"),
                ("/chsk?client-id=%20&csrf-token=good", yes, "500"), ("/chsk?client-id=a", yes, "403"),
                ("/chsk?client-id=a&csrf-token=good&lost=1", yes, "403"),
                ("/chsk?client-id=a&csrf-token=good", "", "401"),
                ("/chsk?client-id=a&csrf-token=good&user=eve", yes, "403"),
                ("/chsk?client-id=a&csrf-token=good&user=ann", yes, "101"),
                ("/chsk?client-id=a", "X-CSRF-Token: good\r\n" + yes, "101"),
                ("/chsk?client-id=a", "X-XSRF-Token: good\r\n" + yes, "101"),
            ]
            for row in rows {
                let head = try await AsyncRawClient.upgrade(port: port, row.target, row.headers)
                #expect(head.dropFirst(9).hasPrefix(row.status), "\(row)")
            }
        }
    }

    @Test("In sente-lite's vectors users are connections, and events have no answers")
    func vectors() async throws {
        try await withServer(.vectors) { socket, port in
            let messages = socket.chRecv.messages
            let (client, greeting) = try await AsyncRawClient.webSocket(port: port)
            #expect(greeting.hasPrefix(#"[:chsk/handshake ["conn-"#))
            try await client.sendText(#"[[:chat/say "hi"] "cb"]"#)
            for await message in messages where message.id == "chat/say" {
                #expect(message.reply == nil)
                #expect(await socket.connectedUIDs.ws == [message.uid])
                try socket.sendFn(message.uid, [.keyword("chat/said"), message.data])
                break
            }
            #expect(try await client.readText() == #"[:chat/said "hi"]"#)
            try socket.broadcast([.keyword("chat/all")])
            #expect(try await client.readText() == "[:chat/all]")
            try socket.sendFn("nobody", [.keyword("a/b")])
        }
    }

    @Test("What is no event or cannot be said is refused at the call")
    func unfit() async throws {
        let socket = try makeChannelSocketServer()
        for event in [1, [], [.keyword("plain")], ["a/b"], [.keyword("a/b"), 1, 2]] as [Value] {
            let error = #expect(throws: ServerEventError.self) { try socket.sendFn("u", event) }
            #expect(error?.description.contains("is no event") == true)
            #expect(throws: ServerEventError.self) { try socket.broadcast(event) }
        }
        let error = #expect(throws: ServerEventError.self) {
            try socket.sendFn("u", [.keyword("a/b"), .keyword("no keyword")])
        }
        #expect(error?.description.contains("cannot be written") == true)
        #expect(throws: LinkFailure.self) { try makeChannelSocketServer(ServerConfiguration()) }
        #expect(await socket.connectedUIDs == ConnectedUIDs())
    }

    @Test(
        "The hook answers callbacks in Sente and sends events in vectors, and sees no event of the server's own"
    )
    func hook() async throws {
        for dialect in [ServerConfiguration.Dialect.vectors, .sente] {
            var configuration = ServerConfiguration(dialect)
            configuration.port = 0
            let server = try ReferenceServer(configuration) { _, event in
                #expect(event[0]?.keywordValue?.namespace == "a")
                return event[0] == .keyword("a/none") ? nil : [.keyword("a/seen"), event[1] ?? .null]
            }
            let port = try await server.start()
            let (client, _) = try await AsyncRawClient.webSocket(port: port, "/?client-id=c")
            try await client.sendText(dialect == .sente ? #"[[:a/none] "x"]"# : "[:a/none]")
            try await client.sendText(#"[[:a/b 1] "cb"]"#)
            #expect(
                try await client.readText() == (dialect == .sente ? #"[[:a/seen 1] "cb"]"# : "[:a/seen 1]"))
            if dialect == .sente {
                try await client.sendText("[[:a/b 2] nil]")
                #expect(try await client.readText() == "[[[:a/seen 2]] nil]")
            }
            await server.stop()
        }
    }
}
