// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// A channel's message and what it says, as a type of your own.
///
/// A message of another shape is delivered too: as an error.
public struct TypedMessage<T: Sendable>: Sendable {
    /// The message as it came.
    public let message: ChannelMessage
    /// What it says, or `decodingFailed` with what does not fit in `underlying`.
    public let value: Result<T, SenteError>

    /// What it says.
    ///
    /// - Throws: `decodingFailed`, with what does not fit in `underlying`.
    public func get() throws(SenteError) -> T { try value.get() }
}

/// An event and what it carries, as a type of your own.
///
/// An event of another shape is delivered too: as an error.
public struct TypedEvent<T: Sendable>: Sendable {
    /// The event as it came.
    public let event: Event
    /// What it carries, or `decodingFailed` with what does not fit in `underlying`.
    public let value: Result<T, SenteError>

    /// What it carries.
    ///
    /// - Throws: `decodingFailed`, with what does not fit in `underlying`.
    public func get() throws(SenteError) -> T { try value.get() }
}

extension TypedMessage where T: Decodable {
    /// Decodes a message; one that is no `T` is counted.
    init(_ message: ChannelMessage, counting submissions: SubmissionQueue?) {
        self.init(message: message, value: message.data.result(counting: submissions))
    }
}

extension TypedEvent where T: Decodable {
    /// Decodes an event; one that is no `T` is counted.
    init(_ event: Event, counting submissions: SubmissionQueue?) {
        self.init(event: event, value: event.data.result(counting: submissions))
    }
}
