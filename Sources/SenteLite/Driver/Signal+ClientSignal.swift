// SPDX-License-Identifier: Apache-2.0

package import SenteCore
package import SenteSignals
import SenteWire

extension Signal {
    /// A client's signal as telemetry takes it.
    ///
    /// Where sente-lite's documents have a name for it, it has that one; `client.signals` keeps its own. Of an error there are code
    /// and message, never its details or body.
    package init(_ signal: ClientSignal) {
        var data = signal.data
        var name = signal.id.name
        switch name {
        case "subscribed": name = "subscription-added"
        case "subscription-ended": name = "subscription-removed"
        case "subscription-refused":
            name = "subscription-rejected"
            data["reason"] = data.removeValue(forKey: "code")
        case "round-trip": name = "ping-answered"
        case "received", "transmitted":
            data["direction"] = Value(name)
            name = "traffic"
        default: break
        }
        self.init(
            time: signal.time &* 1_000_000, level: SignalLevel(rawValue: signal.level.rawValue),
            kind: signal.level == .error ? .error : .event, namespace: "sente-lite.client",
            id: "sente-lite.client/\(name)", message: signal.message, data: Self.ordered(data),
            error: signal.error.map {
                SignalError(type: "SenteError", message: $0.message, code: $0.code.rawValue)
            }, trace: signal.trace)
    }

    /// The documents' order.
    private static let order = [
        "request-id", "conn-id", "target-channel-id", "timeout-ms", "delivery-result", "channel-id",
        "duration-ms", "age-ms", "error?", "reason",
    ]

    /// The documents' fields first, then the others by name.
    private static func ordered(_ data: [String: Value]) -> ValueMap {
        func rank(_ name: String) -> Int { order.firstIndex(of: name) ?? order.count }
        let fields = data.sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) }
        return ValueMap(fields.lazy.map { (.keyword(Keyword($0.key)), $0.value) })
    }
}
