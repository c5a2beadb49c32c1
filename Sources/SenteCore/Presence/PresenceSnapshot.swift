// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// Who is present, as one member sees it at one time.
package struct PresenceSnapshot: Hashable, Sendable {
    package struct Member: Hashable, Sendable {
        package var id: String
        package var data: Value
        /// Another one for each change of the data.
        package var revision: UInt64
        package var isSelf: Bool

        package init(id: String, data: Value, revision: UInt64, isSelf: Bool) {
            self.id = id
            self.data = data
            self.revision = revision
            self.isSelf = isSelf
        }
    }

    /// In the order in which they came.
    package var members: [Member]
    /// Whether there is a link, so that it is known who comes and goes.
    package var isCurrent: Bool

    package init(members: [Member] = [], isCurrent: Bool = false) {
        self.members = members
        self.isCurrent = isCurrent
    }
}
