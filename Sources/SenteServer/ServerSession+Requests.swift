// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteWire

extension ServerSession {
    /// Forwards a request to everyone who is subscribed to its channel but the one who asks.
    ///
    /// sente-lite's documents promise that and its servers never did it (`Faults.forwardsNoRequests`).
    mutating func request(_ data: Value, on channel: Value, from id: ConnectionID, _ milliseconds: Int64?) {
        guard let name = connections[id]?.name else { return }
        counters.requests += 1
        let requestID = requests.newID(at: now)
        if configuration.answeringChannels.contains(channel) {
            return answer(requestID, with: data, on: channel, to: id)
        }
        let isServed = served.contains(channel)
        guard let subscribers = isServed ? OrderedSet() : channels.subscribers(of: channel) else {
            return refuse(requestID, on: channel, .channelNotFound, to: id)
        }
        guard requests.count < configuration.tables.pendingRequests,
            (connections[id]?.requests.count ?? 0) < configuration.tables.pendingRequestsPerConnection
        else { return refuse(requestID, on: channel, .requestsReached, to: id) }

        let isForwarded = !outbox.faults(of: id).forwardsNoRequests
        let request = ForwardedRequest(
            id: requestID.text, data: data, sender: name, createdAt: now.wallMilliseconds, trace: trace)
        let limit =
            channels.configuration(of: channel)?.requestLimit ?? configuration.channelDefaults.requestLimit
        let wanted = milliseconds.map { Duration.milliseconds($0) } ?? limit
        let due = now.instant.advanced(by: max(.milliseconds(1), min(wanted, limit)))
        requests.add(
            requestID,
            RequestTable.Request(
                requester: id, createdAt: now.instant, isSilent: !isForwarded, trace: trace),
            due: due)
        connections[id]?.requests.insert(requestID)

        let messageID = counters.newMessageID()
        let names = isServed ? ["server"] : subscribers.compactMap { $0 == id ? nil : connections[$0]?.name }
        recordRequest(
            requestID, on: channel, from: id, now.instant.duration(to: due),
            Self.delivered(messageID, to: names))
        if isServed {
            send(
                .requestTaken(requestID.text, channel, messageID: messageID, subscribers: names),
                to: id, as: .answer)
            return effects.append(
                .serve(ServedRequest(id: requestID.text, connection: id, channel: channel, data: data)))
        }
        channels.record(
            .request(request), messageID: messageID, in: channel, limits: configuration.tables, at: now)
        if isForwarded {
            _ = deliver(to: subscribers, but: id) { .request(request, channel: channel, isFlat: $0) }
        }
        send(
            .requestTaken(requestID.text, channel, messageID: messageID, subscribers: names),
            to: id, as: .answer)
    }

    /// The server's own answer, in the same breath as the result.
    private mutating func answer(
        _ requestID: WireName, with data: Value, on channel: Value, to id: ConnectionID
    ) {
        let messageID = counters.newMessageID()
        let taken = ServerMessage.requestTaken(
            requestID.text, channel, messageID: messageID, subscribers: ["server"])
        let response = ServerMessage.response(requestID.text, data: data, isError: false, nil)
        recordRequest(requestID, on: channel, from: id, nil, Self.delivered(messageID, to: ["server"]))
        recordResponse(requestID, to: id, after: .zero, isError: false)
        if outbox.isFaulty, outbox.faults(of: id).replies == .outOfOrder {
            send(response, to: id, as: .answer)
            send(taken, to: id, as: .answer)
        } else {
            send(taken, to: id, as: .answer)
            send(response, to: id, as: .response)
        }
    }

    private mutating func refuse(
        _ requestID: WireName, on channel: Value, _ reason: RejectionReason, to id: ConnectionID
    ) {
        counters.rejections[reason, default: 0] += 1
        recordRequest(
            requestID, on: channel, from: id, nil,
            ["success": false, "reason": .string(reason.rawValue)])
        send(.requestRefused(requestID.text, channel, reason), to: id, as: .answer)
        sendError(reason, requestID.text, to: id)
    }

    /// The first answer wins.
    ///
    /// As in sente-lite, whoever knows the request-id may give it.
    mutating func respond(_ data: Value, to requestID: Value, from id: ConnectionID, isError: Bool) {
        guard let name = requestID.stringValue.map({ WireName($0) }),
            settle(name, with: data, isError: isError)
        else {
            counters.rejections[.requestNotFound, default: 0] += 1
            record(.responseFailed) {
                [
                    "request-id": requestID, "conn-id": $0.field(id),
                    "reason": .string(RejectionReason.requestNotFound.rawValue),
                ]
            }
            send(.responseRefused(requestID: requestID, .requestNotFound), to: id, as: .answer)
            return sendError(.requestNotFound, requestID.stringValue, to: id)
        }
        send(.responseTaken(requestID: requestID), to: id, as: .answer)
    }

    /// Takes an answer to whoever asked; false when nobody waits for it.
    @discardableResult
    mutating func settle(_ requestID: WireName, with data: Value, isError: Bool) -> Bool {
        guard let request = requests.remove(requestID) else { return false }
        let outer = trace
        trace = request.trace
        defer { trace = outer }
        connections[request.requester]?.requests.remove(requestID)
        if !request.isSilent {
            recordResponse(
                requestID, to: request.requester, after: request.createdAt.duration(to: now.instant),
                isError: isError)
            send(
                .response(requestID.text, data: data, isError: isError, nil), to: request.requester,
                as: .response)
        }
        return true
    }

    /// Tells whoever asked that no answer will come: by an `rpc-response` that is an error with the reason
    /// `rpc-timeout`, so that a client finds its call by the request-id as it does for any other answer.
    mutating func expire(_ id: WireName, _ request: RequestTable.Request) {
        counters.expiredRequests += 1
        trace = request.trace
        defer { trace = nil }
        connections[request.requester]?.requests.remove(id)
        record(.requestExpired) {
            [
                "request-id": .string(id.text), "conn-id": $0.field(request.requester),
                "age-ms": .integer(request.createdAt.duration(to: $0.now.instant).wholeMilliseconds),
            ]
        }
        if request.isSilent { return }
        if outbox.faults(of: request.requester).sendsErrors {
            sendError(.requestTimedOut, id.text, to: request.requester)
        } else {
            send(
                .response(id.text, data: .null, isError: true, .requestTimedOut), to: request.requester,
                as: .response)
        }
    }

    // MARK: Signals

    /// Where a request went, or why nowhere.
    private mutating func recordRequest(
        _ requestID: WireName, on channel: Value, from id: ConnectionID, _ limit: Duration?,
        _ delivery: @autoclosure () -> KeyValuePairs<String, Value?>
    ) {
        record(.requestSent) {
            [
                "request-id": .string(requestID.text), "conn-id": $0.field(id), "target-channel-id": channel,
                "timeout-ms": limit.map { .integer($0.wholeMilliseconds) },
                "delivery-result": .map(.keywords(delivery())),
            ]
        }
    }

    private static func delivered(_ messageID: String, to names: [String]) -> KeyValuePairs<String, Value?> {
        [
            "success": true, "message-id": .string(messageID), "delivered-to": Value(names.count),
            "subscribers": .vector(names.map { .string($0) }),
        ]
    }

    private mutating func recordResponse(
        _ requestID: WireName, to id: ConnectionID, after duration: Duration, isError: Bool
    ) {
        counters.requestDurations.record(duration)
        if isError { counters.failedRequests += 1 }
        record(.responseSent) {
            ["request-id": .string(requestID.text), "target-conn-id": $0.field(id), "error?": .bool(isError)]
        }
        record(.correlation) { _ in
            [
                "request-id": .string(requestID.text), "duration-ms": .integer(duration.wholeMilliseconds),
                "error?": .bool(isError),
            ]
        }
    }
}
