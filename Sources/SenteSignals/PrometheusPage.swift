// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// A page of metrics as Prometheus reads it (text format 0.0.4).
///
///     var page = PrometheusPage()
///     page.counter("app_messages_total", "Messages that came in.", 17, labels: ["room": "lobby"])
///     page.gauge("app_members", "Who is there now.", 3)
///     page.histogram("app_call_duration_seconds", "How long calls took.", durations)
///     respond(page.text, type: PrometheusPage.contentType)
///
/// Every page is valid: what names may not hold becomes `_`, a counter's name gets its `_total`, and what is given again for the
/// same metric and labels adds up. A metric keeps the kind and the help that were given first; what is given under one of its
/// names for another kind is left out.
public struct PrometheusPage: Sendable {
    /// What its `content-type` is.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private enum Content: Sendable {
        case counter([Series<Double>])
        case gauge([Series<Double>])
        case histogram([Series<Histogram>])
    }

    /// The values of a metric under one set of labels.
    private struct Series<Measure: Sendable>: Sendable {
        /// As they are written, without braces: `room="lobby",user="ann"`.
        var labels: String
        var value: Measure
    }

    private struct Metric: Sendable {
        var name: String
        var help: String
        var content: Content

        /// The names that stand in its lines.
        var lineNames: Set<String> {
            guard case .histogram = content else { return [name] }
            return [name, name + "_bucket", name + "_sum", name + "_count"]
        }
    }

    /// In the order in which they were given first.
    private var metrics: [Metric] = []

    /// Makes an empty page.
    public init() {}

    /// Adds to something that only grows.
    public mutating func counter(
        _ name: String, _ help: String, _ value: Double, labels: [String: String] = [:]
    ) {
        let name = PrometheusText.name(name)
        update(name.hasSuffix("_total") ? name : name + "_total", help, .counter([])) { content in
            guard case .counter(var series) = content else { return }
            Self.add(value, labels, to: &series, +=)
            content = .counter(series)
        }
    }

    /// Adds to something that only grows.
    public mutating func counter(
        _ name: String, _ help: String, _ value: some BinaryInteger, labels: [String: String] = [:]
    ) {
        counter(name, help, Double(value), labels: labels)
    }

    /// Adds to something that goes up and down.
    public mutating func gauge(
        _ name: String, _ help: String, _ value: Double, labels: [String: String] = [:]
    ) {
        update(PrometheusText.name(name), help, .gauge([])) { content in
            guard case .gauge(var series) = content else { return }
            Self.add(value, labels, to: &series, +=)
            content = .gauge(series)
        }
    }

    /// Adds to something that goes up and down.
    public mutating func gauge(
        _ name: String, _ help: String, _ value: some BinaryInteger, labels: [String: String] = [:]
    ) {
        gauge(name, help, Double(value), labels: labels)
    }

    /// Adds durations; they are written in seconds.
    public mutating func histogram(
        _ name: String, _ help: String, _ durations: Histogram, labels: [String: String] = [:]
    ) {
        update(PrometheusText.name(name), help, .histogram([])) { content in
            guard case .histogram(var series) = content else { return }
            Self.add(durations, labels, to: &series) { $0.merge($1) }
            content = .histogram(series)
        }
    }

    private mutating func update(
        _ name: String, _ help: String, _ empty: Content, _ body: (inout Content) -> Void
    ) {
        if let index = metrics.firstIndex(where: { $0.name == name }) { return body(&metrics[index].content) }
        var metric = Metric(name: name, help: help, content: empty)
        guard metrics.allSatisfy({ $0.lineNames.isDisjoint(with: metric.lineNames) }) else { return }
        body(&metric.content)
        metrics.append(metric)
    }

    private static func add<Measure>(
        _ value: Measure, _ labels: [String: String], to series: inout [Series<Measure>],
        _ merge: (inout Measure, Measure) -> Void
    ) {
        let labels = PrometheusText.labels(labels)
        if let index = series.firstIndex(where: { $0.labels == labels }) {
            merge(&series[index].value, value)
        } else {
            series.append(Series(labels: labels, value: value))
        }
    }
}

extension PrometheusPage {
    /// The page.
    public var text: String {
        var text = ""
        for metric in metrics {
            text += "# HELP \(metric.name) \(PrometheusText.help(metric.help))\n"
            switch metric.content {
            case .counter(let series):
                text += "# TYPE \(metric.name) counter\n"
                for one in series { Self.write(metric.name, one.labels, one.value, to: &text) }
            case .gauge(let series):
                text += "# TYPE \(metric.name) gauge\n"
                for one in series { Self.write(metric.name, one.labels, one.value, to: &text) }
            case .histogram(let series):
                text += "# TYPE \(metric.name) histogram\n"
                for one in series { Self.write(metric.name, one.labels, one.value, to: &text) }
            }
        }
        return text
    }

    private static func write(_ name: String, _ labels: String, _ value: Double, to text: inout String) {
        text += labels.isEmpty ? name : "\(name){\(labels)}"
        text += " \(PrometheusText.number(value))\n"
    }

    private static func write(_ name: String, _ labels: String, _ durations: Histogram, to text: inout String)
    {
        let bounds = Histogram.bounds.map { PrometheusText.number(seconds($0)) } + ["+Inf"]
        let others = labels.isEmpty ? "" : labels + ","
        var below = 0
        for (bound, count) in zip(bounds, durations.counts) {
            below += count
            write(name + "_bucket", "\(others)le=\"\(bound)\"", Double(below), to: &text)
        }
        write(name + "_sum", labels, seconds(durations.sum), to: &text)
        write(name + "_count", labels, Double(durations.count), to: &text)
    }

    private static func seconds(_ duration: Duration) -> Double { Double(duration.wholeNanoseconds) / 1e9 }
}

/// How names, labels and numbers are written.
private enum PrometheusText {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    static func name(_ text: String) -> String { mended(text, mayHoldColons: true) }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`; two underscores in front are Prometheus' own, `le` is the histogram's.
    private static func label(_ text: String) -> String {
        let name = mended(text, mayHoldColons: false)
        if name == "le" { return "le_" }
        return name.hasPrefix("__") ? "_" + name.drop { $0 == "_" } : name
    }

    private static func mended(_ text: String, mayHoldColons: Bool) -> String {
        let name = String(
            text.unicodeScalars.map { scalar -> Character in
                switch scalar {
                case "a"..."z", "A"..."Z", "0"..."9": Character(scalar)
                case ":" where mayHoldColons: ":"
                default: "_"
                }
            })
        return name.first.map { ("0"..."9").contains($0) } ?? true ? "_" + name : name
    }

    /// In the order of their names.
    static func labels(_ labels: [String: String]) -> String {
        let named = Dictionary(
            labels.sorted { $0.key < $1.key }.map { (label($0.key), $0.value) }, uniquingKeysWith: { $1 })
        return named.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escaped($0.value, quotes: true))\"" }
            .joined(separator: ",")
    }

    static func help(_ text: String) -> String { escaped(text, quotes: false) }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped.append(contentsOf: #"\\"#.unicodeScalars)
            case "\n": escaped.append(contentsOf: #"\n"#.unicodeScalars)
            case "\"" where quotes: escaped.append(contentsOf: #"\""#.unicodeScalars)
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? value.description
    }
}
