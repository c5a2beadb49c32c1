// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// The ids by which the protocol of the vector dialects itself speaks.
enum VectorWord {
    /// Sente's own namespace; its servers and clients trust what is in it.
    static let namespace = "chsk"

    // Both dialects.
    static let handshake: Keyword = "chsk/handshake"
    static let ping: Keyword = "chsk/ws-ping"
    static let pong: Keyword = "chsk/ws-pong"
    /// An event within an event (`:wrap-recv-evs?`).
    static let received: Keyword = "chsk/recv"
    /// sente-lite's own form of a reply.
    static let reply: Keyword = "chsk/reply"

    // sente-lite only.
    static let subscribe: Keyword = "sente-lite/subscribe"
    static let unsubscribe: Keyword = "sente-lite/unsubscribe"
    static let subscribed: Keyword = "sente-lite/subscribed"
    static let publish: Keyword = "sente-lite/publish"
    static let channelMessage: Keyword = "sente-lite/channel-msg"
    static let echo: Keyword = "sente-lite/echo"

    /// What sente-lite's servers act upon; they echo all others of their namespace.
    static let actedUpon: Set<Keyword> = [subscribe, unsubscribe, publish]

    /// What stands for no user id (sente.cljc; with the longer namespace up to 1.17).
    static let noUserIDs: Set<Keyword> = ["sente/nil-uid", "taoensso.sente/nil-uid"]
}

/// The fields that only the vector dialects have.
extension MapField {
    static let from: MapField = "from"
    static let error: MapField = "error"
    static let callback: MapField = "cb-uuid"
    static let originalID: MapField = "original-event-id"
    static let originalData: MapField = "original-data"
}
