// SPDX-License-Identifier: Apache-2.0

/// How much a signal matters: a number, of which seven have names (Telemere's).
public struct SignalLevel: RawRepresentable, Hashable, Comparable, Sendable {
    /// The number; a greater one matters more.
    public var rawValue: Int

    /// A level of one's own, between or beyond those that have names.
    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Each step.
    public static let trace = SignalLevel(rawValue: 10)
    /// What helps to find a fault.
    public static let debug = SignalLevel(rawValue: 20)
    /// What one wants to know of something healthy.
    public static let info = SignalLevel(rawValue: 50)
    /// Something was lost or refused, and work goes on.
    public static let warn = SignalLevel(rawValue: 60)
    /// Something failed.
    public static let error = SignalLevel(rawValue: 70)
    /// The process cannot go on.
    public static let fatal = SignalLevel(rawValue: 80)
    /// Always of interest, whatever went well or wrong.
    public static let report = SignalLevel(rawValue: 90)

    /// Those with names, from the least to the greatest.
    public static let named: [SignalLevel] = [.trace, .debug, .info, .warn, .error, .fatal, .report]

    /// Whether `lhs` matters less than `rhs`.
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
