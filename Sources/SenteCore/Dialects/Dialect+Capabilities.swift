// SPDX-License-Identifier: Apache-2.0

/// What a dialect can do.
package struct Capabilities: Hashable, Sendable {
    /// The server answers a publish.
    package var acknowledgesPublish: Bool
    /// An application event can carry a callback id that its answer names.
    package var answersEvents: Bool
    /// Some answers do not say what they answer, a pong not its ping either: they come in order.
    package var answersInOrder: Bool
    /// The answer to a subscription brings what the server kept of the channel.
    package var retainsMessages: Bool

    package init(
        acknowledgesPublish: Bool, answersEvents: Bool, answersInOrder: Bool, retainsMessages: Bool
    ) {
        self.acknowledgesPublish = acknowledgesPublish
        self.answersEvents = answersEvents
        self.answersInOrder = answersInOrder
        self.retainsMessages = retainsMessages
    }
}

extension Dialect {
    package var capabilities: Capabilities {
        switch self {
        case .senteLiteMaps:
            Capabilities(
                acknowledgesPublish: true, answersEvents: false, answersInOrder: false, retainsMessages: true)
        case .senteLiteVectors:
            Capabilities(
                acknowledgesPublish: false, answersEvents: true, answersInOrder: true, retainsMessages: false)
        case .sente:
            Capabilities(
                acknowledgesPublish: false, answersEvents: true, answersInOrder: false, retainsMessages: false
            )
        case .nats:
            // What comes in order is told apart by the coder, which knows what each PING was for.
            Capabilities(
                acknowledgesPublish: true, answersEvents: false, answersInOrder: false, retainsMessages: false
            )
        }
    }
}
