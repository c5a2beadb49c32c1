// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry
import Testing

#if os(Linux)
/// In a process of their own, for the streams belong to all tests of one.
@Suite("Handlers that write on standard streams", .timeLimit(.minutes(5)))
struct StandardHandlerTests {
    private static let childVariable = "SENTE_TELEMETRY_STREAMS"

    private static func batch(_ text: String) -> SignalBatch {
        SignalBatch([Signal(time: 0, namespace: "console", message: text)])
    }

    @Test("(child) it writes", .enabled(if: ProcessInfo.processInfo.environment[childVariable] != nil))
    func child() throws {
        let (output, error) = (StandardOutputHandler(), StandardErrorHandler(colors: true))
        for text in ["1", "2"] {
            try output.handle(Self.batch("output \(text)"))
            try error.handle(Self.batch("error \(text)"))
        }
    }

    @Test(
        "each batch is written once, on its stream; in colour where that is no terminal only if asked for",
        .enabled(if: ProcessInfo.processInfo.environment[childVariable] == nil))
    func streams() throws {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = ["--testing-library", "swift-testing", "--filter", "StandardHandlerTests/child"]
        child.environment = ProcessInfo.processInfo.environment.merging(
            [Self.childVariable: "1"], uniquingKeysWith: { $1 })
        let (output, error) = (Pipe(), Pipe())
        (child.standardOutput, child.standardError) = (output, error)
        try child.run()
        // What the child says has room in a pipe, so the one may be read behind the other.
        func lines(_ pipe: Pipe) throws -> [String] {
            let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
            return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
                .filter { $0.contains("[console]") }
        }
        let time = "1970-01-01T00:00:00.000Z"
        #expect(try lines(output) == ["1", "2"].map { "\(time) INFO [console] - output \($0)" })
        #expect(
            try lines(error) == ["1", "2"].map { "\(time) \u{1B}[32mINFO\u{1B}[0m [console] - error \($0)" })
        child.waitUntilExit()
    }
}
#endif
