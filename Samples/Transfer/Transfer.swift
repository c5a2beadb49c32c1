// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal
import SenteLite

/// A client that moves one thing, and shows how far it is.
struct Transfer: Sendable {
    private let arguments: TransferArguments
    private let display: TransferDisplay
    private let position: PositionFile?

    init(_ arguments: TransferArguments, _ display: TransferDisplay) {
        self.arguments = arguments
        self.display = display
        position = PositionFile(arguments.positionFile)
    }

    func connect() async throws -> SenteClient {
        let client = try SenteClient(arguments.url, configuration: arguments.configuration)
        try await client.connect()
        return client
    }

    // MARK: To the server

    func send(_ file: String) async throws {
        let url = URL(fileURLWithPath: file)
        let client = try await connect()
        let upload = try await client.upload(
            .file(url), to: "files", metadata: ["filename": .string(url.lastPathComponent)],
            from: position?.position)
        try await finish(upload, url.lastPathComponent)
        await client.disconnect()
    }

    func tail(_ file: String) async throws {
        let url = URL(fileURLWithPath: file)
        let client = try await connect()
        let upload = try await client.upload(
            .sequence(GrowingFile(url: url)), to: "logs",
            metadata: ["filename": .string(url.lastPathComponent)])
        display.say("Sending \(file) as it grows; Ctrl-C stops.")
        try await finish(upload, url.lastPathComponent)
    }

    func export(_ count: Int) async throws {
        let client = try await connect()
        let upload = try await client.upload(
            .sequence(JSONRows(count: count)), to: "exports", metadata: ["filename": "export.json"])
        try await finish(upload, "export.json")
        await client.disconnect()
    }

    /// Shows an upload to its end; Ctrl-C calls it off at both ends.
    @discardableResult
    func finish(_ upload: Upload, _ label: String) async throws -> StreamReceipt {
        let receipt = try await watched(upload, label) { try await upload.value }
        position?.remove()
        display.end(
            label,
            ["bytes": .integer(Int64(clamping: receipt.bytes)), "answer": receipt.answer],
            "\(TransferDisplay.size(receipt.bytes)) arrived in \(receipt.duration.text); the server keeps "
                + "it as \(receipt.answer.readable)")
        return receipt
    }

    // MARK: From the server

    func receive(_ name: String) async throws {
        let client = try await connect()
        let folder = URL(fileURLWithPath: arguments.folder, isDirectory: true)
        if let stored = position?.position, stored.kind == .download {
            try await save(try client.resumeDownload(stored), as: name, in: folder)
        } else {
            try await save(try await ask(client, for: name), as: name, in: folder)
        }
        await client.disconnect()
    }

    /// Asks for a file; the server opens a download of it on the same channel.
    func ask(_ client: SenteClient, for name: String) async throws -> Download {
        var downloads = client.downloads(on: "files").makeAsyncIterator()
        _ = try await client.request(["name": .string(name)], on: "files")
        guard let download = await downloads.next() else { throw CancellationError() }
        return download
    }

    @discardableResult
    func save(_ download: Download, as name: String, in folder: URL) async throws -> URL {
        let url = try await watched(download, name) { try await download.save(to: folder, name: name) }
        position?.remove()
        display.end(name, ["file": .string(url.path)], "\(url.path) is whole")
        return url
    }

    // MARK: Either

    /// Shows how far a stream is while `body` waits for its end.
    private func watched<Result: Sendable>(
        _ stream: any SenteStream, _ label: String, _ body: () async throws -> Result
    ) async throws -> Result {
        let keys = Keys(stream)
        let termination = Termination { _ in stream.cancel(reason: "The user stopped it.") }
        defer {
            keys.end()
            termination.stopListening()
        }
        let showing = Task { [display] in await display.follow(stream.progress, label) }
        let keeping = Task { [position] in
            for await _ in stream.progress { position?.store(stream.position) }
        }
        defer { keeping.cancel() }
        do {
            let result = try await body()
            await showing.value
            return result
        } catch {
            await showing.value
            throw error
        }
    }
}
