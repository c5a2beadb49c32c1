// SPDX-License-Identifier: Apache-2.0

public import SenteBase
public import SenteWire

/// One thing of note that a client did or met, as data.
public struct ClientSignal: Hashable, Sendable {
    /// How much it matters, with Telemere's numbers.
    public enum Level: Int, Comparable, Sendable, CaseIterable {
        /// Each message and ping.
        case trace = 10
        /// What helps to find a fault.
        case debug = 20
        /// What one wants to know of a healthy client: it connected, it lost its connection.
        case info = 50
        /// Something was lost or refused; the client goes on.
        case warn = 60
        /// The client gave up.
        case error = 70

        /// Whether `lhs` matters less than `rhs`.
        public static func < (lhs: Level, rhs: Level) -> Bool { lhs.rawValue < rhs.rawValue }

        /// Its name.
        public var name: String { String(describing: self) }
    }

    /// When, in milliseconds since 1970.
    public var time: Int64
    /// When, on the monotonic clock.
    public var instant: Instant
    /// How much it matters.
    public var level: Level
    /// What it is: a keyword in the namespace `sente-lite.client`, such as `:sente-lite.client/opened`.
    public var id: Keyword
    /// The same in a sentence.
    public var message: String
    /// The same in numbers and names, by fields that each id has; times are in milliseconds and end in `-ms`.
    public var data: [String: Value]
    /// The error it is about, if it is about one; without its `details` and `body`, which a peer makes as large as it likes.
    public var error: SenteError?
    /// The step of a trace that it belongs to; nil unless the client's `tracing` is on.
    public var trace: TraceContext?

    package init(
        _ level: Level, _ id: StaticString, at moment: Moment, _ message: String,
        _ data: [String: Value] = [:], error: SenteError? = nil
    ) {
        time = moment.wallMilliseconds
        instant = moment.instant
        self.level = level
        self.id = Keyword("sente-lite.client/\(id)")
        self.message = message
        self.data = data
        guard var error else { return }
        error.details = nil
        error.body = []
        self.error = error
        self.data["code"] = Value(error.code.rawValue)
    }
}

extension ClientSignal: CustomStringConvertible {
    /// Time of day (UTC), level, id, sentence and data in one line, whatever a peer's text holds.
    public var description: String {
        let fields = data.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let tail = fields.isEmpty ? "" : "  " + fields.joined(separator: " ")
        return "\(TimeOfDay(milliseconds: time)) \(level.name.uppercased()) \(id.name) "
            + message.excerpt(2_000) + tail
    }
}
