// SPDX-License-Identifier: Apache-2.0

public import SenteWire

/// What a step function wants done, as data.
public enum StepOutput: Sendable, Hashable {
    /// Sends an event to the server.
    case send(Event)
    /// Publishes to a channel, on servers that have channels.
    case publish(Value, channel: String)
    /// A line for a log.
    case log(String)
    /// Something to measure.
    case metrics(Value)
    /// Anything of the app's own.
    case custom(Value)
}

/// A function that knows nothing of sockets: the state and an event in, the new state and what is to be done out.
///
/// It must be pure: the same arguments give the same result. Throwing leaves the state as it was.
public typealias StepFunction<State> =
    @Sendable (_ state: State, _ event: Event) throws -> (state: State, outputs: [StepOutput])

/// A state and the function that moves it on.
package struct StepMachine<State: Sendable>: Sendable {
    package private(set) var state: State
    /// Replaced while running, it goes on with the state as it is.
    package var step: StepFunction<State>

    package init(state: State, step: @escaping StepFunction<State>) {
        self.state = state
        self.step = step
    }

    /// What is to be done.
    package mutating func handle(_ event: Event) throws -> [StepOutput] {
        let (next, outputs) = try step(state, event)
        state = next
        return outputs
    }
}
