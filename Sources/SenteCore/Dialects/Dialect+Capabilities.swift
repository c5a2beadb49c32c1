// SPDX-License-Identifier: Apache-2.0

/// What a dialect can do.
package struct Capabilities: Hashable, Sendable {
    /// The server answers a publish.
    package var acknowledgesPublish: Bool
    /// An application event can carry a callback id that its answer names.
    package var answersEvents: Bool

    package init(acknowledgesPublish: Bool, answersEvents: Bool) {
        self.acknowledgesPublish = acknowledgesPublish
        self.answersEvents = answersEvents
    }
}

extension Dialect {
    package var capabilities: Capabilities {
        switch self {
        case .senteLiteMaps: Capabilities(acknowledgesPublish: true, answersEvents: false)
        case .senteLiteVectors, .sente: Capabilities(acknowledgesPublish: false, answersEvents: true)
        }
    }
}
