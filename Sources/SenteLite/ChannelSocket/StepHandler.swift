// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// Puts a pure step function to work: it keeps the state, and does what the outputs say.
///
/// ```swift
/// let chat = StepHandler(state: 0) { count, event in
///     (count + 1, [.send(Event("chat/read", ["number": Value(count)]))])
/// }
/// startRouter(client.chRecv, ["chat/said": chat.handler])
/// await chat.replace { count, event in (count, []) }
/// ```
///
/// Events are handled one after the other: in the order they came when a router is started with the step handler
/// alone, in the order of each id when it stands in a table. What the function throws goes to the error channel, and the
/// state stays as it was.
public actor StepHandler<State: Sendable> {
    /// Does what is not the socket's to do.
    public struct Outputs: Sendable {
        /// Gets the lines of `StepOutput.log`.
        public var log: @Sendable (String) -> Void
        /// Gets the data of `StepOutput.metrics`.
        public var metrics: @Sendable (Value) -> Void
        /// Gets the data of `StepOutput.custom`.
        public var custom: @Sendable (Value) -> Void

        /// Makes outputs; each that is left out does nothing.
        public init(
            log: @escaping @Sendable (String) -> Void = { _ in },
            metrics: @escaping @Sendable (Value) -> Void = { _ in },
            custom: @escaping @Sendable (Value) -> Void = { _ in }
        ) {
            self.log = log
            self.metrics = metrics
            self.custom = custom
        }
    }

    private var machine: StepMachine<State>
    private let outputs: Outputs

    /// Begins with a state.
    public init(state: State, outputs: Outputs = Outputs(), step: @escaping StepFunction<State>) {
        machine = StepMachine(state: state, step: step)
        self.outputs = outputs
    }

    /// The state now.
    public var state: State { machine.state }

    /// Takes another function from the next event on; the state stays.
    public func replace(_ step: @escaping StepFunction<State>) {
        machine.step = step
    }

    /// For one id of a router's table.
    public nonisolated var handler: EventHandler {
        { message in try await self.handle(message) }
    }

    /// Runs the function for an event, and does what it says.
    ///
    /// - Throws: What the function throws, and what an event or message that cannot be sent throws.
    public func handle(_ message: EventMessage) throws {
        for output in try machine.handle(message.event) {
            switch output {
            case .send(let event): try message.sendFn(event)
            case .publish(let data, let channel): try message.publish(data, to: channel)
            case .log(let text): outputs.log(text)
            case .metrics(let data): outputs.metrics(data)
            case .custom(let data): outputs.custom(data)
            }
        }
    }
}

extension EventMessage {
    /// Publishes without waiting, in the order of the calls; a failure goes to the error channel.
    fileprivate func publish(_ data: Value, to channel: String) throws(SenteError) {
        let client = socket.client
        _ = try client.enqueue(
            .publish(channel: channel, data: data, excludeSender: false),
            limit: client.configuration.timeouts.request, awaits: .reply,
            DeliveryResult { [hub = socket.hub] result in
                guard case .failure(let error) = result else { return }
                hub.reportLater(error, .send, event: Event("sente-lite/publish", data))
            })
    }
}
