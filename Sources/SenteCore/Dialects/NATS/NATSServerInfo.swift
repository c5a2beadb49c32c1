// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What a NATS server says of itself in `INFO`.
package struct NATSServerInfo: Hashable, Sendable {
    /// Where a server does not say how much it carries (nats-server's default).
    package static let defaultPayload = 1 << 20
    /// How many addresses of other nodes are kept.
    package static let maximumEndpoints = 256

    /// The number the server gave this connection.
    package var clientID: Int64?
    /// The most that head and payload of a message may have together, in bytes.
    package var maximumPayload: Int
    /// What is to be signed, by clients that sign.
    package var nonce: String?
    /// Where the cluster's nodes take WebSockets, as `host:port`.
    package var endpoints: [String]
    /// The server is about to close its connections, and others should be used.
    package var isLeaving: Bool
    /// All of it.
    package var value: Value

    /// Reads the JSON of an INFO.
    package init(_ json: ArraySlice<UInt8>) throws(NATSViolation) {
        do throws(WireError) {
            value = try WireFormat.json.decode(json, limits: WireLimits(maximumBytes: NATSParser.maximumInfo))
        } catch {
            throw NATSViolation("its INFO is no JSON (\(error.description.excerpt(120)))")
        }
        guard value.mapValue != nil else { throw NATSViolation("its INFO is no JSON object") }
        clientID = value["client_id"]?.integerValue
        maximumPayload =
            value["max_payload"]?.integerValue.flatMap { $0 > 0 ? Int(clamping: $0) : nil }
            ?? Self.defaultPayload
        nonce = value["nonce"]?.stringValue
        endpoints = (value["connect_urls"]?.arrayValue ?? []).lazy.compactMap(\.stringValue)
            .prefix(Self.maximumEndpoints).map(\.self)
        isLeaving = value["ldm"]?.boolValue ?? false
    }
}
