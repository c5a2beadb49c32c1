// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteSocket
import SenteTransport
import SenteWire

/// How events look on the wire of a dialect.
extension Dialect {
    /// The event that a frame of the dialect of maps is.
    func event(_ frame: Value) -> Event? {
        guard var fields = frame.mapValue, let type = fields["type"]?.stringValue else { return nil }
        fields["type"] = nil
        return Event(id: Keyword(type), data: .map(fields))
    }

    /// An event of the server's own.
    func frame(_ event: Event) -> Value {
        guard self == .senteLiteMaps else { return [.keyword(event.id), event.data] }
        var fields = event.data.mapValue ?? ValueMap()
        fields["type"] = Value(event.id.text)
        return .map(fields)
    }

    /// What takes the answer to an event to its client, who knows it by the callback, by the request's id, or by its type.
    func reply(_ value: Value, to event: Event, _ callback: Value?, _ id: ConnectionID) -> ServerCommand {
        switch self {
        case .sente:
            if let callback { return .reply(value, callback: callback, to: id) }
            let pushed: Value = [.keyword(event.id), value]
            return .send([[pushed], .null], to: id)
        case .senteLiteVectors:
            guard let request = event.data[Keyword("request-id")], var fields = value.mapValue else {
                return .send([.keyword(event.id), value], to: id)
            }
            fields[.keyword("request-id")] = request
            return .send([.keyword(event.id), .map(fields)], to: id)
        case .senteLiteMaps, .nats:
            return .send(frame(Event(id: event.id, data: value)), to: id)
        }
    }
}

extension ServerConfiguration {
    /// The reference server's settings for a dialect; events come to whoever has set an answer.
    init(_ dialect: SenteCore.Dialect, _ format: WireFormat?) {
        switch dialect {
        // Of NATS there is no double: its own server is as easily started.
        case .senteLiteMaps, .nats: self.init(.maps)
        case .senteLiteVectors: self.init(.vectors)
        case .sente: self.init(.sente)
        }
        if let format { self.format = format }
        hasHook = true
    }
}

extension HTTPRequest {
    /// The request that a link in memory would have written.
    init(_ request: LinkRequest) {
        self.init(
            method: "GET", target: (try? WebSocketURL(request.url))?.target ?? "/",
            headers: request.headers.map { HTTPHeader($0.name, $0.value) }, isUpgrade: true,
            subprotocols: request.subprotocols)
    }
}
