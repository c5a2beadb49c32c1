// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSignals
package import SenteWire

/// One thing of note that the reference server did or met, as data, by the ids and fields of sente-lite's documents.
package struct ServerSignal: Hashable, Sendable {
    package var id: ID
    /// In the order of the documents; the keys are keywords.
    package var data: ValueMap
    package var error: SignalError?
    /// The step of a trace that it belongs to.
    package var trace: TraceContext?

    /// What a signal may be about; the rest of its text is what it is written as.
    package enum ID: String, Hashable, Sendable, CaseIterable {
        case serverStarting = "sente-lite.server/server-starting"
        case serverStarted = "sente-lite.server/server-started"
        case serverStopping = "sente-lite.server/server-stopping"
        case serverStopped = "sente-lite.server/server-stopped"

        case httpRequest = "sente-lite.server/http-request"
        case webSocketRequest = "sente-lite.server/websocket-request"
        case webSocketOpened = "sente-lite.server/websocket-opened"
        case webSocketClosed = "sente-lite.server/websocket-closed"
        case webSocketError = "sente-lite.server/websocket-error"
        case connectionAdded = "sente-lite.server/connection-added"
        case connectionRemoved = "sente-lite.server/connection-removed"

        case messageReceived = "sente-lite.server/websocket-message-received"
        case messageParsed = "sente-lite.server/message-parsed"
        case messageRouting = "sente-lite.server/message-routing"
        case messageProcessed = "sente-lite.server/message-processed"
        case messageSent = "sente-lite.server/message-sent"
        // These three have no name in the documents, only their text.
        case parseFailed = "sente-lite.server/message-parse-failed"
        case processFailed = "sente-lite.server/message-process-failed"
        case sendFailed = "sente-lite.server/message-send-failed"

        case channelCreated = "sente-lite.channels/channel-created"
        case channelDeleted = "sente-lite.channels/channel-deleted"
        case subscriptionRequest = "sente-lite.channels/subscription-request"
        case subscriptionAdded = "sente-lite.channels/subscription-added"
        case subscriptionRemoved = "sente-lite.channels/subscription-removed"
        case subscriptionRejected = "sente-lite.channels/subscription-rejected"
        case allSubscriptionsRemoved = "sente-lite.channels/all-subscriptions-removed"
        case retainedMessagesSent = "sente-lite.channels/retained-messages-sent"

        case publishStart = "sente-lite.channels/message-publish-start"
        case messagePublished = "sente-lite.channels/message-published"
        case publishFailed = "sente-lite.channels/message-publish-failed"
        case channelBroadcastStart = "sente-lite.server/channel-broadcast-start"
        case channelBroadcastComplete = "sente-lite.server/channel-broadcast-complete"
        case broadcastStart = "sente-lite.server/broadcast-start"
        case broadcastComplete = "sente-lite.server/broadcast-complete"
        case broadcastFailed = "sente-lite.server/broadcast-failed"

        case requestSent = "sente-lite.channels/rpc-request-sent"
        case responseSent = "sente-lite.channels/rpc-response-sent"
        case responseFailed = "sente-lite.channels/rpc-response-failed"
        case correlation = "sente-lite.channels/rpc-correlation"
        case requestExpired = "sente-lite.channels/rpc-request-expired"
        case cleanupCompleted = "sente-lite.channels/rpc-cleanup-completed"

        case heartbeatStarting = "sente-lite.server/heartbeat-starting"
        case heartbeatCheck = "sente-lite.server/heartbeat-check"
        case heartbeatPingSent = "sente-lite.server/heartbeat-ping-sent"
        case heartbeatTimeout = "sente-lite.server/heartbeat-timeout"
        case closingDeadConnection = "sente-lite.server/closing-dead-connection"
        case heartbeatCleanupComplete = "sente-lite.server/heartbeat-cleanup-complete"
        case heartbeatStopped = "sente-lite.server/heartbeat-stopped"

        case flowAgreed = "sente-lite.server/flow-agreed"
        case flowIgnored = "sente-lite.server/flow-capability-ignored"
        case flowBreached = "sente-lite.server/flow-breached"
        case sessionParked = "sente-lite.server/session-parked"
        case sessionEnded = "sente-lite.server/session-ended"
        case streamStarted = "sente-lite.server/stream-started"
        case streamComplete = "sente-lite.server/stream-complete"
        case streamFailed = "sente-lite.server/stream-failed"

        /// What comes with each message or each beat is for finding faults; what is refused or late is a warning.
        package var level: SignalLevel {
            switch self {
            case .messageReceived, .messageParsed, .messageRouting, .messageProcessed, .messageSent,
                .subscriptionRequest, .publishStart, .heartbeatCheck, .heartbeatPingSent:
                .debug
            case .subscriptionRejected, .publishFailed, .broadcastFailed, .responseFailed, .requestExpired,
                .heartbeatTimeout, .flowIgnored, .flowBreached, .streamFailed:
                .warn
            case .webSocketError, .parseFailed, .processFailed, .sendFailed: .error
            default: .info
            }
        }

        /// A text for people, where the documents have one.
        package var message: String? {
            switch self {
            case .webSocketError: "WebSocket error occurred"
            case .parseFailed: "Failed to parse WebSocket message"
            case .processFailed: "Failed to process WebSocket message"
            case .sendFailed: "Failed to send WebSocket message"
            default: nil
            }
        }
    }

    /// The fields that are not nil become the data.
    package init(_ id: ID, _ fields: KeyValuePairs<String, Value?>, error: SignalError? = nil) {
        self.id = id
        self.data = .keywords(fields)
        self.error = error
    }
}

extension ValueMap {
    /// What is not nil, under keywords.
    static func keywords(_ fields: KeyValuePairs<String, Value?>) -> ValueMap {
        ValueMap(fields.lazy.compactMap { name, value in value.map { (.keyword(Keyword(name)), $0) } })
    }
}

extension Signal {
    /// A server's signal as telemetry takes it.
    package init(_ signal: ServerSignal, at now: Moment) {
        let id = signal.id.rawValue
        self.init(
            time: now.wallMilliseconds &* 1_000_000, level: signal.id.level,
            kind: signal.id.level == .error ? .error : .event, namespace: String(id.prefix { $0 != "/" }),
            id: id, message: signal.id.message, data: signal.data, error: signal.error,
            trace: signal.trace)
    }
}
