// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteTransport
package import SenteWire

/// A small sente-lite server on real sockets, for tests and samples: `ServerSession` on an event loop.
///
/// It can be started again after `stop()`, on the same port or another; every start begins with an empty
/// session, and the faults that were last set for all stay. The loop must live as long as the server is used.
package final class ReferenceServer: Sendable {
    /// Answers a message of unknown type, or an event `[id]` or `[id data]`; nil answers nothing.
    ///
    /// Called on the loop: it must not block.
    package typealias Hook = @Sendable (_ connection: ConnectionID, _ message: Value) -> Value?

    /// The part that changes from start to start; it lives on the loop.
    private final class State {
        var configuration: ServerConfiguration
        var run: LoopBound<ServerRun>?
        var isRunning = false

        init(_ configuration: ServerConfiguration) {
            self.configuration = configuration
        }
    }

    /// The configuration that the server was made with.
    package let configuration: ServerConfiguration
    private let hook: Hook?
    private let service: ServerService
    private let loop: EventLoop
    private let state: LoopBound<State>

    /// Makes a server that is not started.
    ///
    /// Without a loop of its own it lives on the one all links share.
    package init(
        _ configuration: ServerConfiguration = .init(), service: ServerService = .init(),
        on loop: EventLoop? = nil, hook: Hook? = nil
    ) throws(LinkFailure) {
        var configuration = configuration
        if hook != nil || service.onEvent != nil { configuration.hasHook = true }
        let loop = if let loop { loop } else { try EventLoop.shared() }
        self.configuration = configuration
        self.hook = hook
        self.service = service
        self.loop = loop
        state = LoopBound(State(configuration), on: loop)
    }

    deinit {
        loop.post { [state] in
            if state.content.isRunning { state.content.run?.content.stop {} }
        }
    }

    /// Listens, then writes the port file if there is to be one; the real port.
    ///
    /// `port` replaces the configured one from now on. Throws when it runs already, when the port is taken,
    /// and when the port file cannot be written; it does not run then.
    @discardableResult
    package func start(port: Int? = nil) async throws(LinkFailure) -> Int {
        // Loading a library takes longer than the loop should wait.
        if configuration.flow.streaming != nil { _ = DigestLibrary.shared }
        let result = await onLoop { [hook, service, loop] state -> Result<Int, LinkFailure> in
            Self.start(state, port: port, hook: hook, service: service, on: loop)
        }
        let port = try result.get()
        guard let path = configuration.portFile else { return port }
        do throws(LinkFailure) {
            try PortFile.write(port, to: path)
        } catch {
            await stop()
            throw error
        }
        return port
    }

    private static func start(
        _ state: State, port: Int?, hook: Hook?, service: ServerService, on loop: EventLoop
    ) -> Result<Int, LinkFailure> {
        guard !state.isRunning else {
            return .failure(
                LinkFailure(.unavailable, "The server runs already. Stop it before starting it again."))
        }
        if let port { state.configuration.port = port }
        let run = LoopBound(ServerRun(state.configuration, hook: hook, service: service, on: loop), on: loop)
        do throws(LinkFailure) {
            let port = try run.content.start(as: ServerObserver(run))
            state.run = run
            state.isRunning = true
            return .success(port)
        } catch {
            return .failure(error)
        }
    }

    /// Closes every connection with 1001 and returns when all have ended, each within the close limit at
    /// most.
    package func stop() async {
        await withCheckedContinuation { continuation in
            loop.post { [state] in
                guard state.content.isRunning, let run = state.content.run else {
                    return continuation.resume()
                }
                state.content.isRunning = false
                run.content.stop { continuation.resume() }
            }
        }
    }

    /// The server's report of itself; after `stop()`, its last one.
    package var stats: ServerStatistics {
        get async {
            await onLoop { [loop] state in
                state.run?.content.statistics
                    ?? ServerSession(state.configuration, seed: 0).statistics(at: loop.now)
            }
        }
    }

    /// The users who are connected, in the dialects of events.
    package var connectedUIDs: ConnectedUIDs {
        get async {
            await onLoop { $0.run?.content.connectedUIDs ?? ConnectedUIDs() }
        }
    }

    /// The message to every connection, in the dialect of maps with `"broadcast": true`; in Sente an event to every user.
    ///
    /// One that cannot be said is not sent, nor is one that is no map in the dialect of maps.
    package func broadcast(_ message: Value) async { await perform(.broadcast(message)) }

    /// Any message to one connection, unchanged.
    package func send(_ message: Value, to id: ConnectionID) async { await perform(.send(message, to: id)) }

    /// Any message to the connection with this conn-id, unchanged; whether there is one.
    @discardableResult
    package func send(_ message: Value, to name: String) async -> Bool {
        await onLoop { state in
            guard let run = state.run?.content, let id = run.connection(named: name) else { return false }
            run.perform(.send(message, to: id))
            return true
        }
    }

    /// A message to a channel's subscribers, with no sender.
    package func publish(_ data: Value, to channel: String) async {
        await perform(.publish(data, channel: channel))
    }

    /// Makes a channel; one that exists keeps its configuration.
    ///
    /// Nil: the defaults.
    package func createChannel(_ name: String, _ configuration: ChannelConfiguration? = nil) async {
        await perform(.createChannel(name, configuration))
    }

    /// Deletes a channel and all its subscriptions.
    package func deleteChannel(_ name: String) async { await perform(.deleteChannel(name)) }

    /// Closes one connection, or all.
    package func close(_ id: ConnectionID? = nil, _ code: CloseCode, reason: String = "") async {
        await perform(.close(id, code, reason: reason))
    }

    /// Drops one connection, or all, without a close frame.
    package func drop(_ id: ConnectionID? = nil) async { await perform(.drop(id)) }

    /// Sets the faults of one connection, or of all, those to come and later starts included.
    package func setFaults(_ faults: Faults, for id: ConnectionID? = nil) async {
        await perform(.setFaults(faults, for: id))
    }

    /// The faults of all connections.
    package var faults: Faults {
        get async { await onLoop { $0.configuration.faults } }
    }

    /// Performs a command and returns when it is done.
    ///
    /// Nothing happens while the server does not run, but for faults.
    package func perform(_ command: ServerCommand) async {
        await onLoop { state in
            if case .setFaults(let faults, nil) = command { state.configuration.faults = faults }
            if state.isRunning { state.run?.content.perform(command) }
        }
    }

    /// Performs a command soon, in the order of the calls.
    func post(_ command: ServerCommand) {
        loop.post { [state] in
            if state.content.isRunning { state.content.run?.content.perform(command) }
        }
    }

    /// Does something about streams; nil while the server does not run.
    @discardableResult
    package func withStreams<R: Sendable>(
        _ body:
            @escaping @Sendable (
                inout StreamDesk, inout ServerSession, Moment, inout [ServerEffect]
            ) -> R
    ) async -> R? {
        await onLoop { state in state.isRunning ? state.run?.content.withStreams(body) : nil }
    }

    private func onLoop<Result: Sendable>(_ body: @escaping @Sendable (State) -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            loop.post { [state] in continuation.resume(returning: body(state.content)) }
        }
    }
}
