// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteSignals

/// The counts of a server since its start.
package struct ServerCounters: Hashable, Sendable {
    /// Messages of one direction.
    package struct Traffic: Hashable, Sendable {
        package var messages = 0
        package var bytes = 0

        mutating func add(_ message: Message) { add(message.bytes.count) }

        mutating func add(_ bytes: Int) {
            messages += 1
            self.bytes += bytes
        }
    }

    /// What became of what was announced beyond plain messages.
    package struct Flow: Hashable, Sendable {
        /// Handshakes that were answered.
        package var agreements = 0
        /// Clients that did not keep to what was agreed on.
        package var breaches = 0
        /// Sessions whose connection was lost, each time.
        package var parked = 0
        /// Sessions whose client came back in time.
        package var resumed = 0
        /// Sessions that a client asked for in vain.
        package var fresh = 0
        /// Sessions whose client did not come back.
        package var expired = 0
        /// Sessions that made room for others.
        package var evicted = 0
        /// Messages that clients said they could not send again.
        package var skipped = 0
        /// Messages that were sent again.
        package var sentAgain = 0
        /// Messages that had been let go when their client came back.
        package var missed = 0
        /// Batches that went, and the messages in them.
        package var batches = 0
        package var batched = 0
        package var batchesReceived = 0
        /// Messages that went compressed, and their bytes before and after.
        package var compressed = 0
        package var bytesBefore = 0
        package var bytesAfter = 0
        /// Messages that would not have been smaller by a tenth.
        package var incompressible = 0
        /// Messages that came compressed.
        package var unfolded = 0
        /// Messages that went in parts, and the parts.
        package var inParts = 0
        package var parts = 0
        /// Messages that came again, and were not handled again.
        package var repeated = 0
        /// Messages of which parts came and no more did, or for which there was no room.
        package var letGo = 0
    }

    /// What became of streams, and what went on them.
    package struct Streams: Hashable, Sendable {
        /// Streams that were taken, by the server or by a client.
        package var started = 0
        package var completed = 0
        package var failed = 0
        package var cancelled = 0
        /// Chunks of one direction, and their bytes; those that were sent again count again.
        package var received = Traffic()
        package var sent = Traffic()
    }

    package var received = Traffic()
    package var sent = Traffic()
    /// Connections that were greeted.
    package var connections = 0
    /// How long those lived that are gone.
    package var connectionDurations = Histogram()
    package var subscriptionsAdded = 0
    package var subscriptionsRemoved = 0
    package var publications = 0
    /// Publications to each of their subscribers.
    package var deliveries = 0
    package var requests = 0
    /// How long those took that were answered.
    package var requestDurations = Histogram()
    /// Answers that were errors.
    package var failedRequests = 0
    /// What was refused, by the reason.
    package var rejections: [RejectionReason: Int] = [:]
    package var rejectedConnections = 0
    package var deadConnections = 0
    package var oversizedMessages = 0
    package var unreadableMessages = 0
    /// What should be a `traceparent` and is none.
    package var malformedTraces = 0
    package var expiredRequests = 0
    /// Pushes given up because their client did not come back in time.
    package var lostPushes = 0
    package var flow = Flow()
    package var streams = Streams()
    var connectionNames = 0
    var messages: UInt64 = 0

    /// `msg-<n>`, counted for all channels together.
    mutating func newMessageID() -> String {
        messages &+= 1
        return "msg-\(messages)"
    }
}
