// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite

/// One side of the conversation.
struct Chat {
    private let client: ChannelSocketClient
    private let screen: Screen
    private let conversation: StepHandler<Conversation>

    init(_ settings: ChatSettings) throws(SenteError) {
        var configuration = SenteClient.Configuration()
        configuration.parameters = ["user": settings.name]
        let screen = Screen(name: settings.name)
        self.screen = screen
        conversation = StepHandler(
            state: Conversation(name: settings.name),
            outputs: .init(custom: { value in
                guard var line = Conversation.Line(value) else { return }
                line.name = line.name.printable
                line.text = line.text.printable
                screen.show(line)
            }), step: Conversation.step)
        client = try makeChannelSocketClient(settings.url, configuration: configuration)
    }

    /// Returns after `/quit`, the end of input, or when the client gave up.
    func run() async throws(SenteError) {
        startRouter(client.chRecv, conversation)
        screen.showPrompt()
        let (endings, ending) = AsyncStream.makeStream(of: SenteError?.self)
        let input = Task {
            for await line in Self.lines() {
                guard await perform(line) else { break }
            }
            ending.yield(nil)
        }
        client.errors.onError { report in
            guard report.context.operation == .giveUp else { return }
            ending.yield(report.error as? SenteError)
        }
        for await error in endings {
            input.cancel()
            _ = try? client.sendFn(Event("chat/bye"))
            await client.chsk.client.disconnect()
            screen.end()
            if let error { throw error }
            return
        }
    }

    /// False when that was the last line.
    private func perform(_ line: String) async -> Bool {
        screen.lineWasTyped()
        switch line {
        case "": break
        case "/quit": return false
        case "/reconnect": client.chsk.reconnect()
        case "/break": client.chsk.breakConnection()
        case "/people":
            let people = await conversation.state.people.map(\.printable).sorted()
            screen.show(text: people.isEmpty ? "Nobody yet." : people.joined(separator: ", "))
        case _ where line.hasPrefix("/"):
            screen.show(text: "/people, /reconnect, /break, /quit: nothing else begins with a slash.")
        default: say(line)
        }
        return true
    }

    /// What is not acknowledged in ten seconds is told; it waits in the outbox while there is no connection.
    private func say(_ text: String) {
        do {
            let result = try client.sendFn(
                Event("chat/say", [.keyword("text"): Value(text)]), timeout: .seconds(10)
            ) { [screen] reply in
                guard reply.isError else { return }
                screen.show(Conversation.Line(.trouble, "not delivered: \(text) (\(reply.reason))"))
            }
            if case .queued = result { screen.show(Conversation.Line(.connection, "waits: \(text)")) }
        } catch {
            screen.show(Conversation.Line(.trouble, error.description))
        }
    }

    /// Lines of standard input; a thread of its own waits for them.
    private static func lines() -> AsyncStream<String> {
        AsyncStream { continuation in
            Thread.detachNewThread {
                while let line = readLine() { continuation.yield(line) }
                continuation.finish()
            }
        }
    }
}

extension SendReply {
    /// Why there is no answer.
    fileprivate var reason: String {
        switch self {
        case .value: "answered"
        case .closed: "not connected"
        case .timeout: "no answer in time"
        case .error(let error): error.message
        }
    }
}
