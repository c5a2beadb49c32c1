// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions

/// Why nothing could be counted, or what was counted is too much.
struct CountingError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// How many instructions the client takes a message, counted by valgrind: figures that no other load of the machine changes.
///
/// Each way is gone in a process of its own, with fewer and with more messages, and what the process needs besides cancels
/// out. Counts depend on the toolchain, the C library and the kind of processor, so only those of one machine compare.
enum InstructionBench {
    private static let fewer = 1_000
    private static let more = 3_000
    /// By how much a figure may exceed the one that is kept.
    private static let tolerance = 0.05

    /// `instructions [FILE]`: prints the figures, beside those of the file; `instructions --measured NAME --count N`: goes one
    /// way, for the counter.
    static func run(_ arguments: ArraySlice<String>) throws {
        let words = Array(arguments)
        if words.count == 4, words[0] == "--measured", words[2] == "--count", let count = Int(words[3]),
            let path = MeasuredPath(rawValue: words[1])
        {
            return try path.run(count)
        }
        guard words.count <= 1, words.first?.hasPrefix("-") != true else {
            throw UsageError("usage: bench instructions [FILE]")
        }
        let kept = try words.first.map(read) ?? [:]
        let valgrind = try findValgrind()
        var risen: [String] = []
        if !BenchOutput.wantsJSON {
            BenchOutput.standard.write("# instructions a message: `bench instructions`")
        }
        for path in MeasuredPath.allCases {
            BenchOutput.standard.glimpse("counting: \(path.rawValue)")
            let figure = try perMessage(path, valgrind)
            var line = "\(path.rawValue): \(figure)"
            if let old = kept[path.rawValue] {
                line += "  (\(CompressionBench.hundredths(Double(figure) / Double(old))) × \(old))"
                if Double(figure) > Double(old) * (1 + tolerance) { risen.append(path.rawValue) }
            }
            let name = BenchResult.quoted(path.rawValue)
            let json = "{\"path\":\(name),\"instructions\":\(figure)}"
            BenchOutput.standard.write(BenchOutput.wantsJSON ? json : line)
        }
        guard risen.isEmpty else {
            throw CountingError(
                "more than \(Int(tolerance * 100)) % over the file: \(risen.joined(separator: ", "))")
        }
    }

    /// What this prints without a file is a file: lines `name: figure`; what begins with `#` is for people.
    private static func read(_ file: String) throws -> [String: Int] {
        var figures: [String: Int] = [:]
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
            let parts = line.split(separator: ":")
            guard !line.hasPrefix("#") else { continue }
            guard parts.count == 2, let figure = Int(parts[1].drop { $0 == " " }) else {
                throw CountingError("“\(line)” in \(file) is no line `name: figure`.")
            }
            figures[String(parts[0])] = figure
        }
        return figures
    }

    static func findValgrind() throws -> URL {
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        let places = folders.map { "\($0)/valgrind" }
        guard let place = places.first(where: FileManager.default.isExecutableFile) else {
            throw CountingError("valgrind counts the instructions and is missing: apt-get install valgrind")
        }
        return URL(fileURLWithPath: place)
    }

    private static func perMessage(_ path: MeasuredPath, _ valgrind: URL) throws -> Int {
        let few = try count(path, fewer, valgrind)
        return (try count(path, more, valgrind) - few) / (more - fewer)
    }

    /// The instructions of a whole process.
    private static func count(_ path: MeasuredPath, _ count: Int, _ valgrind: URL) throws -> Int {
        let child = BenchServerProcess.another([
            "instructions", "--measured", path.rawValue, "--count", "\(count)",
        ])
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "bench-instructions-\(ProcessInfo.processInfo.processIdentifier)")
        defer { try? FileManager.default.removeItem(at: file) }
        child.arguments =
            ["--tool=callgrind", "--callgrind-out-file=\(file.path)", child.executableURL?.path ?? ""]
            + (child.arguments ?? [])
        child.executableURL = valgrind
        // Tables would else be laid out by chance.
        child.environment = ProcessInfo.processInfo.environment
        child.environment?["SWIFT_DETERMINISTIC_HASHING"] = "1"
        let said = Pipe()
        child.standardError = said
        try child.run()
        let words = try said.fileHandleForReading.readToEnd() ?? Data()
        child.waitUntilExit()
        let total = (try? String(contentsOf: file, encoding: .utf8))?
            .split(separator: "\n").first { $0.hasPrefix("summary: ") || $0.hasPrefix("totals: ") }
            .flatMap { Int($0.drop { !$0.isNumber }) }
        guard child.terminationStatus == 0, let total else {
            throw CountingError("valgrind failed: \(String(decoding: words, as: UTF8.self))")
        }
        return total
    }
}
