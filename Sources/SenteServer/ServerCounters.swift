// SPDX-License-Identifier: Apache-2.0

/// The counts of a server since its start.
package struct ServerCounters: Hashable, Sendable {
    package var rejectedConnections = 0
    package var deadConnections = 0
    package var oversizedMessages = 0
    package var unreadableMessages = 0
    package var expiredRequests = 0
    /// Pushes given up because their client did not come back in time.
    package var lostPushes = 0
    var connectionNames = 0
    var messages: UInt64 = 0

    /// `msg-<n>`, counted for all channels together.
    mutating func newMessageID() -> String {
        messages &+= 1
        return "msg-\(messages)"
    }
}
