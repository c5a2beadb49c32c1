// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Spells and reads one dialect on one link; made for the link, and dies with it.
///
/// Only a dialect knows how a family writes its messages. It decides nothing and keeps nothing: which reply belongs to
/// which call is named here (`Correlation`) and looked up by the session.
package protocol DialectCoder: Sendable {
    var dialect: Dialect { get }
    var format: WireFormat { get }

    /// Reads one message. `isCallback` tells whether this client gave a text as a callback, where shape alone cannot.
    func decode(_ message: Message, isCallback: (String) -> Bool) -> [Inbound]

    /// Spells one message. Throws `unsupported`, `unencodable` or `invalidArgument`.
    func encode(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Message
}
