// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite
import Testing

/// The README and the articles, held to the code.
@Suite("The documentation")
struct DocumentationTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let catalog = "Sources/SenteLite/SenteLite.docc"

    /// Relative to the repository; the examples of *Bridges* name other packages, and are compiled by `.ci/bridges`.
    static let pages: [String] =
        ["README.md"]
        + [catalog, "Sources/SenteTelemetry/SenteTelemetry.docc"].flatMap { catalog in
            ((try? FileManager.default.contentsOfDirectory(
                atPath: root.appendingPathComponent(catalog).path)) ?? [])
                .filter { $0.hasSuffix(".md") && $0 != "Bridges.md" }.sorted().map { "\(catalog)/\($0)" }
        }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    private static func lines(_ path: String) throws -> [Substring] {
        try text(path).split(separator: "\n", omittingEmptySubsequences: false)
    }

    // MARK: Examples

    /// What stands between the fences of `swift`, but for imports and the manifests of packages.
    private static func examples(_ page: String) throws -> [[Substring]] {
        var examples: [[Substring]] = []
        var current: [Substring]?
        for line in try lines(page) {
            if let lines = current, line == "```" {
                examples.append(lines)
                current = nil
            } else if current != nil {
                current?.append(line)
            } else if line == "```swift" {
                current = []
            }
        }
        return examples.filter { $0.first?.hasPrefix("// swift-tools-version") != true }
            .map { Array($0.drop { $0.isEmpty || $0.hasPrefix("import ") || $0.hasPrefix("@testable ") }) }
    }

    /// Whether the lines stand in the source one after the other, all moved by the same indentation.
    private static func contains(_ source: [Substring], _ lines: [Substring]) -> Bool {
        source.indices.dropLast(max(0, lines.count - 1)).contains { start in
            let indentation = source[start].prefix { $0 == " " }
            return zip(source[start...], lines).allSatisfy { there, line in
                line.isEmpty ? there.isEmpty : there == indentation + line
            }
        }
    }

    @Test("each example stands in a file of this folder as it is, and is compiled there", arguments: pages)
    func examplesAreCompiled(page: String) throws {
        let folder = "Tests/SentePublicTests"
        let source = try FileManager.default
            .contentsOfDirectory(atPath: Self.root.appendingPathComponent(folder).path).sorted()
            .flatMap { try Self.lines("\(folder)/\($0)") }
        for example in try Self.examples(page) {
            // Apart, so that a failure does not show the whole source.
            let isThere = Self.contains(source, example)
            #expect(isThere, "\(example.joined(separator: "\n"))")
        }
    }

    @Test("there are pages, and examples on them")
    func arePages() throws {
        #expect(Self.pages.count > 8)
        #expect(try Self.pages.flatMap(Self.examples).count > 25)
    }

    // MARK: Places

    @Test("each file and folder that a page names is there", arguments: pages)
    func placesExist(page: String) throws {
        let words = try Self.text(page).split { "`()\n ".contains($0) }.map(String.init)
        for word in words
        where ["Sources/", "Tests/", "Samples/", ".ci/"].contains(where: word.hasPrefix) {
            let place = Self.root.appendingPathComponent(word).path
            #expect(FileManager.default.fileExists(atPath: place), "\(page) names \(word)")
        }
    }

    // MARK: Tables

    private static func article(_ name: String) throws -> String {
        try text("\(catalog)/\(name).md")
    }

    @Test("the table of settings has each that a configuration has")
    func settingsAreComplete() throws {
        let page = try Self.article("Settings")
        let source = try Self.text("Sources/SenteLite/Configuration.swift")
        let settings = source.matches(of: /\n        public var ([A-Za-z]+):/).map { String($0.1) }
        #expect(settings.contains("timeouts"))
        for name in settings {
            #expect(page.contains("`\(name)`") || page.contains("`\(name)."), "`\(name)` is missing.")
        }
    }

    @Test("the tables of error codes have each code, and no other")
    func codesAreComplete() throws {
        let codes = Set(
            try Self.text("Sources/SenteCore/Public/SenteError.swift").split(separator: "\n").compactMap {
                line in
                line.contains("= Self(rawValue: \"") ? line.split(separator: "\"").dropFirst().first : nil
            }.map(String.init))
        #expect(codes.count > 30)
        var told: Set<String> = []
        for page in ["WhatHappensToEveryMessage", "ThroughTLSProxiesAndTokens"] {
            let table = try Self.article(page).components(separatedBy: "\n| code |").dropFirst().joined()
            for line in table.components(separatedBy: "\n\n")[0].split(separator: "\n").dropFirst(2) {
                let cell = line.split(separator: "|")[0]
                told.formUnion(
                    cell.split(separator: "`").filter { $0.allSatisfy(\.isLetter) }.map(String.init))
            }
        }
        #expect(told == codes)
    }

    @Test("the chat that Getting started ends in has sixty lines at most, and its test twenty-five")
    func tutorialIsShort() throws {
        let files = try Self.examples("\(Self.catalog)/GettingStarted.md").suffix(3).map { $0 }
        try #require(files.count == 3)
        #expect(files[0].contains { $0.hasPrefix("struct Chat") })
        #expect(files[2].contains { $0.hasPrefix("@Test func") })
        // Each begins with three lines at most that import and are left out here.
        #expect(files[0].count + files[1].count <= 60 - 2 * 3)
        #expect(files[2].count <= 25 - 3)
    }

    @Test(
        "each type and function of a public module stands in a group of its landing page",
        arguments: [
            "SenteLite", "SenteCore", "SenteBase", "SenteWire", "SenteTestKit", "SenteSignals",
            "SenteTelemetry",
        ])
    func landingPagesAreComplete(module: String) throws {
        let page = try Self.text("Sources/\(module)/\(module).docc/\(module).md")
        let folder = Self.root.appendingPathComponent("Sources/\(module)").path
        let declaration =
            /^public (?:indirect |final )?(?:struct|enum|class|actor|protocol|typealias|func) (\w+)/
        var count = 0
        for file in try FileManager.default.subpathsOfDirectory(atPath: folder) where file.hasSuffix(".swift")
        {
            for line in try Self.text("Sources/\(module)/\(file)").split(separator: "\n") {
                guard let name = line.prefixMatch(of: declaration)?.1 else { continue }
                count += 1
                // What only Apple's systems have cannot be linked elsewhere.
                let mark = name == "OSLogHandler" ? "`" : "- ``"
                let isThere = page.contains(mark + name + "`") || page.contains(mark + name + "(")
                #expect(isThere, "\(module).md has no ``\(name)``.")
            }
        }
        #expect(count > 5)
    }

    /// How what Apple asks a reason for is written, by what it calls it together; `fstat(` and its kin hold `stat(`.
    private static let askedAbout: [(category: String, words: [String])] = [
        (
            "FileTimestamp",
            ["stat(", "fstatat(", "getattrlist", "attributesOfItem", "creationDate", "modificationDate"]
        ),
        ("SystemBootTime", ["systemUptime", "mach_absolute_time"]),
        ("DiskSpace", ["statfs(", "statvfs(", "systemFreeSize", "volumeAvailableCapacity"]),
        ("ActiveKeyboards", ["activeInputModes"]), ("UserDefaults", ["UserDefaults"]),
    ]

    private static func sources() throws -> [Data] {
        let folder = root.appendingPathComponent("Sources").resolvingSymlinksInPath()
        let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return try files.filter { $0.hasSuffix(".swift") }.map {
            try Data(contentsOf: folder.appendingPathComponent($0))
        }
    }

    @Test("the product says of privacy that it tracks nobody, collects nothing, and what it asks the system")
    func privacy() throws {
        let manifest = "PrivacyInfo.xcprivacy"
        #expect(try Self.text("Package.swift").contains(".copy(\"\(manifest)\")"))
        let data = Data(try Self.text("Sources/SenteLite/\(manifest)").utf8)
        let said = try PropertyListSerialization.propertyList(from: data, format: nil) as? [String: Any]
        #expect(said?["NSPrivacyTracking"] as? Bool == false)
        for list in ["NSPrivacyTrackingDomains", "NSPrivacyCollectedDataTypes"] {
            #expect((said?[list] as? [Any])?.isEmpty == true)
        }
        let types = try #require(said?["NSPrivacyAccessedAPITypes"] as? [[String: Any]])
        #expect(types.allSatisfy { ($0["NSPrivacyAccessedAPITypeReasons"] as? [String])?.isEmpty == false })
        let sources = try Self.sources()
        let called = Self.askedAbout.filter { _, words in
            words.contains { word in sources.contains { $0.range(of: Data(word.utf8)) != nil } }
        }
        #expect(
            Set(types.compactMap { $0["NSPrivacyAccessedAPIType"] as? String })
                == Set(called.map { "NSPrivacyAccessedAPICategory\($0.category)" }))
    }

    @Test("the README is read in one sitting")
    func readmeIsShort() throws {
        #expect(try Self.text("README.md").count { $0 == "\n" } <= 150)
    }
}

extension String {
    fileprivate var lines: [Substring] { split(separator: "\n", omittingEmptySubsequences: false) }
}
