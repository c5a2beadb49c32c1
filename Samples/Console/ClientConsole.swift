// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions
import SampleTerminal
import SenteLite

/// Carries out the commands of standard input, and prints whatever happens.
@available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
struct ClientConsole: Sendable {
    private let client: SenteClient
    private let output: Output
    private let inOrder = OrderedExecutor()
    private let responders = Responders()
    private let streams: ClientStreams
    /// Where durable messages are kept; nil for nowhere.
    private let outbox: FileOutboxStore?

    init(_ client: SenteClient, outbox: FileOutboxStore?, _ output: Output) {
        self.client = client
        self.outbox = outbox
        self.output = output
        streams = ClientStreams(client, output)
    }

    /// Returns after `quit`, a signal or, unless it is to stay, the end of input, when the client has disconnected.
    func run(connects: Bool, stays: Bool) async {
        let printed = printStates()
        output.begin(client.status)
        let events = client.events
        let eventPrinter = Task {
            for await event in events {
                output.write(.event, ["id": Value(event.id.text), "data": event.data])
            }
        }
        let stored = outbox.map { outbox in
            let outcomes = outbox.outcomes
            return Task {
                for await outcome in outcomes { output.write(stored: outcome) }
            }
        }
        let (endings, ending) = AsyncStream.makeStream(of: Void.self)
        let opening = Task(executorPreference: inOrder) {
            if connects { await perform(.connect(limit: nil), line: nil) }
        }
        let commands = Task {
            let hasQuit = await perform(InputLines { [output] line in output.typed(line) })
            if hasQuit || !stays { ending.yield() }
        }
        let termination = Termination { _ in ending.yield() }
        defer { termination.stopListening() }
        for await _ in endings { break }
        opening.cancel()
        commands.cancel()
        await client.disconnect()
        // Closures run after the calls that caused them; nothing is to be missing at the end.
        let last = client.status
        for await status in printed where status == last { break }
        eventPrinter.cancel()
        stored?.cancel()
    }

    /// Prints the states from now on; the last status printed.
    private func printStates() -> AsyncStream<ConnectionStatus> {
        let (printed, printing) = AsyncStream.makeStream(
            of: ConnectionStatus.self, bufferingPolicy: .bufferingNewest(1))
        printing.yield(client.status)
        client.onStateChange { [output] old, new in
            output.write(change: new, from: old)
            printing.yield(new)
        }
        return printed
    }

    // MARK: Commands

    /// Whether `quit` was among the lines.
    private func perform(_ input: InputLines) async -> Bool {
        await withDiscardingTaskGroup { group in
            var number = 0
            var heard: Set<WireName> = []
            for await text in input.lines {
                number += 1
                input.taken()
                let line = number
                do {
                    guard let command = try Command(text.get()) else { continue }
                    if command == .quit { return true }
                    guard await prepare(command, line: line, heard: &heard) else { continue }
                    if command.runsBeside {
                        group.addTask(executorPreference: inOrder) { await perform(command, line: line) }
                    } else {
                        await withTaskExecutorPreference(inOrder) { await perform(command, line: line) }
                    }
                } catch {
                    output.write(error, line: line)
                }
            }
            return false
        }
    }

    /// What must stand before the command is carried out; whether there is anything left to do then.
    ///
    /// It is done here because a task of the executor that waits for something else loses its turn.
    private func prepare(_ command: Command, line: Int, heard: inout Set<WireName>) async -> Bool {
        switch command {
        case .subscribe(let channel, .now):
            // Before subscribing, so that what the server kept is heard.
            guard heard.insert(WireName(channel)).inserted else { return true }
            client.onMessage(in: channel) { [output] message in output.write(message: message) }
        case .unsubscribe(let channel):
            await responders.remove(WireName(channel))
        case .respond(let channel, let answer):
            guard await responders.set(answer, for: WireName(channel)) == false else { return true }
            output.write(outcomeOf: command.name, line: line, ["channel": Value(channel), "data": answer])
            return false
        case _ where command.options?.durable == true && outbox == nil:
            output.write(
                UsageError(
                    "A durable message needs a place: start the console with --outbox DIRECTORY and --client-id TEXT."
                ), line: line, command: command.name)
            return false
        default: break
        }
        return true
    }

    private func perform(_ command: Command, line: Int?) async {
        do {
            switch command {
            case .state: output.write(state: client.status, line: line)
            case .status: output.write(status: client, line: line)
            case .metrics: output.write(metrics: client.metrics, line: line)
            case .help: output.write(.status, ["line": line.map { Value($0) }, "commands": Self.help])
            case .reconnect: client.reconnect()
            case .wait(let duration): try await Task.sleep(for: duration)
            case .quit: break
            case .streams:
                output.write(.status, ["line": line.map { Value($0) }, "streams": await streams.list()])
            case .connect, .disconnect, .subscribe, .unsubscribe, .publish, .request, .respond, .send,
                .event, .upload, .download:
                try await call(command, line: line)
            }
        } catch {
            // A wait that a signal cut short, and an opening that the end did: no errors.
            if Task.isCancelled, error is CancellationError || line == nil { return }
            output.write(error, line: line, command: command.name)
        }
    }

    private static var help: Value { Value(Command.forms.map { Value($0.form) }) }

    /// What the server has to do with.
    private func call(_ command: Command, line: Int?) async throws {
        var result: KeyValuePairs<String, Value?> = [:]
        switch command {
        case .connect(let limit):
            try await client.connect(timeout: limit)
            let identity = client.status.identity
            result = ["connection": identity?.connectionID.map { Value($0) }, "uid": identity?.uid]
        case .disconnect:
            await client.disconnect()
        case .subscribe(let channel, .now):
            let subscription = try await client.subscribe(channel)
            result = ["channel": Value(channel), "confirmed": Value(subscription.isConfirmed)]
        case .subscribe(let channel, let start):
            let subscription = try await client.subscribe(channel, from: start)
            // Until it is unsubscribed, or the client is gone.
            Task { [output] in for await message in subscription { output.write(message: message) } }
            result = ["channel": Value(channel), "confirmed": Value(subscription.isConfirmed)]
        case .unsubscribe(let channel):
            try await client.unsubscribe(channel)
            result = ["channel": Value(channel)]
        case .publish(let channel, let data, let options, let isStored):
            let receipt =
                isStored
                ? try await client.publish(data, to: channel, stored: .once, options: options)
                : try await client.publish(data, to: channel, options: options)
            result = [
                "channel": Value(channel), "outcome": Value(receipt.outcome.rawValue),
                "id": receipt.messageID.map { Value($0) },
                "deliveredTo": receipt.deliveredTo.map { Value($0) },
            ]
        case .request(let channel, let data, let limit, let options):
            return try await request(data, on: channel, limit: limit, options, line: line)
        case .respond(let channel, let answer):
            try await respond(on: channel)
            result = ["channel": Value(channel), "data": answer]
        case .send(let event, let options), .event(let event, nil, let options):
            try await client.send(event, options: options)
            result = ["id": Value(event.id.text), "outcome": Value(Outcome.written.rawValue)]
        case .event(let event, let limit?, let options):
            return try await ask(event, limit: limit, options, line: line)
        case .upload(let file, let channel):
            let receipt = try await streams.upload(file, to: channel)
            result = [
                "file": Value(file), "bytes": Value(Int64(clamping: receipt.bytes)), "answer": receipt.answer,
            ]
        case .download(let name, let folder):
            result = ["file": Value(try await streams.download(name, to: folder).path)]
        case .streams, .state, .status, .metrics, .help, .reconnect, .wait, .quit: return
        }
        output.write(outcomeOf: command.name, line: line, result)
    }

    private func ask(
        _ event: Event, limit: Duration, _ options: SendOptions, line: Int?
    ) async throws {
        let began = ContinuousClock.now
        let answer = try await client.send(event, timeout: limit, options: options)
        output.write(
            .reply,
            [
                "line": line.map { Value($0) }, "id": Value(event.id.text), "data": answer,
                "took": Value(began.duration(to: .now).milliseconds),
            ])
    }

    private func request(
        _ data: Value, on channel: String, limit: Duration?, _ options: SendOptions, line: Int?
    ) async throws {
        let began = ContinuousClock.now
        let answer = try await client.request(data, on: channel, timeout: limit, options: options)
        output.write(
            .reply,
            [
                "line": line.map { Value($0) }, "channel": Value(channel), "data": answer,
                "took": Value(began.duration(to: .now).milliseconds),
            ])
    }

    private func respond(on channel: String) async throws {
        do {
            let registration = try await client.respond(on: channel) { [output, responders] data in
                let answer = await responders.answer(for: WireName(channel))
                output.write(.request, ["channel": Value(channel), "data": data, "answer": answer])
                return answer
            }
            await responders.keep(registration, for: WireName(channel))
        } catch {
            await responders.remove(WireName(channel))
            throw error
        }
    }
}
