// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What a session knows of large data: when it goes by way of a storage, and within which bounds.
package struct LargeDataSettings: Hashable, Sendable {
    /// The weight of data from which it is stored, in bytes.
    package var referenceFrom: Int
    /// The largest data that is stored or fetched, in bytes; what is under way at once has no more either.
    package var maximumBytes: Int
    /// How long storing or fetching may take.
    package var timeout: Duration
    /// Whether what a reference names is fetched before it is delivered.
    package var isAutomatic: Bool

    package init(
        referenceFrom: Int = 10 << 20, maximumBytes: Int = 64 << 20, timeout: Duration = .seconds(60),
        isAutomatic: Bool = false
    ) {
        self.referenceFrom = referenceFrom
        self.maximumBytes = maximumBytes
        self.timeout = timeout
        self.isAutomatic = isAutomatic
    }

    /// How many are stored at once, and how many fetched.
    package static let concurrency = 4
    /// How many may wait to be stored, those that are being stored included.
    package static let maximumWaiting = 16

    /// The data of a message that goes by way of a storage; nil when the message goes as it is.
    ///
    /// A durable message goes as it is: it is kept on this machine whole, and sent again without asking any storage.
    package func storedData(of outbound: Outbound, _ options: SendOptions) -> Value? {
        guard !options.durable, let data = outbound.data, data.weight >= referenceFrom else { return nil }
        return data
    }

    /// What stands for a message in whatever judges its size, until its data has been stored; nil when it goes as it is.
    package func standIn(for outbound: Outbound, _ options: SendOptions) throws(SenteError) -> Outbound? {
        guard let data = storedData(of: outbound, options) else { return nil }
        let weight = data.weight
        guard weight <= maximumBytes else {
            throw SenteError(
                .messageTooLarge,
                "The data takes about \(weight) bytes, and `largeData.maximumBytes` is \(maximumBytes): send less at "
                    + "once, raise it, or upload a file.", outcome: .notSent)
        }
        return outbound.with(data: Self.likelyReference)
    }

    private static let likelyReference = LargeDataReference(
        storage: "", reference: String(repeating: "-", count: 64), size: 0,
        sha256: [UInt8](repeating: 0, count: 32), metadata: [:]
    ).value
}

extension Outbound {
    /// What an app has to say with it, where that may be large.
    package var data: Value? {
        switch self {
        case .publish(_, let data, _), .request(_, let data, _): data
        case .event(let event, _): event.data
        case .identified(_, let outbound), .traced(let outbound, _), .headed(_, let outbound): outbound.data
        case .subscribe, .unsubscribe, .answer, .ping, .pong, .listChannels, .listSubscriptions, .flow,
            .jetStream:
            nil
        }
    }

    /// The same about other data.
    package func with(data: Value) -> Outbound {
        switch self {
        case .publish(let channel, _, let excludeSender):
            .publish(channel: channel, data: data, excludeSender: excludeSender)
        case .request(let channel, _, let limit): .request(channel: channel, data: data, limit: limit)
        case .event(let event, let callback): .event(event.with(data: data), callback: callback)
        case .identified(let id, let outbound): .identified(id, outbound.with(data: data))
        case .traced(let outbound, let trace): .traced(outbound.with(data: data), by: trace)
        case .headed(let headers, let outbound): .headed(headers, outbound.with(data: data))
        case .subscribe, .unsubscribe, .answer, .ping, .pong, .listChannels, .listSubscriptions, .flow,
            .jetStream:
            self
        }
    }
}

extension Event {
    /// The same about other data.
    func with(data: Value) -> Event {
        var event = self
        event.data = data
        return event
    }
}
