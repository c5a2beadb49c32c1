// SPDX-License-Identifier: Apache-2.0

/// Raises signals for a part of the program, which its namespace names.
///
///     private let log = Telemetry.default.source("my.app.chat")
///     log.info("joined") { $0["members"] = 7 }
public struct SignalSource: SignalEmitter {
    @usableFromInline let telemetry: Telemetry
    @usableFromInline let floor: SharedWord
    /// The namespace; nil where ids say it.
    @usableFromInline let namespace: StaticString?

    @usableFromInline
    init(telemetry: Telemetry, floor: SharedWord, namespace: StaticString?) {
        self.telemetry = telemetry
        self.floor = floor
        self.namespace = namespace
    }

    /// Itself.
    @inlinable public var signals: SignalSource { self }

    /// Whether anybody wants signals of a level from here; ids and kinds may yet decide otherwise.
    @inlinable
    public func isEnabled(_ level: SignalLevel) -> Bool {
        Floor.admits(level, floor.value)
    }
}

/// What signals are raised with: a source, or a telemetry itself.
public protocol SignalEmitter: Sendable {
    /// The source that the signals come from.
    var signals: SignalSource { get }
}

extension Telemetry: SignalEmitter {
    /// A source whose ids name their namespace: `user/login` belongs to `user`, and what has no slash to `app`.
    @inlinable public var signals: SignalSource {
        SignalSource(telemetry: self, floor: floor, namespace: nil)
    }
}
