// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteURLSession
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The libcurl under Foundation, which on Linux has WebSocket only if this process was told to load another.
enum WebSocketCurl {
    static let reason: Comment =
        "the libcurl of this process has no WebSocket: they run in another if SENTE_WEBSOCKET_CURL names one that has"

    /// What to load before everything else in a process that is to have WebSocket: paths with blanks between them.
    static let preload = ProcessInfo.processInfo.environment["SENTE_WEBSOCKET_CURL"]

    /// Whether this process has it, asked once: without it a task fails with "unsupported URL".
    static let isHere: Bool = {
        #if canImport(FoundationNetworking)
        guard let url = URL(string: "ws://127.0.0.1:1/") else { return false }
        let answer = Answer()
        let session = URLSession(configuration: .default)
        let task = session.webSocketTask(with: url)
        task.receive { result in
            if case .failure(let error) = result {
                answer.give((error as NSError).code != NSURLErrorUnsupportedURL)
            }
        }
        task.resume()
        defer { session.invalidateAndCancel() }
        return answer.wait()
        #else
        return true
        #endif
    }()

    private final class Answer: @unchecked Sendable {
        private let given = DispatchSemaphore(value: 0)
        private var isYes = false

        func give(_ isYes: Bool) {
            self.isYes = isYes
            given.signal()
        }

        func wait() -> Bool {
            given.wait()
            return isYes
        }
    }
}

#if os(Linux)
/// On Linux the rest of the tests here run in a process of its own: what is loaded for it would hide this process's libraries.
@Suite("URLSession's WebSocket on Linux", .timeLimit(.minutes(5)))
struct WebSocketCurlTests {
    @Test(
        "With a libcurl that has WebSocket all tests of this room pass",
        .enabled(if: WebSocketCurl.preload != nil && !WebSocketCurl.isHere, WebSocketCurl.reason))
    func inAProcessOfItsOwn() async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = [
            "--testing-library", "swift-testing", "--filter", "SenteURLSessionTests",
        ]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["LD_PRELOAD": WebSocketCurl.preload ?? ""]
        ) { _, new in new }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let lines = text.split(separator: "\n")
        let problems = lines.filter {
            $0.contains("✘") || $0.contains("skipped") || $0.contains("rror")
        }
        #expect(process.terminationStatus == 0, "\(problems.prefix(40).joined(separator: "\n"))")
        // That something ran, and nothing of the transport's was left out.
        #expect(
            lines.contains { $0.contains("Test run with") && $0.contains("passed") },
            "\(text.suffix(2_000))")
        #expect(
            !lines.contains {
                $0.contains("skipped") && !$0.contains("With a libcurl that has WebSocket")
            })
    }
}
#endif
