// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite

/// The examples of *Files and streams*, to be compiled; none is ever called.
enum DocumentedStreams {
    static func setUp() throws {
        var configuration = SenteClient.Configuration()
        configuration.flow.streaming = StreamingPolicy()
        configuration.clientID = "office-3"  // by which the server finds the streams of the next process
        let client = try SenteClient("ws://127.0.0.1:3000/", configuration: configuration)
        _ = client
    }

    static func send(_ client: SenteClient, _ url: URL) async throws {
        let upload = try await client.upload(.file(url), to: "reports", metadata: ["filename": "q3.pdf"])
        for await progress in upload.progress { print(progress.percentage ?? 0, progress.throughput) }
        let receipt = try await upload.value
        _ = receipt
    }

    static func write(_ client: SenteClient, _ lines: AsyncStream<String>) async throws {
        let stream = try await client.openUpload(on: "logs", metadata: ["filename": "today.log"])
        for try await line in lines {
            try await stream.write(Array("\(line)\n".utf8))
        }
        stream.finish()
    }

    static func receive(_ client: SenteClient, into folder: URL) async throws {
        for await download in client.downloads(on: "exports") {
            let file = try await download.save(to: folder)
            print("received", file.lastPathComponent)
        }
    }

    static func follow(_ client: SenteClient) async throws {
        for await download in client.downloads(on: "logs") {
            for try await piece in download {
                print(String(decoding: piece.bytes, as: UTF8.self), terminator: "")
            }
        }
    }

    @discardableResult
    static func show(_ bytes: ArraySlice<UInt8>) async -> Bool { !bytes.isEmpty }

    static func push(_ client: SenteClient) {
        client.onDownload(on: "exports") { download, piece in
            await show(piece.bytes) ? .continue : .cancel
        }
    }

    static func call(_ client: SenteClient, _ frame: [UInt8]) async throws {
        let call = try await client.openBidirectional(on: "video")
        call.send(control: ["quality": "low"])
        try await call.write(frame)
        for try await piece in call { await show(piece.bytes) }
    }

    static func stop(_ upload: Upload) {
        upload.pause()
        upload.resume()
        upload.cancel(reason: "The window was closed.")
    }

    static func store(_ upload: Upload, at place: URL) throws {
        try JSONEncoder().encode(upload.position).write(to: place)
    }

    static func goOn(_ client: SenteClient, _ url: URL, from place: URL) async throws {
        let position = try JSONDecoder().decode(StreamPosition.self, from: Data(contentsOf: place))
        let upload = try await client.upload(.file(url), to: "reports", from: position)
        _ = upload
    }

    static func goOn(_ client: SenteClient, _ position: StreamPosition, in folder: URL) async throws {
        let file = try await client.resumeDownload(position).save(to: folder, name: "export.csv")
        _ = file
    }
}
