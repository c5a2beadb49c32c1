// SPDX-License-Identifier: Apache-2.0

#if os(Linux) || os(macOS)
import Foundation
import SenteWire
import Testing

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
        arguments: [
            WireFormat.json, .edn, .transitJSON, .transitJSONVerbose, .transitMessagePack, .senteMessagePack,
        ])
    func agree(format: WireFormat) throws {
        var generator = SplitMix(state: 11)
        // java.util.Date has no finer parts.
        generator.maximumNanoseconds = 0
        var values: [Value] = []
        while values.count < Effort.roundTrips / 20 {
            let value =
                switch format {
                case .json: generator.jsonValue()
                case .edn: generator.value()
                case .senteMessagePack: generator.senteValue()
                default: generator.pythonValue()
                }
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
                return
            }
        }
    }
}
#endif
