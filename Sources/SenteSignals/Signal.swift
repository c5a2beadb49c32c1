// SPDX-License-Identifier: Apache-2.0

public import SenteWire

/// One thing of note, as data.
public struct Signal: Hashable, Sendable {
    /// When, in nanoseconds since 1970 (UTC).
    public var time: Int64
    /// How much it matters.
    public var level: SignalLevel
    /// What it tells of.
    public var kind: SignalKind
    /// Who says it: `my.app.chat`.
    public var namespace: String
    /// What happened, as `namespace/name`, the same for all signals of a call site; nil for a log.
    public var id: String?
    /// A text for people.
    public var message: String?
    /// The same in numbers and names, in the order in which they were given; its keys are keywords.
    public var data: ValueMap
    /// The error it is about.
    public var error: SignalError?
    /// What held around it (`withContext`); its keys are keywords.
    public var context: ValueMap
    /// The trace it belongs to.
    public var trace: TraceContext?
    /// How long it took, of a span.
    public var duration: Duration?
    /// Where it was written: `Module/File.swift`.
    public var file: String?
    /// The line in that file.
    public var line: Int?
    /// Its number among those that its telemetry took, from 1 on; 0 before it was taken.
    public var sequence: UInt64

    /// Makes one of its parts.
    public init(
        time: Int64, level: SignalLevel = .info, kind: SignalKind = .event, namespace: String,
        id: String? = nil,
        message: String? = nil, data: ValueMap = ValueMap(), error: SignalError? = nil,
        context: ValueMap = ValueMap(), trace: TraceContext? = nil, duration: Duration? = nil,
        file: String? = nil, line: Int? = nil, sequence: UInt64 = 0
    ) {
        self.time = time
        self.level = level
        self.kind = kind
        self.namespace = namespace
        self.id = id
        self.message = message
        self.data = data
        self.error = error
        self.context = context
        self.trace = trace
        self.duration = duration
        self.file = file
        self.line = line
        self.sequence = sequence
    }
}
