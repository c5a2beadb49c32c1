// SPDX-License-Identifier: Apache-2.0

// A chat for iOS 17 and macOS 14, to be copied into an app of Xcode that has the package SenteLite.
//
// It was run on no machine of Apple's: none was at hand. `.ci/apple/check` type checks it on Linux. It is no target of the package,
// which builds there.

import SenteLite
import SwiftUI

@main
struct ChatApp: App {
    @State private var chat = Chat(url: "ws://127.0.0.1:3000/")

    var body: some Scene {
        WindowGroup { ChatView(chat: chat) }
    }
}

/// One line of the chat, as it travels.
struct Line: Codable, Sendable {
    var name: String
    var text: String
}

/// What the views show, and what they can have done.
@MainActor
@Observable
final class Chat {
    static let channel = "chat"

    let model: ConnectionModel
    let name = "guest \(Int.random(in: 100..<1_000))"
    /// Why the last line did not go out.
    private(set) var problem: String?
    private(set) var names: [String] = []

    init(url: String) {
        do {
            let client = try SenteClient(url)
            // Begins to connect, and waits for nothing: the model shows how it goes.
            client.reconnect()
            model = ConnectionModel(client)
        } catch {
            preconditionFailure("The URL is written in ChatApp, and it is wrong: \(error)")
        }
    }

    var lines: [Line] {
        model.messages(in: Self.channel).compactMap { try? $0.decode(Line.self) }
    }

    /// Ends with the view's task.
    func follow() async {
        do throws(SenteError) {
            try await model.follow(Self.channel)
            let presence = try await model.client.presence(in: Self.channel, as: String.self)
            try presence.enter(name)
            for await change in presence.changes {
                names = change.members.compactMap { try? $0.get() }
            }
        } catch {
            problem = error.message
        }
    }

    func say(_ text: String) async {
        do throws(SenteError) {
            try await model.client.publish(encoding: Line(name: name, text: text), to: Self.channel)
            problem = nil
        } catch {
            problem = error.message
        }
    }
}
