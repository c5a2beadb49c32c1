// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    @Suite("References to storage between clients of a server")
    struct ReferencesTests {
        /// 12 MiB and a bit, more than any message may have.
        private static let large: Value = ["text": .string(String(repeating: "large ", count: 2 << 20))]

        private static func client(
            _ port: Int, _ folder: TemporaryFolder, _ delivery: LargeDataPolicy.Delivery
        ) async throws -> SenteClient {
            let storage = try FileStorage(directory: folder.url.path)
            let client = try Loopback.client(port) {
                $0.largeData = LargeDataPolicy(storage: storage, delivery: delivery)
            }
            try await client.connect()
            return client
        }

        private static func withClients(
            _ dialect: ServerConfiguration.Dialect,
            _ body: (_ sender: SenteClient, _ automatic: SenteClient, _ manual: SenteClient, TemporaryFolder)
                async throws -> Void
        ) async throws {
            let folder = try TemporaryFolder()
            try await Loopback.withServer({
                $0 = ServerConfiguration(dialect)
                $0.port = 0
            }) { _, port in
                let sender = try await client(port, folder, .manual)
                let automatic = try await client(port, folder, .automatic)
                let manual = try await client(port, folder, .manual)
                try await body(sender, automatic, manual, folder)
                for client in [sender, automatic, manual] {
                    #expect(client.metrics.connection.attempts == 1)
                    await client.disconnect()
                }
            }
        }

        @Test(
            "12 MiB are published: one listener gets them, another the reference, both in the order of the calls",
            arguments: [ServerConfiguration.Dialect.maps, .vectors])
        func published(_ dialect: ServerConfiguration.Dialect) async throws {
            try await Self.withClients(dialect) { sender, automatic, manual, folder in
                let whole = try await automatic.subscribe("bulk")
                let references = try await manual.subscribe("bulk")
                async let first = sender.publish(Self.large, to: "bulk")
                let second = try sender.enqueue(publish: ["n": 1], to: "bulk")
                _ = try await (first, second.outcome)
                let data = try await whole.take(2).map(\.data)
                #expect(data.contains(Self.large))
                #expect(folder.names.count == 1)
                let came = try await references.take(2).map(\.data)
                let reference = try #require(came.lazy.compactMap { LargeDataReference($0) }.first)
                #expect(try await manual.fetch(reference) == Self.large)
                #expect(automatic.metrics.largeData.fetched == 1)
            }
        }

        @Test("calls in order arrive in order, the large ones whole")
        func order() async throws {
            try await Self.withClients(.maps) { sender, automatic, _, _ in
                let handle = try await automatic.subscribe("bulk")
                for n in 0..<3 {
                    try sender.enqueue(publish: ["n": Value(n)], to: "bulk")
                    try sender.enqueue(publish: Self.large, to: "bulk")
                }
                try sender.enqueue(publish: ["n": 3], to: "bulk")
                let data = try await handle.take(7).map(\.data)
                #expect(data == [["n": 0], Self.large, ["n": 1], Self.large, ["n": 2], Self.large, ["n": 3]])
            }
        }

        @Test("a request of 12 MiB reaches its service whole")
        func requested() async throws {
            try await Self.withClients(.maps) { sender, automatic, _, _ in
                try await automatic.respond(on: "measure") { data in
                    ["count": Value(data["text"]?.stringValue?.utf8.count ?? 0)]
                }
                let answer = try await sender.request(Self.large, on: "measure", timeout: .seconds(60))
                #expect(answer["count"] == Value(12 << 20))
            }
        }

        @Test("an event of 12 MiB leaves as a reference, and one that comes as such is handed over whole")
        func event() async throws {
            try await Self.withClients(.maps) { sender, automatic, manual, folder in
                try await sender.send(Event(id: "app/large", data: Self.large))
                #expect(sender.metrics.largeData.stored == 1)
                #expect(folder.names.count == 1)
            }
            let folder = try TemporaryFolder()
            try await Loopback.withServer { server, port in
                let automatic = try await Self.client(port, folder, .automatic)
                let manual = try await Self.client(port, folder, .manual)
                let whole = Collector<Value>()
                automatic.on("notice") { whole.append($0.data) }
                let bytes = StreamStage.bytes(12 << 20)
                let reference = LargeDataReference(
                    storage: "file",
                    reference: try await FileStorage(directory: folder.url.path).store(bytes, metadata: [:]),
                    size: bytes.count, sha256: DigestFunction.sha256.digest(of: bytes[...]), metadata: [:])
                var events = manual.events.makeAsyncIterator()
                var frame = try #require(reference.value.mapValue)
                frame["type"] = "notice"
                await server.broadcast(.map(frame))
                #expect(await whole.first(1) == [.bytes(bytes)])
                let event = await events.next(isolation: nil)
                #expect(event.flatMap { LargeDataReference($0.data) } == reference)
                for client in [automatic, manual] { await client.disconnect() }
            }
        }

        @Test("what has changed in the storage is not handed over; the reference is, and its fault is told")
        func tampered() async throws {
            try await Self.withClients(.maps) { sender, _, manual, folder in
                let references = try await manual.subscribe("bulk")
                try await sender.publish(Self.large, to: "bulk")
                let reference = try #require(LargeDataReference(try await references.take(1)[0].data))
                var bytes = try folder.read(reference.reference)
                bytes[bytes.count / 2] ^= 1
                _ = try folder.write(bytes, as: reference.reference)
                let failure = await error { () throws(SenteError) in _ = try await manual.fetch(reference) }
                #expect(failure?.code == .checksumMismatch)
            }
        }
    }
}
