// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The walls between the rooms, as the page *How it is built* tells them and the sources keep them.
@Suite("The rooms")
struct RoomsTests {
    struct Room: Sendable, CustomTestStringConvertible {
        /// The folder, relative to the repository.
        var path: String
        var isPure: Bool
        var sees: Set<String>

        var testDescription: String { path }
    }

    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The rows of the page's table.
    static let rooms: [Room] = {
        let page = root.appendingPathComponent("Sources/SenteLite/SenteLite.docc/HowItIsBuilt.md")
        let lines = (try? String(contentsOf: page, encoding: .utf8))?.split(separator: "\n") ?? []
        return lines.filter { $0.hasPrefix("| `Sources/") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            return Room(
                path: cells[0].replacingOccurrences(of: "`", with: ""), isPure: cells[2] == "yes",
                sees: Set(cells[3].split { !$0.isLetter }.map(String.init)).subtracting(["nothing"]))
        }
    }()

    /// The lines of a room's Swift files that are no comments.
    private static func code(_ room: Room) throws -> [(file: String, line: Substring)] {
        let folder = root.appendingPathComponent(room.path).path
        return try FileManager.default.subpathsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".swift") }
            .flatMap { file in
                try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8).split(separator: "\n")
                    .map { line in (file, line.drop { $0 == " " }) }
            }
            .filter { !$0.line.hasPrefix("//") }
    }

    private static func imports(_ room: Room) throws -> [(file: String, module: String)] {
        try code(room).compactMap { file, line in
            let words = line.split(separator: " ")
            guard let index = words.prefix(3).firstIndex(of: "import"), index + 1 < words.count else {
                return nil
            }
            return (file, String(words[index + 1]))
        }
    }

    /// The tests of the sample apps, which have what an app's developer has, and the apps.
    static let appTests = Room(
        path: "Tests/SampleTests", isPure: false,
        sees: [
            "SenteLite", "SenteTestKit", "SenteTelemetry", "Testing", "Foundation", "SampleTestSupport",
            "SampleTerminal", "SampleOptions", "chat", "console", "echo", "bench", "pipeline", "transfer",
        ])
    /// What starts a sample as a process for them: neither a client nor a server.
    static let appTestSupport = Room(
        path: "Tests/SampleTestSupport", isPure: false,
        sees: ["SenteLite", "SenteTestSupport", "Foundation", "Darwin", "Glibc", "Musl"])

    @Test(
        "the sample apps' own tests use nothing but the kit, public names and the samples",
        arguments: [appTests, appTestSupport])
    func appTestsUseTheKit(room: Room) throws {
        for (file, module) in try Self.imports(room) {
            #expect(room.sees.contains(module), "\(room.path)/\(file) imports \(module).")
        }
    }

    @Test("the sample apps' own tests have no package access, and start no `console serve`")
    func appTestsSeePublicNames() throws {
        let manifest = try String(
            contentsOf: Self.root.appendingPathComponent("Package.swift"), encoding: .utf8)
        let target = try #require(manifest.components(separatedBy: "\"SampleTests\",").last)
        #expect(target.components(separatedBy: "tests(")[0].contains("packageAccess: false"))
        for (file, line) in try Self.code(Self.appTests) {
            #expect(!line.contains("SampleProcess([\"serve\""), "\(file): \(line)")
        }
    }

    @Test("the table has every room")
    func tableIsComplete() throws {
        let folders = try FileManager.default.contentsOfDirectory(
            atPath: Self.root.appendingPathComponent("Sources").path)
        #expect(Set(Self.rooms.map(\.path)) == Set(folders.map { "Sources/\($0)" }))
        #expect(Self.rooms.count(where: \.isPure) == 5)
    }

    @Test("a room imports the rooms it sees, and no other", arguments: rooms)
    func importsWhatItSees(room: Room) throws {
        let own = Set(Self.rooms.map { String($0.path.dropFirst("Sources/".count)) })
        #expect(Set(try Self.imports(room).map(\.module)).intersection(own) == room.sees)
    }

    @Test(
        "a pure room imports nothing of the system, but for two bridges to Foundation",
        arguments: rooms.filter(\.isPure))
    func pureRoomsImportNothing(room: Room) throws {
        let others = try Self.imports(room).filter { !room.sees.contains($0.module) }
        let bridges: Set = ["Value+Foundation.swift", "Support/Base64.swift"]
        #expect(Set(others.map(\.file)).isSubset(of: bridges), "\(others)")
    }

    @Test("a pure room awaits nothing, and asks no clock and no dice", arguments: rooms.filter(\.isPure))
    func pureRoomsAreValues(room: Room) throws {
        let impure: Set<String> = [
            "async", "await", "Task", "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator",
        ]
        for (file, line) in try Self.code(room) {
            let words = Set(line.split { !$0.isLetter }.map(String.init))
            #expect(words.isDisjoint(with: impure), "\(file): \(line)")
        }
    }
}
