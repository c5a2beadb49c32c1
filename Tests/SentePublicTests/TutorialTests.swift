// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite
import SenteTestKit
import Testing

/// The chat that *Getting started* ends in; `DocumentationTests` compares it with the page, so change both.
@Suite("The tutorial")
struct TutorialTests {
    struct Line: Codable, Sendable {
        var name: String
        var text: String
    }

    /// One side of the conversation.
    struct Chat: Sendable {
        let client: SenteClient
        let name: String

        /// What is said, as lines to show.
        func lines() async throws(SenteError) -> AsyncCompactMapSequence<Subscription, String> {
            try await client.subscribe("chat").compactMap { message in
                guard let line = try? message.decode(Line.self) else { return nil }
                let gap = message.gap.map { "· away for \($0.duration), lines may be missing\n" } ?? ""
                return gap + "\(line.name): \(line.text)"
            }
        }

        /// Says a line; returns what went wrong, if anything did.
        func say(_ text: String) async -> String? {
            do throws(SenteError) {
                try await client.publish(encoding: Line(name: name, text: text), to: "chat")
                return nil
            } catch {
                return "· “\(text)” did not go out: \(error)"
            }
        }
    }

    /// To be compiled; never called.
    static func talks() async throws {
        let client = try SenteClient("ws://127.0.0.1:3000/")
        client.onStateChange { old, new in print("· \(old.state) → \(new.state)") }
        try await client.connect()

        let chat = Chat(client: client, name: CommandLine.arguments.dropFirst().first ?? "guest")
        let listening = Task {
            for await line in try await chat.lines() { print(line) }
        }

        // `readLine` blocks, so it gets a thread of its own.
        let typed = AsyncStream<String> { continuation in
            Thread.detachNewThread {
                while let text = readLine() { continuation.yield(text) }
                continuation.finish()
            }
        }

        for await text in typed {
            if let trouble = await chat.say(text) { print(trouble) }
        }

        listening.cancel()
        await client.disconnect()
    }

    @Test func whatIsSaidInAnOutageArrivesAfterIt() async throws {
        let world = TestWorld()
        world.server.makeChannel("chat")
        let ann = Chat(client: try world.client(), name: "Ann")
        try await world.run {
            try await ann.client.connect()
            var heard = try await ann.lines().makeAsyncIterator()
            world.server.restarts(after: .seconds(10))
            try await world.run(until: "the outage") { ann.client.state == .reconnecting }
            #expect(await ann.say("are you there?") == nil)
            let line = await heard.next()
            #expect(line?.hasPrefix("· away for") == true)
            #expect(line?.hasSuffix("Ann: are you there?") == true)
        }
    }
}
