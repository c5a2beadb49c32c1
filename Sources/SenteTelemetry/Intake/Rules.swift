// SPDX-License-Identifier: Apache-2.0

import SenteSignals

/// All filters of a telemetry at one time: a signal is built if the telemetry lets it pass and one handler wants it.
final class Rules: Sendable {
    private let filter: SignalFilter
    private let handlers: [SignalFilter]
    /// Asked last, since it counts.
    let gate: CallGate

    init(_ filter: SignalFilter, handlers: [SignalFilter], gate: CallGate) {
        self.filter = filter
        self.handlers = handlers
        self.gate = gate
    }

    func admits(_ level: SignalLevel, _ kind: SignalKind, namespace: String, id: String?) -> Bool {
        func isWanted(by filter: SignalFilter) -> Bool {
            filter.admits(level: level, kind: kind, namespace: namespace, id: id)
        }
        return isWanted(by: filter) && handlers.contains(where: isWanted)
    }

    func admits(_ signal: Signal) -> Bool {
        admits(signal.level, signal.kind, namespace: signal.namespace, id: signal.id)
    }

    /// The least level that anybody wants of a namespace.
    func floor(of namespace: String) -> Int {
        max(Self.floor(filter, namespace), handlers.map { Self.floor($0, namespace) }.min() ?? .max)
    }

    private static func floor(_ filter: SignalFilter, _ namespace: String) -> Int {
        filter.namespaces.admits(namespace) ? filter.minimumLevel(in: namespace)?.rawValue ?? .min : .max
    }

    /// The least level that anybody wants of any namespace.
    var floorOfAll: Int {
        max(Self.floorOfAll(filter), handlers.map(Self.floorOfAll).min() ?? .max)
    }

    private static func floorOfAll(_ filter: SignalFilter) -> Int {
        let least = filter.minimumLevel?.rawValue ?? .min
        return filter.levels.reduce(least) { min($0, $1.minimumLevel.rawValue) }
    }

    /// Whether a level and a namespace alone do not decide.
    var asksMore: Bool {
        !gate.isOpen || ([filter] + handlers).contains { !$0.ids.isOpen || $0.kinds != nil }
    }

    /// Whether namespaces matter.
    var asksNamespace: Bool {
        ([filter] + handlers).contains { !$0.levels.isEmpty || !$0.namespaces.isOpen }
    }
}
