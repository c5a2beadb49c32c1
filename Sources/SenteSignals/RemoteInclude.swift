// SPDX-License-Identifier: Apache-2.0

public import SenteWire

/// Which signals go to a server.
public struct RemoteInclude: OptionSet, Hashable, Sendable {
    /// The bits.
    public var rawValue: Int

    /// Makes a choice of bits.
    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Errors, and what matters more.
    public static let errors = RemoteInclude(rawValue: 1)
    /// Warnings.
    public static let warnings = RemoteInclude(rawValue: 2)
    /// What the user did: ids in the namespace `user` and below (`user/login`, `user.cart/emptied`).
    public static let userActions = RemoteInclude(rawValue: 4)
    /// How long something took: spans, and ids in the namespace `performance` and below.
    public static let performance = RemoteInclude(rawValue: 8)
    /// Everything else.
    public static let others = RemoteInclude(rawValue: 16)

    /// What documents of sente-lite name: errors, warnings, user actions and performance.
    public static let documented: RemoteInclude = [.errors, .warnings, .userActions, .performance]
    /// Everything.
    public static let all: RemoteInclude = [.documented, .others]

    /// Whether the signal is one of these.
    ///
    /// Of what this package says of itself (`sente-lite…`) warnings and errors alone, and nothing of telemetry: it would tell of
    /// its own telling.
    package func admits(_ signal: Signal) -> Bool {
        let isOwn = signal.isIn("sente-lite")
        if isOwn, signal.level < .warn || signal.isIn("sente-lite.telemetry") { return false }
        return contains(Self.kind(of: signal))
    }

    private static func kind(of signal: Signal) -> RemoteInclude {
        if signal.level >= .error { return .errors }
        if signal.level >= .warn { return .warnings }
        if signal.isIn("user") { return .userActions }
        if signal.kind == .span || signal.isIn("performance") { return .performance }
        return .others
    }
}

extension Signal {
    /// Whether its id, or without one its namespace, lies in a namespace or below it.
    fileprivate func isIn(_ namespace: String) -> Bool {
        let own = id.map { $0.prefix { $0 != "/" } } ?? Substring(self.namespace)
        return own == namespace || own.hasPrefix(namespace + ".")
    }

    /// The signal with `…` in place of what its fields hide.
    ///
    /// It knows secrets by the names of their fields; what a message says in words stays.
    public func redacted(by redaction: Redaction) -> Signal {
        var signal = self
        if case .map(let map) = redaction.redacted(.map(data)) { signal.data = map }
        if case .map(let map) = redaction.redacted(.map(context)) { signal.context = map }
        return signal
    }
}
