// SPDX-License-Identifier: Apache-2.0

extension ServerConfiguration {
    /// An environment variable that cannot be used, and what would be right.
    package struct EnvironmentError: Error, Hashable, CustomStringConvertible {
        package var variable: String
        package var value: String
        package var expectation: String

        package var description: String {
            "The environment variable \(variable) is \"\(value)\", but must be \(expectation). "
                + "Correct it, or unset it to use the default."
        }
    }

    /// The defaults, with what these variables say instead: `PORT`, `HOST`, `AUTO_CREATE_CHANNELS`,
    /// `MAX_SUBSCRIBERS` and `MESSAGE_RETENTION`, as in sente-lite's own deployment.
    ///
    /// Others are ignored.
    package init(
        _ dialect: Dialect = .maps, environment: [String: String]
    ) throws(EnvironmentError) {
        self.init(dialect)
        port = try Self.integer("PORT", in: environment, 0...65_535) ?? port
        if let name = environment["HOST"] {
            guard !name.isEmpty, !name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
                throw EnvironmentError(
                    variable: "HOST", value: name, expectation: "an address such as 127.0.0.1 or 0.0.0.0")
            }
            host = name
        }
        createsChannels = try Self.boolean("AUTO_CREATE_CHANNELS", in: environment) ?? createsChannels
        channelDefaults.maximumSubscribers =
            try Self.integer("MAX_SUBSCRIBERS", in: environment, 0...1_000_000)
            ?? channelDefaults.maximumSubscribers
        channelDefaults.retention =
            try Self.integer("MESSAGE_RETENTION", in: environment, 0...1_000_000) ?? channelDefaults.retention
    }

    private static func integer(
        _ variable: String, in environment: [String: String], _ range: ClosedRange<Int>
    ) throws(EnvironmentError) -> Int? {
        guard let text = environment[variable] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw EnvironmentError(
                variable: variable, value: text,
                expectation: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func boolean(
        _ variable: String, in environment: [String: String]
    ) throws(EnvironmentError) -> Bool? {
        guard let text = environment[variable] else { return nil }
        switch text.lowercased() {
        case "true": return true
        case "false": return false
        default:
            throw EnvironmentError(variable: variable, value: text, expectation: "true or false")
        }
    }
}
