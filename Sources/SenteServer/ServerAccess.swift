// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// That a client came, went, or was turned away: a line of an access log.
package enum ServerAccess: Hashable, Sendable {
    case came(Visitor)
    /// How it ended: the close code that was agreed on, or why there is none.
    case went(Visitor, after: Duration, messages: Int, LinkEnd)
    case refused(Visitor, status: Int)

    /// What is known of a client.
    package struct Visitor: Hashable, Sendable {
        /// The conn-id; nil for one that was turned away.
        package var name: String?
        /// Its address.
        package var remoteAddress: String?
        /// What its request asked for, query included.
        package var target: String

        package init(name: String?, remoteAddress: String?, target: String) {
            self.name = name
            self.remoteAddress = remoteAddress
            self.target = target
        }
    }
}
