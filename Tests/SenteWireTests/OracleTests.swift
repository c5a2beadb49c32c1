// SPDX-License-Identifier: Apache-2.0

#if os(Linux) || os(macOS)
import Foundation
import SenteWire
import Testing

<<<<<<< HEAD
/// Other implementations, asked by way of a script.
private enum Oracle {
    static let python = ProcessInfo.processInfo.environment["SENTE_PYTHON"]

    /// The lines a script of `Tests/Oracles` answers to lines.
    static func answers(_ script: String, _ lines: [String]) throws -> [String] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let input = FileManager.default.temporaryDirectory.appendingPathComponent(
            "oracle-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: input) }
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: input)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(python))
        process.arguments = [folder.appendingPathComponent("Oracles/\(script)").path]
        let output = Pipe()
        process.standardInput = try FileHandle(forReadingFrom: input)
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(separator: "\n").map(String.init)
    }
}

@Suite(
    "Other implementations",
    .enabled(
        if: Oracle.python != nil, "SENTE_PYTHON does not name a Python with the libraries to compare with"))
struct OracleTests {
    @Test(
        "of Transit and MessagePack read what is written here, and are read when they write it again",
        arguments: [WireFormat.transitJSON, .transitJSONVerbose, .transitMessagePack, .senteMessagePack])
    func transitAndMessagePack(format: WireFormat) throws {
        var generator = SplitMix(state: 4)
        let values = (0..<400).map { _ in
            format == .senteMessagePack ? generator.senteValue() : generator.pythonValue()
        }
        let lines = try values.map { "\(format.name) \(hex(try format.encode($0)))" }
        let answers = try Oracle.answers("transit_msgpack.py", lines)
        if let skip = answers.first, skip.hasPrefix("skip: ") { return print(skip) }
        try #require(answers.count == values.count)
        for (value, answer) in zip(values, answers) {
            let bytes = stride(from: 0, to: answer.utf8.count, by: 2).compactMap {
                UInt8(answer.dropFirst($0).prefix(2), radix: 16)
            }
            guard !answer.hasPrefix("error: "), try format.decode(bytes) == value else {
                Issue.record("\(value): \(answer)")
=======
/// A script that has independent implementations read documents and write them again.
private enum Oracle {
    static let hasPython = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains
    {
        FileManager.default.isExecutableFile(atPath: "\($0)/python3")
    }

    private static let script = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Oracles/formats.py")

    /// What came back of each document, in order, nil where it was refused, and what the script said.
    static func answers(_ format: String, _ documents: [[UInt8]]) throws -> (
        said: String, answers: [[UInt8]?]
    ) {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent(
            "oracle-\(UUID().uuidString)")
        let folder = root.appendingPathComponent(format)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        for (number, document) in documents.enumerated() {
            try Data(document).write(to: folder.appendingPathComponent("\(number).in"))
        }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", script.path, root.path]
        process.standardOutput = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let answers = documents.indices.map { number in
            (try? Data(contentsOf: folder.appendingPathComponent("\(number).out"))).map { [UInt8]($0) }
        }
        return (said, answers)
    }
}

@Suite("Independent implementations", .enabled(if: Oracle.hasPython, "there is no python3 here"))
struct OracleTests {
    @Test(
        "read what is written here, and what they write of it is read here as the same value",
        arguments: [WireFormat.json, .edn])
    func agree(format: WireFormat) throws {
        var generator = SplitMix(state: 11)
        // java.util.Date has no finer parts.
        generator.maximumNanoseconds = 0
        var values: [Value] = []
        while values.count < Effort.roundTrips / 20 {
            let value = format == .json ? generator.jsonValue() : generator.value()
            if (try? format.encode(value)) != nil { values.append(value) }
        }
        let (said, answers) = try Oracle.answers(format.name, values.map { try format.encode($0) })
        guard !said.contains("skipped") else { return print(said) }
        for (value, answer) in zip(values, answers) {
            let answer = try #require(answer, "\(value) was refused; \(said)")
            let result = try format.decode(answer)
            guard result == value else {
                Issue.record(
                    "\(value) came back as \(String(decoding: answer, as: UTF8.self)), which is \(result)")
>>>>>>> edn
                return
            }
        }
    }
<<<<<<< HEAD

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension SplitMix {
    /// What transit-python2 keeps as it is: no lists, keys that are names only (it takes 1 and 1.0 for one key),
    /// whole seconds, texts of the basic plane.
    fileprivate mutating func pythonValue(depth: Int = 0) -> Value {
        switch below(depth < 4 ? 12 : 9) {
        case 0: return [.null, true, false, .double(.infinity), .double(-.infinity), .double(.nan)][below(6)]
        case 1: return .integer(Int64(truncatingIfNeeded: next()) >> Int64(below(64)))
        case 2: return .double(double())
        case 3: return .string(["", "~", "^", "`", "^ ", "ü東"][below(6)] + commonName())
        case 4: return .keyword(Keyword(commonName()))
        case 5: return .symbol(Symbol(commonName()))
        case 6: return .uuid(UniqueID(high: next(), low: next()))
        case 7: return .instant(Timestamp(milliseconds: Int64(below(4_000_000_000)) * 1000))
        case 8:
            return .bigInteger(
                BigInteger("1" + String(repeating: "7", count: 19 + below(20))) ?? BigInteger(0))
        case 9: return .vector((0..<below(6)).map { _ in pythonValue(depth: depth + 1) })
        case 10: return .set(ValueSet((0..<below(6)).map { _ in .keyword(Keyword(commonName())) }))
        default:
            return .map(
                ValueMap(
                    (0..<below(6)).map { _ in
                        let name = commonName()
                        let key: Value = below(2) == 0 ? .string(name) : .keyword(Keyword(name))
                        return (key, pythonValue(depth: depth + 1))
                    }))
        }
    }
=======
>>>>>>> edn
}
#endif
