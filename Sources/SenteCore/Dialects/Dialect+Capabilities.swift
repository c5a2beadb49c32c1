// SPDX-License-Identifier: Apache-2.0

/// What a dialect can do.
package struct Capabilities: Hashable, Sendable {
    /// The server answers a publish.
    package var acknowledgesPublish: Bool
    /// An application event can carry a callback id that its answer names.
    package var answersEvents: Bool
    /// Some answers come without that id, in order: an event whose call gave up wants a fence.
    package var fencesEvents: Bool

    package init(acknowledgesPublish: Bool, answersEvents: Bool, fencesEvents: Bool) {
        self.acknowledgesPublish = acknowledgesPublish
        self.answersEvents = answersEvents
        self.fencesEvents = fencesEvents
    }
}

extension Dialect {
    package var capabilities: Capabilities {
        switch self {
        case .senteLiteMaps:
            Capabilities(acknowledgesPublish: true, answersEvents: false, fencesEvents: false)
        case .senteLiteVectors:
            Capabilities(acknowledgesPublish: false, answersEvents: true, fencesEvents: true)
        case .sente:
            Capabilities(acknowledgesPublish: false, answersEvents: true, fencesEvents: false)
        }
    }
}
