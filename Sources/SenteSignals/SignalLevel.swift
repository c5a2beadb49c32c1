// SPDX-License-Identifier: Apache-2.0

/// How much a signal matters: a number, of which seven have names (Telemere's).
public struct SignalLevel: RawRepresentable, Hashable, Comparable, Sendable {
    /// The number; a greater one matters more.
    public var rawValue: Int

    /// A level of one's own, between or beyond those that have names.
    @inlinable
    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Each step.
    @inlinable public static var trace: SignalLevel { SignalLevel(rawValue: 10) }
    /// What helps to find a fault.
    @inlinable public static var debug: SignalLevel { SignalLevel(rawValue: 20) }
    /// What one wants to know of something healthy.
    @inlinable public static var info: SignalLevel { SignalLevel(rawValue: 50) }
    /// Something was lost or refused, and work goes on.
    @inlinable public static var warn: SignalLevel { SignalLevel(rawValue: 60) }
    /// Something failed.
    @inlinable public static var error: SignalLevel { SignalLevel(rawValue: 70) }
    /// The process cannot go on.
    @inlinable public static var fatal: SignalLevel { SignalLevel(rawValue: 80) }
    /// Always of interest, whatever went well or wrong.
    @inlinable public static var report: SignalLevel { SignalLevel(rawValue: 90) }

    /// Those with names, from the least to the greatest.
    public static let named: [SignalLevel] = [.trace, .debug, .info, .warn, .error, .fatal, .report]

    /// Whether `lhs` matters less than `rhs`.
    @inlinable
    public static func < (lhs: SignalLevel, rhs: SignalLevel) -> Bool { lhs.rawValue < rhs.rawValue }

    /// The level that a text names, as files and environments give it: `warn`, `WARN`, `:warn`, `warning`, or a number; nil for
    /// any other text.
    public init?(_ text: String) {
        let name = text.drop { $0 == ":" }.lowercased()
        if let level = Self.named.first(where: { $0.name == name }) {
            self = level
        } else if name == "warning" {
            self = .warn
        } else if let number = Int(name) {
            self.init(rawValue: number)
        } else {
            return nil
        }
    }

    /// Its name, or its number where it has none.
    public var name: String {
        switch self {
        case .trace: "trace"
        case .debug: "debug"
        case .info: "info"
        case .warn: "warn"
        case .error: "error"
        case .fatal: "fatal"
        case .report: "report"
        default: String(rawValue)
        }
    }
}

extension SignalLevel: CustomStringConvertible {
    /// Its name.
    public var description: String { name }
}
