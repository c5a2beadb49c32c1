// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase

/// Tells other processes the port: a file with its digits, which appears whole or not at all.
enum PortFile {
    static func write(_ port: Int, to path: String) throws(LinkFailure) {
        do {
            try Data("\(port)".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw LinkFailure(
                .unavailable,
                "The port file \(path) cannot be written (\(error.localizedDescription)). Choose another path."
            )
        }
    }
}
