// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// A durable message, as an ``OutboxStore`` keeps it.
public struct StoredMessage: Sendable, Hashable, Identifiable {
    /// What is sent.
    public enum Content: Sendable, Hashable {
        /// `publish(_:to:)`
        case publish(Value, channel: String, excludeSender: Bool)
        /// `request(_:on:)`; `limit` in milliseconds is how long the server waits for the service.
        case request(Value, channel: String, limit: Int64)
        /// `send(_:)`, or `send(_:timeout:)` where it wants a reply.
        case event(Event, wantsReply: Bool)
    }

    /// The client's id of it, which no other message has: the `message-id` that servers see.
    public var id: String
    /// Whose it is: the `clientID` of the client that took it.
    public var clientID: String
    /// What is sent.
    public var content: Content
    /// What it goes before.
    public var priority: SendOptions.Priority

    /// Makes a message.
    public init(
        id: String, clientID: String, content: Content, priority: SendOptions.Priority = .normal
    ) {
        self.id = id
        self.clientID = clientID
        self.content = content
        self.priority = priority
    }
}

/// What became of a durable message, in the end.
public struct StoredOutcome: Sendable, Hashable {
    /// The message.
    public var message: StoredMessage
    /// What became of it; *unknown* where the server read it and gave no answer.
    public var outcome: Outcome
    /// Why it was not sent, or what the server answered instead of yes.
    public var error: SenteError?

    /// Makes an outcome.
    public init(message: StoredMessage, outcome: Outcome, error: SenteError? = nil) {
        self.message = message
        self.outcome = outcome
        self.error = error
    }
}

// MARK: As a value

extension StoredMessage {
    /// The message as a map, which every binary or text format but plain JSON can write; for stores of one's own.
    public var value: Value {
        var map: ValueMap = [
            "id": Value(id), "client": Value(clientID), "priority": Value(priority.rawValue),
        ]
        switch content {
        case .publish(let data, let channel, let excludeSender):
            map["publish"] = Value(channel)
            map["data"] = data
            map["exclude-sender"] = Value(excludeSender)
        case .request(let data, let channel, let limit):
            map["request"] = Value(channel)
            map["data"] = data
            map["limit"] = Value(limit)
        case .event(let event, let wantsReply):
            map["event"] = .keyword(event.id)
            map["data"] = event.data
            map["wants-reply"] = Value(wantsReply)
        }
        return .map(map)
    }

    /// The message that a value says; nil when it says none.
    public init?(_ value: Value) {
        guard let id = value["id"]?.stringValue, let client = value["client"]?.stringValue,
            let priority = value["priority"]?.stringValue.flatMap(SendOptions.Priority.init(rawValue:))
        else { return nil }
        let data = value["data"] ?? .null
        if let channel = value["publish"]?.stringValue {
            content = .publish(
                data, channel: channel, excludeSender: value["exclude-sender"]?.boolValue ?? false)
        } else if let channel = value["request"]?.stringValue, let limit = value["limit"]?.integerValue {
            content = .request(data, channel: channel, limit: limit)
        } else if let event = value["event"]?.keywordValue {
            content = .event(
                Event(id: event, data: data), wantsReply: value["wants-reply"]?.boolValue ?? false)
        } else {
            return nil
        }
        self.id = id
        clientID = client
        self.priority = priority
    }
}

extension StoredMessage {
    /// What a client says, as a store keeps it; nil for what is not the app's.
    init?(_ outbound: Outbound, _ options: SendOptions, _ awaited: Awaited, id: String, clientID: String) {
        let content: Content? =
            switch outbound {
            case .publish(let channel, let data, let excludeSender):
                .publish(data, channel: channel, excludeSender: excludeSender)
            case .request(let channel, let data, let limit): .request(data, channel: channel, limit: limit)
            case .event(let event, _): .event(event, wantsReply: awaited == .reply)
            case .subscribe, .unsubscribe, .answer, .ping, .pong, .listChannels, .listSubscriptions,
                .flow, .identified, .traced, .headed, .jetStream:
                nil
            }
        guard let content else { return nil }
        self.init(id: id, clientID: clientID, content: content, priority: options.priority)
    }

    /// The command that sends it in a later life.
    func restoring(as call: CallID) -> Command {
        let (outbound, awaited): (Outbound, Awaited) =
            switch content {
            case .publish(let data, let channel, let excludeSender):
                (.publish(channel: channel, data: data, excludeSender: excludeSender), .reply)
            case .request(let data, let channel, let limit):
                (.request(channel: channel, data: data, limit: limit), .reply)
            case .event(let event, let wantsReply): (.event(event), wantsReply ? .reply : .written)
            }
        return .restore(
            call,
            Submission(
                outbound, options: SendOptions(priority: priority, durable: true), awaits: awaited, id: id))
    }
}
