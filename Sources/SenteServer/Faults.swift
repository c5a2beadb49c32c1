// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// A server's deliberate misbehaviour, as data.
///
/// None by default; set for every connection or for one, at any time.
package struct Faults: Hashable, Sendable {
    /// The ways to refuse an upgrade.
    package enum Refusing: Hashable, Sendable {
        /// An HTTP answer instead of the upgrade.
        case answer(Refusal)
        /// The TCP connection is ended at once, without an answer.
        case disconnect
    }

    /// The ways in which the server ends a connection.
    package enum Ending: Hashable, Sendable {
        /// TCP ends without a close frame.
        case drop
        /// A close frame with this code and reason.
        case close(CloseCode, String)
    }

    /// The treatment of answers to a client's own messages.
    ///
    /// A `pong` answers too, but is never left out and never overtaken: it proves that what was sent before
    /// it is answered or never will be.
    package enum Replies: Hashable, Sendable {
        case normal
        /// No answer but `pong` and `pong-ack`.
        case never
        /// Every answer this much later, in order; deliveries and heartbeats are not held up.
        case late(Duration)
        /// `rpc-response`, or Sente's reply to a callback, twice. Answers without an id stay single: no client
        /// could tell the second from the next.
        case twice
        /// `rpc-response` before its `rpc-request-result` where the server answers itself; otherwise each, and
        /// each of Sente's replies, is held until the next one of the connection has gone first, or for a second.
        case outOfOrder
    }

    /// Refuses upgrades.
    ///
    /// Asked before a connection has an id, so only the setting for all counts.
    package var refusing: Refusing?
    /// Takes connections and messages and says nothing at all, no greeting and no heartbeat.
    package var isSilent = false
    /// Leaves out the greeting only.
    package var neverGreets = false
    /// Ends a connection after it has sent `endingAfter` messages; with 0, instead of the greeting.
    package var ending: Ending?
    package var endingAfter = 0
    /// Leaves TCP open after the closing handshake, as http-kit often does.
    package var leavesTCPOpen = false
    /// Everything the server says comes this much later, in order.
    package var delay: Duration = .zero
    package var replies: Replies = .normal
    /// Deliveries as sente-lite wrote them before its envelope: the data itself with `channel-id` and
    /// `broadcast-time` forced in.
    package var deliversFlat = false
    /// Failures are told in an `error` frame as the project's documents describe it: beside the failing
    /// result where there is one, instead of silence where there is none, instead of the `rpc-response` when
    /// a request ran out of time.
    package var sendsErrors = false
    /// Requests are counted and answered but forwarded to nobody, responses are accepted and dropped, and
    /// nobody is told of a time-out: what sente-lite's own servers did.
    package var forwardsNoRequests = false
    /// Pushes come this much later, in order, while answers do not: they overtake them.
    package var pushesLate: Duration = .zero
    /// Pushes held back for a Sente client come as soon as it is back, the newest first; otherwise each at its own
    /// next try, which is in no certain order either.
    package var reversesHeldPushes = false
    /// Nothing is answered to a publish whose data is not an object, as sente-lite's own servers did.
    package var ignoresUnfitData = false

    /// No fault.
    package init() {}
}
