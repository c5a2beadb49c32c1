// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Whole lines on standard error; one that is closed is of no account.
enum StandardError {
    static func write(_ line: String) {
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }
}
