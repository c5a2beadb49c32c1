// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Spells and reads one dialect on one link; made for the link, and dies with it.
///
/// Only a dialect knows how a family writes its messages. It decides nothing: which reply belongs to which call is
/// named here (`Correlation`) and looked up by the session.
package protocol DialectCoder: Sendable {
    var dialect: Dialect { get }
    var format: WireFormat { get }
    var capabilities: Capabilities { get }

    /// Reads one message. `isPending` tells whether a call waits for that correlation, where shape alone cannot.
    mutating func decode(_ message: Message, isPending: (Correlation) -> Bool) -> [Inbound]

    /// Spells one message. Throws `unsupported`, `unsayable` or `invalidArgument`.
    mutating func encode(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Message
}

/// What a dialect can do.
package struct Capabilities: Hashable, Sendable {
    /// The server answers a publish.
    package var acknowledgesPublish: Bool
    /// The server answers an application event by a callback id.
    package var answersEvents: Bool
    /// The server answers in the order it was asked, so that a pong proves what came before it.
    package var ordersReplies: Bool

    package init(acknowledgesPublish: Bool, answersEvents: Bool, ordersReplies: Bool) {
        self.acknowledgesPublish = acknowledgesPublish
        self.answersEvents = answersEvents
        self.ordersReplies = ordersReplies
    }
}
