// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteWire

/// A signal as a map, for the way to a server; what a signal lacks the map lacks too.
extension Signal {
    /// The names of the fields, as the lines of files have them too.
    private enum Name {
        static let time = "time"
        static let level = "level"
        static let kind = "kind"
        static let namespace = "ns"
        static let id = "id"
        static let message = "msg"
        static let data = "data"
        static let error = "error"
        static let context = "ctx"
        static let trace = "trace"
        static let duration = "duration-ms"
        static let file = "file"
        static let line = "line"
        static let type = "type"
        static let errorMessage = "message"
        static let code = "code"
    }

    /// The map.
    package var value: Value {
        var map = ValueMap()
        func set(_ name: String, _ value: Value?) {
            if let value { map[.keyword(Keyword(name))] = value }
        }
        set(Name.time, Value(timestamp.description))
        set(Name.level, .keyword(Keyword(level.name)))
        set(Name.kind, .keyword(Keyword(kind.rawValue)))
        set(Name.namespace, Value(namespace))
        set(Name.id, id.map { Value($0) })
        set(Name.message, message.map { Value($0) })
        set(Name.data, data.isEmpty ? nil : .map(data))
        set(Name.error, error?.value)
        set(Name.context, context.isEmpty ? nil : .map(context))
        set(Name.trace, trace.map { Value($0.traceparent) })
        set(Name.duration, duration.map { .double(Double($0.wholeNanoseconds) / 1e6) })
        set(Name.file, file.map { Value($0) })
        set(Name.line, line.map { Value($0) })
        return .map(map)
    }

    /// A signal of such a map, whoever wrote it: what is missing or of another type is left out.
    ///
    /// Nil when it says neither what happened nor anything in words.
    ///
    /// - Parameters:
    ///   - value: The map.
    ///   - now: Its time if it has none, in nanoseconds since 1970.
    package init?(_ value: Value, at now: Int64) {
        guard let map = value.mapValue else { return nil }
        func text(_ name: String) -> String? { map.value(named: name).flatMap(Self.text) }
        let id = text(Name.id)
        let message = text(Name.message)
        guard id != nil || message != nil else { return nil }
        let level =
            text(Name.level).flatMap { SignalLevel($0) }
            ?? map.value(named: Name.level)?.integerValue.map { SignalLevel(rawValue: Int($0)) }
        self.init(
            time: map.value(named: Name.time).flatMap(Self.nanoseconds) ?? now,
            level: level ?? .info,
            kind: text(Name.kind).flatMap(SignalKind.init) ?? (id == nil ? .log : .event),
            namespace: text(Name.namespace) ?? "", id: id, message: message,
            data: map.value(named: Name.data)?.mapValue ?? ValueMap(),
            error: map.value(named: Name.error).flatMap(Self.error),
            context: map.value(named: Name.context)?.mapValue ?? ValueMap(),
            trace: text(Name.trace).flatMap { TraceContext(traceparent: $0) },
            duration: map.value(named: Name.duration)?.doubleValue.flatMap(Self.duration),
            file: text(Name.file), line: map.value(named: Name.line)?.integerValue.map { Int($0) })
    }

    /// When, as civil time.
    package var timestamp: Timestamp {
        let (milliseconds, rest) = time.quotientAndRemainder(dividingBy: 1_000_000)
        return rest < 0
            ? Timestamp(milliseconds: milliseconds - 1, nanoseconds: UInt32(rest + 1_000_000))
            : Timestamp(milliseconds: milliseconds, nanoseconds: UInt32(rest))
    }

    private static func error(of value: Value) -> SignalError? {
        if let text = text(of: value) { return SignalError(type: "", message: text) }
        guard let map = value.mapValue else { return nil }
        let text = { (name: String) in map.value(named: name).flatMap(Self.text) }
        guard let message = text(Name.errorMessage) ?? text(Name.message) else { return nil }
        return SignalError(type: text(Name.type) ?? "", message: message, code: text(Name.code))
    }

    private static func text(of value: Value) -> String? {
        switch value {
        case .string(let text): text
        case .keyword(let keyword): keyword.text
        default: nil
        }
    }

    /// Of civil time as text or as an instant, or of milliseconds since 1970.
    private static func nanoseconds(of value: Value) -> Int64? {
        let timestamp: Timestamp? =
            switch value {
            case .string(let text): Timestamp(text)
            case .instant(let instant): instant
            case .integer(let milliseconds): Timestamp(milliseconds: milliseconds)
            default: nil
            }
        guard let timestamp else { return nil }
        let (time, isTooFar) = timestamp.milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, isBeyond) = time.addingReportingOverflow(Int64(timestamp.nanoseconds))
        return isTooFar || isBeyond ? nil : sum
    }

    private static func duration(ofMilliseconds milliseconds: Double) -> Duration? {
        Int64(exactly: (milliseconds * 1e6).rounded()).map { .nanoseconds($0) }
    }
}
