// SPDX-License-Identifier: Apache-2.0

/// How a signal is written, as a line that ends in a newline.
///
/// In every format control characters and line ends within texts and names are escaped, so that nothing that was logged can
/// look like a line of its own or move a terminal's cursor.
public enum LineFormat: Hashable, Sendable, CaseIterable {
    /// One JSON object a line; what a signal does not have is left out.
    ///
    ///     {"time":"2026-11-29T10:00:00.000Z","seq":7,"level":"info","kind":"event","ns":"app","id":"app/joined","data":{"n":1}}
    ///
    /// Behind `id` come `msg`, `data`, `error`, `duration-ms`, `ctx`, `trace`, `file` and `line`. Doubles that are no numbers are
    /// written as texts.
    case json
    /// The same as one EDN map a line: its keys, level, kind and id are keywords, its time is an `#inst`.
    case edn
    /// For people: time, level and id, then the data in lines that are indented and at most 72 columns wide.
    ///
    ///     2026-11-29T10:00:00.000Z INFO [app/joined]
    ///       {:n 1}
    ///
    /// A message stands behind the id; an error, a duration, a context and a trace among the data.
    case text
    /// The JSON of telemere-lite: `timestamp`, `level`, `ns`, `msg` (the text, and the data with a `location`), `context` and
    /// `event-id`.
    case telemereLite

    /// The line of one signal, its newline included.
    public func line(of signal: Signal) -> String {
        var writer = LineWriter(self)
        signal.withRecord { writer.write($0) }
        return String(decoding: writer.written, as: UTF8.self)
    }
}
