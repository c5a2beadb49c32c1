// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite
import SenteServer
import SenteWire

/// Single messages compressed: what is saved, and how long that takes.
enum FlowCompressionBench {
    static func run(_ effort: FlowBench.Effort) async throws {
        let documents = try documents()
        for (dialect, format, name, share) in [
            (ServerConfiguration.Dialect.maps, WireFormat.json, "JSON", 60.0),
            (.vectors, .transitJSON, "Transit", 50.0),
        ] {
            let peers = try await FlowPeers.start(dialect) { $0.format = format }
            await peers.server.createChannel("documents")
            let client = try await peers.client(.only(compression: MessageCompression(minimumBytes: 1)))
            for (document, data) in documents {
                var times: [Double] = []
                var saved = 0.0
                var size = 0
                for _ in 0..<effort.count(200) {
                    let before = client.metrics.compression
                    try await client.publish(["document": data], to: "documents")
                    let after = client.metrics.compression
                    size = after.bytesBefore - before.bytesBefore
                    saved = 100 * (1 - Double(after.bytesAfter - before.bytesAfter) / Double(max(1, size)))
                    times.append((after.time - before.time) / .milliseconds(1))
                }
                guard size > 0 else {
                    output.show(sentence: "\(name), \(document): not a tenth smaller, so it went as it is")
                    continue
                }
                output.show(
                    FlowBar(
                        "\(name), \(document): \(size) bytes, saved", saved, "%",
                        size >= 2_048 ? .atLeast(share) : .none))
                let milliseconds = FlowBench.median(times)
                output.show(
                    FlowBar(
                        "\(name), \(document): compressing 64 KiB at level 6",
                        milliseconds * 65_536 / Double(size), "ms", size >= 32_768 ? .atMost(2) : .none))
            }
            await client.disconnect()
            await peers.server.stop()
        }
    }

    /// Those of `../shared/bench/documents`, where `SENTE_SHARED` says where that is; else two that are made up.
    private static func documents() throws -> [(String, Value)] {
        guard let shared = ProcessInfo.processInfo.environment["SENTE_SHARED"] else {
            output.show(sentence: "SENTE_SHARED is not set, so the documents are made up")
            let text = CompressionBench.Stream.noisy.json(1).string
            let one = try WireFormat.json.decode(Array(text.utf8))
            let many = Value((0..<60).map { number in ["row": Value(number), "of": one] })
            return [("one of readings", one), ("sixty of readings", many)]
        }
        let folder = URL(fileURLWithPath: shared).appendingPathComponent("bench/documents")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return try names.filter { $0.hasSuffix(".json") }.sorted().map { name in
            let bytes = try Data(contentsOf: folder.appendingPathComponent(name))
            return (name, try WireFormat.json.decode([UInt8](bytes)))
        }
    }
}
