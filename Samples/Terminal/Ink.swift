// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Colours, where somebody sees them and did not refuse them.
public struct Ink: Sendable, Hashable {
    /// Colours and weights by what they are for (ECMA-48, SGR).
    public enum Style: String, Sendable {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    private let hasColors: Bool

    /// Ink that colours, or ink that leaves every text as it is.
    public init(hasColors: Bool) {
        self.hasColors = hasColors
    }

    /// Colours on a terminal that has them, unless `NO_COLOR` is set and not empty (no-color.org).
    public init(isTerminal: Bool, environment: [String: String]) {
        let refuses = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        self.init(hasColors: isTerminal && environment["TERM"] != "dumb" && !refuses)
    }

    /// The ink of a descriptor of this process.
    public init(of descriptor: Int32) {
        self.init(isTerminal: isatty(descriptor) == 1, environment: ProcessInfo.processInfo.environment)
    }

    /// The text in that style.
    public func callAsFunction(_ text: String, _ styles: Style...) -> String {
        code(styles.map(\.rawValue).joined(separator: ";"), text)
    }

    /// The text in a style that is worked out, such as the colour of a name.
    public func code(_ code: String, _ text: String) -> String {
        hasColors && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
