// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite

/// The streams of a client that are under way, and what becomes of each.
actor ClientStreams {
    /// Where requests for files go, and the downloads come; `console serve --streams` answers there.
    private static let files = "files"

    private let client: SenteClient
    private let output: Output
    private var streams: [String: any SenteStream] = [:]

    init(_ client: SenteClient, _ output: Output) {
        self.client = client
        self.output = output
    }

    /// Sends a file, and returns what the server says to the whole of it.
    func upload(_ file: String, to channel: String) async throws -> StreamReceipt {
        let url = URL(fileURLWithPath: file)
        let upload = try await client.upload(
            .file(url), to: channel, metadata: ["filename": .string(url.lastPathComponent)])
        return try await following(upload) { try await upload.value }
    }

    /// Asks for a file, and returns where it was written.
    func download(_ name: String, to folder: String) async throws -> URL {
        var downloads = client.downloads(on: Self.files).makeAsyncIterator()
        _ = try await client.request(["name": .string(name)], on: Self.files)
        guard let download = await downloads.next() else { throw CancellationError() }
        return try await following(download) {
            try await download.save(to: URL(fileURLWithPath: folder, isDirectory: true))
        }
    }

    /// How far each one is.
    func list() async -> Value {
        var list: [Value] = []
        for id in streams.keys.sorted() {
            guard let stream = streams[id] else { continue }
            for await progress in stream.progress {
                list.append(.map(Output.fields(of: progress)))
                break
            }
        }
        return Value(list)
    }

    private func following<Result: Sendable>(
        _ stream: any SenteStream, _ body: () async throws -> Result
    ) async throws -> Result {
        streams[stream.id] = stream
        defer { streams[stream.id] = nil }
        let following = Task { [output] in
            for await progress in stream.progress { output.write(progress: progress) }
        }
        defer { following.cancel() }
        return try await body()
    }
}

extension Output {
    func write(progress: StreamProgress) {
        write(.stream, Self.fields(of: progress).map { ($0.key.stringValue ?? "", $0.value) })
    }

    static func fields(of progress: StreamProgress) -> ValueMap {
        [
            "stream": Value(progress.id), "state": Value(progress.state.rawValue),
            "bytes": Value(Int64(clamping: progress.bytes)),
            "total": progress.totalBytes.map { Value(Int64(clamping: $0)) } ?? .null,
            "bytesPerSecond": Value(progress.throughput.rounded()),
            "elapsed": Value(progress.elapsed.milliseconds),
            "remaining": progress.estimatedRemaining.map { Value($0.milliseconds) } ?? .null,
            "creditStalls": Value(progress.creditStalls), "rewinds": Value(progress.rewinds),
        ]
    }
}
