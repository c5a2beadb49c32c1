// SPDX-License-Identifier: Apache-2.0

/// Which signals are wanted.
///
///     SignalFilter(
///         minimumLevel: .info, levels: [.init("my.app.chat(.*)", .debug)],
///         ids: .init(deny: ["*/heartbeat-*"]))
///
/// A signal passes when all parts let it pass.
public struct SignalFilter: Hashable, Sendable {
    /// Names that pass: of namespaces or of ids.
    public struct Names: Hashable, Sendable {
        /// A name must match one of these; nil lets every name pass, an empty list none.
        ///
        /// The default is nil.
        public var allow: [SignalPattern]?
        /// A name that matches one of these does not pass, whatever is allowed.
        ///
        /// The default is none.
        public var deny: [SignalPattern]

        /// Makes a filter of names.
        public init(allow: [SignalPattern]? = nil, deny: [SignalPattern] = []) {
            self.allow = allow
            self.deny = deny
        }

        /// Whether every name passes.
        public var isOpen: Bool { allow == nil && deny.isEmpty }

        /// Whether a name passes.
        public func admits(_ name: String) -> Bool {
            if isOpen { return true }
            var name = name
            return name.withUTF8(admits)
        }

        /// The same, of the name's bytes.
        package func admits(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
            if deny.contains(where: { $0.matches(name) }) { return false }
            return allow?.contains { $0.matches(name) } ?? true
        }
    }

    /// The least level of some namespaces.
    public struct LevelRule: Hashable, Sendable {
        /// The namespaces it is for.
        public var namespaces: SignalPattern
        /// Their least level.
        public var minimumLevel: SignalLevel

        /// Makes a rule.
        public init(_ namespaces: SignalPattern, _ minimumLevel: SignalLevel) {
            self.namespaces = namespaces
            self.minimumLevel = minimumLevel
        }
    }

    /// The least level that passes, where no rule of `levels` says otherwise; nil lets every level pass.
    ///
    /// The default is nil.
    public var minimumLevel: SignalLevel?
    /// Least levels of some namespaces; the first whose pattern matches decides.
    ///
    /// The default is none.
    public var levels: [LevelRule]
    /// The namespaces that pass.
    ///
    /// The default is all.
    public var namespaces: Names
    /// The ids that pass; a signal without an id passes always.
    ///
    /// The default is all.
    public var ids: Names
    /// The kinds that pass; nil lets every kind pass.
    ///
    /// The default is nil.
    public var kinds: Set<SignalKind>?

    /// Makes a filter; without arguments one that lets everything pass.
    public init(
        minimumLevel: SignalLevel? = nil, levels: [LevelRule] = [], namespaces: Names = Names(),
        ids: Names = Names(), kinds: Set<SignalKind>? = nil
    ) {
        self.minimumLevel = minimumLevel
        self.levels = levels
        self.namespaces = namespaces
        self.ids = ids
        self.kinds = kinds
    }

    /// Whether a signal of these marks passes.
    public func admits(level: SignalLevel, kind: SignalKind, namespace: String, id: String?) -> Bool {
        admits(level, in: namespace) && admits(kind) && namespaces.admits(namespace)
            && (id.map(ids.admits) ?? true)
    }

    /// Whether a signal passes.
    public func admits(_ signal: Signal) -> Bool {
        admits(level: signal.level, kind: signal.kind, namespace: signal.namespace, id: signal.id)
    }

    /// The least level that passes in a namespace, leaving aside whether the namespace itself does.
    package func minimumLevel(in namespace: String) -> SignalLevel? {
        levels.first { $0.namespaces.matches(namespace) }?.minimumLevel ?? minimumLevel
    }

    private func admits(_ level: SignalLevel, in namespace: String) -> Bool {
        minimumLevel(in: namespace).map { level >= $0 } ?? true
    }

    private func admits(_ kind: SignalKind) -> Bool {
        kinds?.contains(kind) ?? true
    }
}
