// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation

/// Hears SIGINT and SIGTERM, by which whoever runs the program wants it to end.
public final class Termination {
    private let sources: [any DispatchSourceSignal]

    /// `body` gets the name of the first signal; the next one kills as it does everywhere.
    public init(_ body: @escaping @Sendable (String) -> Void) {
        sources = [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM")].map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                signal(SIGINT, SIG_DFL)
                signal(SIGTERM, SIG_DFL)
                body(name)
            }
            source.resume()
            return source
        }
    }

    /// Hears them no more.
    public func stopListening() {
        for source in sources { source.cancel() }
    }

    /// Whether the end of standard input means anything: that of a terminal or a pipe does, while whoever
    /// runs in the background is given an empty one (`/dev/null`).
    public static var inputCanEnd: Bool {
        var information = stat()
        guard fstat(STDIN_FILENO, &information) == 0 else { return false }
        let isPipe = information.st_mode & S_IFMT == S_IFIFO || information.st_mode & S_IFMT == S_IFSOCK
        return isPipe || isatty(STDIN_FILENO) == 1
    }
}
