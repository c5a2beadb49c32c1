// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal

/// What the command line says.
struct ChatSettings: Sendable {
    struct Misuse: Error {
        var message: String
    }

    var url = "ws://127.0.0.1:3000/chsk"
    var name = ProcessInfo.processInfo.environment["USER"] ?? "guest"
    var wantsHelp = false

    init(_ arguments: [String]) throws(Misuse) {
        var rest = arguments[...]
        var urls: [String] = []
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h": wantsHelp = true
            case "--name":
                guard let value = rest.popFirst() else { throw Misuse(message: "--name needs a name.") }
                name = value
            case _ where argument.hasPrefix("-"): throw Misuse(message: "There is no option \(argument).")
            default: urls.append(argument)
            }
        }
        guard urls.count <= 1 else { throw Misuse(message: "Give one URL.") }
        url = urls.first ?? url
        name = name.printable.trimmingCharacters(in: .whitespaces)
        guard !name.isEmpty, name.count <= 20 else {
            throw Misuse(message: "A name has 1 to 20 characters.")
        }
    }
}
