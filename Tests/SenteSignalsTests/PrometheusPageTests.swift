// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import Testing

@Suite("Pages for Prometheus")
struct PrometheusPageTests {
    @Test("counters and gauges stand under their help and type")
    func simple() {
        var page = PrometheusPage()
        page.counter("app_messages_total", "Messages.", 17, labels: ["room": "lobby", "kind": "text"])
        page.gauge("app_members", "Members.", 2.5)
        page.counter("app_messages_total", "Not this.", 1)
        #expect(
            page.text == """
                # HELP app_messages_total Messages.
                # TYPE app_messages_total counter
                app_messages_total{kind="text",room="lobby"} 17
                app_messages_total 1
                # HELP app_members Members.
                # TYPE app_members gauge
                app_members 2.5

                """)
        #expect(PrometheusPage().text.isEmpty)
    }

    @Test("what is given again adds up")
    func addsUp() throws {
        var page = PrometheusPage()
        var durations = Histogram()
        durations.record(.milliseconds(3))
        for _ in 0..<2 {
            page.counter("a", "", 2, labels: ["x": "1"])
            page.gauge("b", "", -1)
            page.histogram("c_seconds", "", durations)
        }
        let read = try PrometheusReader.read(page.text)
        #expect(read.value("a_total", ["x": "1"]) == 4)
        #expect(read.value("b") == -2)
        #expect(read.value("c_seconds_count") == 2)
        #expect(read.value("c_seconds_sum") == 0.006)
    }

    @Test("a histogram's buckets rise to all of them, in seconds")
    func histogram() throws {
        var durations = Histogram()
        for duration in [Duration.microseconds(1), .milliseconds(3), .milliseconds(3), .seconds(500)] {
            durations.record(duration)
        }
        var page = PrometheusPage()
        page.histogram("call_seconds", "Calls.", durations, labels: ["to": "a"])
        let read = try PrometheusReader.read(page.text)
        #expect(read.value("call_seconds_bucket", ["to": "a", "le": "1e-06"]) == 1)
        #expect(read.value("call_seconds_bucket", ["to": "a", "le": "0.002"]) == 1)
        #expect(read.value("call_seconds_bucket", ["to": "a", "le": "0.005"]) == 3)
        #expect(read.value("call_seconds_bucket", ["to": "a", "le": "100"]) == 3)
        #expect(read.value("call_seconds_bucket", ["to": "a", "le": "+Inf"]) == 4)
        #expect(read.value("call_seconds_count", ["to": "a"]) == 4)
        #expect(read.value("call_seconds_sum", ["to": "a"]) == 500.006001)
    }

    @Test("what names may not hold becomes an underscore")
    func names() throws {
        var page = PrometheusPage()
        page.counter(
            "9 lives-é", "", 1, labels: ["a-b": "1", "__name__": "2", "le": "3", "": "4", "c:d": "5"])
        page.gauge("", "", 1)
        page.gauge("a:b", "", 1)
        let read = try PrometheusReader.read(page.text)
        #expect(
            read.value("_9_lives___total", ["a_b": "1", "_name__": "2", "le_": "3", "_": "4", "c_d": "5"])
                == 1)
        #expect(read.value("_") == 1)
        #expect(read.value("a:b") == 1)
    }

    @Test("a name keeps its kind")
    func kinds() throws {
        var page = PrometheusPage()
        page.gauge("a_total", "", 1)
        page.counter("a", "", 5)
        page.histogram("h", "", Histogram())
        page.gauge("h_count", "", 5)
        page.gauge("i_sum", "", 5)
        page.gauge("j", "", 5)
        page.histogram("j", "", Histogram())
        page.histogram("i", "", Histogram())
        let read = try PrometheusReader.read(page.text)
        #expect(read.value("a_total") == 1)
        #expect(read.value("h_count") == 0)
        #expect(read.value("i_sum") == 5 && read.value("i_count") == nil)
        #expect(read.value("j") == 5)
    }

    @Test("of labels that become one the last by name stays")
    func sameLabels() throws {
        var page = PrometheusPage()
        page.gauge("g", "", 1, labels: ["a-b": "1", "a_b": "3", "a.b": "2"])
        #expect(try PrometheusReader.read(page.text).value("g", ["a_b": "3"]) == 1)
    }

    @Test("numbers that are none are written as Prometheus has them")
    func numbers() throws {
        var page = PrometheusPage()
        for (index, number) in [Double.nan, .infinity, -.infinity, 1e300, 0.1, -0.0, 123_456_789_012]
            .enumerated()
        {
            page.gauge("g", "", number, labels: ["n": "\(index)"])
        }
        let read = try PrometheusReader.read(page.text)
        #expect(read.value("g", ["n": "0"])?.isNaN == true)
        #expect(read.value("g", ["n": "1"]) == .infinity)
        #expect(read.value("g", ["n": "2"]) == -.infinity)
        #expect(read.value("g", ["n": "3"]) == 1e300)
        #expect(read.value("g", ["n": "6"]) == 123_456_789_012)
    }

    @Test("any text whatever gives a page that reads back")
    func randomTexts() throws {
        var generator = Generator(seed: 3)
        let letters = Array("ab_:\"\\\n\r {}=,#le0é\u{0}\u{2028}")
        func text() -> String {
            String(
                (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                    letters.randomElement(using: &generator) ?? "a"
                })
        }
        for _ in 0..<300 {
            var page = PrometheusPage()
            for _ in 0..<8 {
                let labels = [text(): text(), "always": text()]
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: page.counter(text(), text(), 1, labels: labels)
                case 1: page.gauge(text(), text(), 1, labels: labels)
                default: page.histogram(text(), text(), Histogram(), labels: labels)
                }
            }
            _ = try PrometheusReader.read(page.text)
        }
        var page = PrometheusPage()
        page.gauge("g", "a\\b\nc\"", 1, labels: ["l": "a\\b\nc\"d,}"])
        #expect(try PrometheusReader.read(page.text).value("g", ["l": "a\\b\nc\"d,}"]) == 1)
        #expect(page.text.hasPrefix("# HELP g a\\\\b\\nc\"\n"))
    }

    @Test("the first names pass, the rest is one")
    func boundedNames() {
        var names = BoundedNames(2)
        #expect(["a", "b", "c", "a", "d"].map { names.name(for: $0) } == ["a", "b", "other", "a", "other"])
    }
}

/// Reads a page as strictly as the format's description allows, and checks what it asks of a page as a whole.
private struct PrometheusReader {
    struct Malformed: Error {
        var line: String
        var reason: String
    }

    struct Sample: Hashable {
        var name: String
        var labels: [String: String]
    }

    private var values: [Sample: Double] = [:]
    private var kinds: [String: String] = [:]
    private var order: [Sample] = []

    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        values[Sample(name: name, labels: labels)]
    }

    static func read(_ text: String) throws -> PrometheusReader {
        var reader = PrometheusReader()
        guard text.utf8.last == UInt8(ascii: "\n") else {
            throw Malformed(line: "", reason: "no last newline")
        }
        var current = ""
        var helped = Set<String>()
        for line in text.unicodeScalars.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map {
                String($0)
            }
            if words.first == "#" {
                try reader.comment(words, String(line), &helped, &current)
            } else {
                try reader.sample(String(line), of: current)
            }
        }
        try reader.checkHistograms()
        return reader
    }

    private mutating func comment(
        _ words: [String], _ line: String, _ helped: inout Set<String>, _ current: inout String
    ) throws {
        guard words.count >= 3, Self.isName(words[2], colons: true) else {
            throw Malformed(line: line, reason: "comment")
        }
        if words[1] == "HELP" {
            guard helped.insert(words[2]).inserted else { throw Malformed(line: line, reason: "two helps") }
            current = words[2]
        } else {
            guard words[1] == "TYPE", words.count == 4, words[2] == current, kinds[current] == nil,
                ["counter", "gauge", "histogram"].contains(words[3]),
                words[3] != "counter" || current.hasSuffix("_total")
            else { throw Malformed(line: line, reason: "type") }
            kinds[current] = words[3]
        }
    }

    private mutating func sample(_ line: String, of metric: String) throws {
        var rest = line.unicodeScalars[...]
        func take(while condition: (Unicode.Scalar) -> Bool) -> String {
            let taken = rest.prefix(while: condition)
            rest = rest.dropFirst(taken.count)
            return String(taken)
        }
        func expect(_ scalar: Unicode.Scalar) throws {
            guard rest.popFirst() == scalar else { throw Malformed(line: line, reason: "no \(scalar)") }
        }
        let name = take { $0 != "{" && $0 != " " }
        var labels: [String: String] = [:]
        if rest.first == "{" {
            repeat {
                rest = rest.dropFirst()
                let label = take { $0 != "=" }
                try expect("=")
                try expect("\"")
                var value = ""
                while let scalar = rest.popFirst(), scalar != "\"" {
                    guard scalar == "\\" else {
                        value.unicodeScalars.append(scalar)
                        continue
                    }
                    switch rest.popFirst() {
                    case "\\": value += "\\"
                    case "\"": value += "\""
                    case "n": value += "\n"
                    default: throw Malformed(line: line, reason: "escape")
                    }
                }
                guard Self.isName(label, colons: false), !label.hasPrefix("__"), labels[label] == nil else {
                    throw Malformed(line: line, reason: "label")
                }
                labels[label] = value
            } while rest.first == ","
            try expect("}")
        }
        try expect(" ")
        let number = String(rest)
        let special: [String: Double] = ["NaN": .nan, "+Inf": .infinity, "-Inf": -.infinity]
        guard Self.isName(name, colons: true), belongs(name, to: metric),
            let value = special[number] ?? Double(number).flatMap({ $0.isFinite ? $0 : nil })
        else { throw Malformed(line: line, reason: "name or value") }
        let sample = Sample(name: name, labels: labels)
        guard values.updateValue(value, forKey: sample) == nil else {
            throw Malformed(line: line, reason: "again")
        }
        order.append(sample)
    }

    private func belongs(_ name: String, to metric: String) -> Bool {
        kinds[metric] == "histogram"
            ? ["_bucket", "_sum", "_count"].contains { metric + $0 == name } : metric == name
    }

    private func checkHistograms() throws {
        for metric in kinds.filter({ $0.value == "histogram" }).keys {
            var series: [[String: String]: [(bound: Double, count: Double)]] = [:]
            for sample in order where sample.name == metric + "_bucket" {
                var labels = sample.labels
                let bound = labels.removeValue(forKey: "le") ?? ""
                series[labels, default: []].append(
                    (bound == "+Inf" ? .infinity : Double(bound) ?? .nan, values[sample] ?? .nan))
            }
            for (labels, buckets) in series {
                let isRising = zip(buckets, buckets.dropFirst()).allSatisfy {
                    $0.bound < $1.bound && $0.count <= $1.count
                }
                guard isRising, buckets.last?.bound == .infinity,
                    buckets.last?.count == value(metric + "_count", labels),
                    value(metric + "_sum", labels) != nil
                else { throw Malformed(line: metric, reason: "histogram") }
            }
        }
    }

    private static func isName(_ text: String, colons: Bool) -> Bool {
        guard let first = text.unicodeScalars.first, !("0"..."9").contains(first) else { return false }
        return text.unicodeScalars.allSatisfy {
            switch $0 {
            case "a"..."z", "A"..."Z", "0"..."9", "_": true
            case ":": colons
            default: false
            }
        }
    }
}
