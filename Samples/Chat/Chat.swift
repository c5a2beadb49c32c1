// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal
import SenteLite

/// One side of the conversation.
struct Chat {
    private let client: ChannelSocketClient
    private let output: Output
    private let conversation: StepHandler<Conversation>

    init(_ settings: ChatSettings) throws(SenteError) {
        var configuration = SenteClient.Configuration()
        configuration.parameters = ["user": settings.name]
        let output = Output(name: settings.name)
        self.output = output
        conversation = StepHandler(
            state: Conversation(name: settings.name),
            outputs: .init(custom: { value in
                if let line = Conversation.Line(value) { output.show(line) }
            }), step: Conversation.step)
        client = try makeChannelSocketClient(settings.url, configuration: configuration)
    }

    /// Returns after `/quit`, the end of input, Ctrl-C, or when the client gave up.
    func run() async throws(SenteError) {
        output.begin()
        // The client is connecting already: its first status may be that it failed.
        let states = client.chsk.client.states
        let following = Task { [output] in
            var last: ConnectionStatus?
            for await status in states {
                output.follow(from: last, to: status)
                last = status
            }
        }
        startRouter(client.chRecv, conversation)
        let (endings, ending) = AsyncStream.makeStream(of: SenteError?.self)
        let termination = Termination { _ in ending.yield(nil) }
        defer { termination.stopListening() }
        let input = Task {
            for await line in lines() {
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
            following.cancel()
            _ = try? client.sendFn(Event("chat/bye"))
            await client.chsk.client.disconnect()
            await output.end(failed: error != nil)
            if let error { throw error }
            return
        }
    }

    /// False when that was the last line.
    private func perform(_ line: String) async -> Bool {
        switch line {
        case "": break
        case "/quit": return false
        case "/reconnect": client.chsk.reconnect()
        case "/break": client.chsk.breakConnection()
        case "/people":
            let people = await conversation.state.people.map(\.printable).sorted()
            output.show(text: people.isEmpty ? "Nobody yet." : people.joined(separator: ", "))
        case _ where line.hasPrefix("/"):
            output.show(text: "/people, /reconnect, /break, /quit: nothing else begins with a slash.")
        default: say(line)
        }
        return true
    }

    /// What is not acknowledged in ten seconds is told; it waits in the outbox while there is no connection.
    private func say(_ text: String) {
        do {
            let result = try client.sendFn(
                Event("chat/say", [.keyword("text"): Value(text)]), timeout: .seconds(10)
            ) { [output] reply in
                guard reply.isError else { return }
                output.show(Conversation.Line(.trouble, "not delivered: \(text) (\(reply.reason))"))
            }
            if case .queued = result { output.show(Conversation.Line(.connection, "waits: \(text)")) }
        } catch {
            output.show(Conversation.Line(.trouble, error.description))
        }
    }

    /// Lines of standard input; a thread of its own waits for them.
    private func lines() -> AsyncStream<String> {
        AsyncStream { [output] continuation in
            Thread.detachNewThread {
                while let line = readLine() {
                    output.typed(line)
                    continuation.yield(line)
                }
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
