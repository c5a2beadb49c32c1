// SPDX-License-Identifier: Apache-2.0

/// What a dialect can do.
package struct Capabilities: Hashable, Sendable {
    /// The server answers a publish.
    package var acknowledgesPublish: Bool
    /// An application event can carry a callback id that its answer names.
    package var answersEvents: Bool
    /// Some answers do not say what they answer, a pong not its ping either: they come in order.
    package var answersInOrder: Bool

    package init(acknowledgesPublish: Bool, answersEvents: Bool, answersInOrder: Bool) {
        self.acknowledgesPublish = acknowledgesPublish
        self.answersEvents = answersEvents
        self.answersInOrder = answersInOrder
    }
}

extension Dialect {
    package var capabilities: Capabilities {
        switch self {
        case .senteLiteMaps:
            Capabilities(acknowledgesPublish: true, answersEvents: false, answersInOrder: false)
        case .senteLiteVectors:
            Capabilities(acknowledgesPublish: false, answersEvents: true, answersInOrder: true)
        case .sente:
            Capabilities(acknowledgesPublish: false, answersEvents: true, answersInOrder: false)
        }
    }
}
