// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteWire

/// Where a client shows each message that goes and comes, a line each.
///
/// A line has a mark, the time (UTC), the size and the value as EDN: `>` for what goes out, `<` for what comes, `=` for what
/// happens to the connection. Secrets are replaced by `…`; what cannot be read is not shown.
public struct WireTrace: Sendable {
    /// The words that mark a field as secret: those of `csrf-token`, `sessionID`, `set-cookie` are among them.
    public static let secretWords = Redaction.secretWords

    let writer: TraceWriter
    let write: @Sendable (String) -> Void

    /// Hands each line to a closure: in order, one at a time, never on the client's loop.
    ///
    /// A closure that does not keep up loses the oldest; 4,096 entries of 16 MiB together wait for it.
    ///
    /// - Parameters:
    ///   - words: A field is secret when a word of its name is among these, whatever its case. The default is `secretWords`.
    ///   - maximumLength: How many characters of a value are shown. The default is 2,000.
    ///   - write: Takes a line without its end.
    public init(
        redacting words: [String] = secretWords, maximumLength: Int = 2_000,
        _ write: @escaping @Sendable (String) -> Void
    ) {
        writer = TraceWriter(redaction: Redaction(words: words), maximumLength: maximumLength)
        self.write = write
    }

    /// Writes to standard error.
    public static var standardError: WireTrace { WireTrace { StandardError.write($0) } }

    /// What the environment asks for: `SENTE_TRACE=1` traces every client that is not told otherwise to standard error.
    static var ofEnvironment: WireTrace? {
        let word = ProcessInfo.processInfo.environment["SENTE_TRACE"] ?? ""
        return ["", "0", "false", "no", "off"].contains(word.lowercased()) ? nil : .standardError
    }
}
