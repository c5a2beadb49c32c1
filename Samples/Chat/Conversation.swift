// SPDX-License-Identifier: Apache-2.0

public import SenteLite

/// What is known of a conversation; it moves on with each event, and knows nothing of sockets or terminals.
///
/// It is public, so that its tests need no more than an app's own.
public struct Conversation: Sendable {
    /// What is to be shown.
    public struct Line: Sendable, Equatable {
        /// What a line is about.
        public enum Kind: String, Sendable {
            /// Somebody said something.
            case said
            /// Somebody came or went.
            case notice
            /// Something about this side's connection.
            case connection
            /// Something went wrong.
            case trouble
        }

        /// What it is about.
        public var kind: Kind
        /// Who it is about; empty for nobody.
        public var name = ""
        /// What was said or is to be known.
        public var text: String

        /// As a step's output carries it.
        var value: Value { [Value(kind.rawValue), Value(name), Value(text)] }

        /// Makes a line.
        public init(_ kind: Kind, _ text: String, by name: String = "") {
            self.kind = kind
            self.name = name
            self.text = text
        }

        /// Reads one from a step's output; nil if it is none.
        public init?(_ value: Value) {
            guard let kind = value[0]?.stringValue.flatMap(Kind.init(rawValue:)) else { return nil }
            self.init(kind, value[2]?.stringValue ?? "", by: value[1]?.stringValue ?? "")
        }
    }

    /// What this side is called.
    public let name: String
    /// Who was heard of.
    public private(set) var people: Set<String> = []

    /// Makes one that nobody has been heard in.
    public init(name: String) {
        self.name = name
    }

    /// The step function: an event in, lines and events out.
    public static func step(_ conversation: Conversation, _ event: Event) -> (Conversation, [StepOutput]) {
        var conversation = conversation
        let outputs = conversation.follow(event)
        return (conversation, outputs)
    }

    private mutating func follow(_ event: Event) -> [StepOutput] {
        let who = event.data[Keyword("from")]?.stringValue ?? "somebody"
        switch event.id {
        case "chsk/handshake":
            let isFirst = event.data[3]?.boolValue == true
            return [
                show(.connection, isFirst ? "connected as \(name)" : "connected again"),
                .send(Event("chat/here", [.keyword("new"): Value(isFirst)])),
            ]
        case "chat/say":
            people.insert(who)
            return [show(.said, event.data[Keyword("text")]?.stringValue ?? "", by: who)]
        case "chat/here": return arrived(who, isNew: event.data[Keyword("new")]?.boolValue == true)
        case "chat/bye":
            guard people.remove(who) != nil, who != name else { return [] }
            return [show(.notice, "left", by: who)]
        default: return []
        }
    }

    /// Who was here already answers a newcomer, so that both know of each other.
    private mutating func arrived(_ who: String, isNew: Bool) -> [StepOutput] {
        guard who != name, people.insert(who).inserted else { return [] }
        guard isNew else { return [show(.notice, "is here", by: who)] }
        return [show(.notice, "joined", by: who), .send(Event("chat/here"))]
    }

    private func show(_ kind: Line.Kind, _ text: String, by name: String = "") -> StepOutput {
        .custom(Line(kind, text, by: name).value)
    }
}
