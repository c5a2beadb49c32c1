// SPDX-License-Identifier: Apache-2.0

/// An option of the command line, and what it changes in the settings.
package struct Option<Settings> {
    /// Without the dashes.
    package let name: String
    /// What stands for its value in the help; nil for an option without value.
    package let value: String?
    package let help: String
    package let apply: (inout Settings, String) throws(UsageError) -> Void

    /// `--name VALUE` or `--name=VALUE`.
    package static func option(
        _ name: String, _ value: String, _ help: String,
        _ apply: @escaping (inout Settings, String) throws(UsageError) -> Void
    ) -> Option {
        Option(name: name, value: value, help: help, apply: apply)
    }

    /// `--name` alone.
    package static func flag(
        _ name: String, _ help: String, _ apply: @escaping (inout Settings) -> Void
    ) -> Option {
        Option(name: name, value: nil, help: help) { settings, _ in apply(&settings) }
    }
}

/// All options of a way to run the program.
package struct OptionTable<Settings> {
    private let options: [Option<Settings>]

    package init(_ options: [Option<Settings>]) {
        self.options = options
    }

    /// Applies the options in their order; what is left are the arguments that are none.
    package func apply(_ arguments: [String], to settings: inout Settings) throws(UsageError) -> [String] {
        var others: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else {
                others.append(argument)
                continue
            }
            let parts = argument.dropFirst(2).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts.first ?? "")
            guard let option = options.first(where: { $0.name == name }) else {
                throw UsageError("There is no option --\(name): --help lists those there are.")
            }
            let attached = parts.count > 1 ? String(parts[1]) : nil
            let value = try value(of: option, attached, &rest)
            do throws(UsageError) {
                try option.apply(&settings, value)
            } catch {
                throw UsageError("--\(name): \(error.message)")
            }
        }
        return others
    }

    private func value(
        of option: Option<Settings>, _ attached: String?, _ rest: inout ArraySlice<String>
    ) throws(UsageError) -> String {
        guard let placeholder = option.value else {
            guard attached == nil else { throw UsageError("--\(option.name) takes no value.") }
            return ""
        }
        guard let value = attached ?? rest.popFirst() else {
            throw UsageError("--\(option.name) needs a value: --\(option.name) \(placeholder).")
        }
        return value
    }

    /// One line an option.
    package var help: String {
        let lines = options.map { option in
            let form = "--\(option.name)" + (option.value.map { " \($0)" } ?? "")
            return "  " + form + String(repeating: " ", count: max(1, 34 - form.count)) + option.help
        }
        return lines.joined(separator: "\n")
    }
}
