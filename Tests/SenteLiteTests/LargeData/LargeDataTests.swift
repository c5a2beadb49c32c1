// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteTestKit
import SenteTestSupport
import SenteWire
import Testing

/// A storage in memory, which a test may make fail, lie or wait.
final class MemoryStorage: LargeDataStorage {
    struct Gone: Error {}

    let name = "memory"
    let items = Locked<[String: [UInt8]]>([:])
    let metadata = Locked<[[String: String]]>([])
    /// What is done to bytes that are fetched.
    let change = Locked<@Sendable ([UInt8]) -> [UInt8]>({ $0 })
    /// What a reference is called.
    let rename = Locked<@Sendable (String) -> String>({ $0 })
    let isAway = Locked(false)
    let isStuck = Locked(false)
    /// Of tasks that were stuck.
    let beginnings = Collector<Bool>()
    let cancellations = Collector<Bool>()

    private func answer() async throws {
        if isAway.withLock({ $0 }) { throw Gone() }
        guard isStuck.withLock({ $0 }) else { return }
        beginnings.append(true)
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
            cancellations.append(true)
        }
        throw CancellationError()
    }

    func store(_ bytes: [UInt8], metadata: [String: String]) async throws -> String {
        try await answer()
        self.metadata.withLock { $0.append(metadata) }
        let name = items.withLock { items -> String in
            items["\(items.count)"] = bytes
            return "\(items.count - 1)"
        }
        return rename.withLock { $0 }(name)
    }

    func fetch(_ reference: LargeDataReference, limit: Int) async throws -> [UInt8] {
        try await answer()
        guard let bytes = items.withLock({ $0[reference.reference] }) else { throw Gone() }
        return change.withLock { $0 }(bytes)
    }
}

@Suite("Large data, from call to storage and back", .timeLimit(.minutes(5)))
struct LargeDataTests {
    private static let large: Value = ["text": .string(String(repeating: "x", count: 2_000))]

    private static func policy(
        _ storage: MemoryStorage, _ delivery: LargeDataPolicy.Delivery = .manual
    ) -> LargeDataPolicy {
        LargeDataPolicy(storage: storage, referenceFrom: 1_000, maximumBytes: 100_000, delivery: delivery)
    }

    @Test("a publish beyond the bound goes as a reference, with checksum and type; below it as ever")
    func published() async throws {
        let (stage, storage) = (DriverStage(), MemoryStorage())
        let client = try await stage.openClient { $0.largeData = Self.policy(storage) }
        try await client.publish(["n": 1], to: "a")
        let receipt = try await client.publish(Self.large, to: "a")
        #expect(receipt.outcome == .acknowledged)
        let sent = stage.server.received("publish").map { $0["data"] ?? .null }
        #expect(sent.first == ["n": 1])
        let reference = try #require(LargeDataReference(sent[1]))
        #expect(reference.storage == "memory")
        #expect(reference.metadata == ["content-type": "application/transit+json"])
        #expect(storage.items.withLock { $0["0"]?.count } == reference.size)
        #expect(storage.metadata.withLock { $0[0]["sha256"] } == Base16.text(reference.sha256))
        #expect(try await client.fetch(reference) == Self.large)
        #expect(client.metrics.largeData.stored == 1)
        #expect(client.metrics.largeData.fetched == 1)
        await client.disconnect()
    }

    @Test("enqueued messages keep the order of the calls")
    func enqueued() async throws {
        let (stage, storage) = (DriverStage(), MemoryStorage())
        let client = try await stage.openClient { $0.largeData = Self.policy(storage) }
        let deliveries = [
            try client.enqueue(publish: Self.large, to: "a"), try client.enqueue(publish: ["n": 1], to: "a"),
        ]
        for delivery in deliveries { #expect(await delivery.outcome == .acknowledged) }
        let sent = stage.server.received("publish").map { $0["data"] ?? .null }
        #expect(LargeDataReference(sent[0]) != nil)
        #expect(sent[1] == ["n": 1])
        await client.disconnect()
    }

    @Test(
        "a storage that is away, or gives what cannot be sent, fails the call, which says that nothing was sent"
    )
    func away() async throws {
        let (stage, storage) = (DriverStage(), MemoryStorage())
        let client = try await stage.openClient { $0.largeData = Self.policy(storage) }
        storage.isAway.withLock { $0 = true }
        let gone = await error { () throws(SenteError) in try await client.publish(Self.large, to: "a") }
        #expect(gone?.code == .storageFailed)
        #expect(gone?.outcome == .notSent)
        #expect(gone?.underlying?.contains("Gone") == true)
        storage.isAway.withLock { $0 = false }
        storage.rename.withLock { $0 = { _ in "a\nb" } }
        let wrong = await error { () throws(SenteError) in try await client.publish(Self.large, to: "a") }
        #expect(wrong?.code == .storageFailed)
        #expect(stage.server.received("publish").isEmpty)
        #expect(client.metrics.largeData.failures == 2)
        await client.disconnect()
    }

    @Test("a cancelled call, and one whose time is up, cancels the storage's task")
    func calledOff() async throws {
        let (stage, storage) = (DriverStage(), MemoryStorage())
        storage.isStuck.withLock { $0 = true }
        let client = try await stage.openClient { $0.largeData = Self.policy(storage) }
        let task = Task { () -> SenteError? in
            await error { () throws(SenteError) in try await client.publish(Self.large, to: "a") }
        }
        await storage.beginnings.wait { $0.count == 1 }
        task.cancel()
        let failure = await task.value
        #expect(failure?.code == .cancelled)
        #expect(failure?.outcome == .notSent)
        await storage.cancellations.wait { $0.count == 1 }
        let delivery = try client.enqueue(publish: Self.large, to: "a")
        await storage.beginnings.wait { $0.count == 2 }
        stage.advance(by: .seconds(60))
        #expect(await delivery.outcome == .notSent)
        #expect(delivery.error?.code == .timedOut)
        await storage.cancellations.wait { $0.count == 2 }
        await client.disconnect()
    }

    @Test("what is wrong with the call is said before anything is stored")
    func checked() async throws {
        let (stage, storage) = (DriverStage(), MemoryStorage())
        let client = try await stage.openClient { $0.largeData = Self.policy(storage) }
        let huge: Value = ["text": .string(String(repeating: "x", count: 200_000))]
        for (data, channel, code) in [
            (Self.large, "", SenteError.Code.invalidArgument), (huge, "a", .messageTooLarge),
            (.string(String(repeating: "x", count: 2_000)), "a", .invalidArgument),
        ] {
            let failure = await error { () throws(SenteError) in try await client.publish(data, to: channel) }
            #expect(failure?.code == code)
            #expect(failure?.outcome == .notSent)
        }
        #expect(storage.items.withLock { $0.isEmpty })
        await client.disconnect()
    }

    @Test("without a policy a large message is refused by its size, and nothing can be fetched")
    func off() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let data: Value = ["text": .string(String(repeating: "x", count: 2 << 20))]
        let failure = await error { () throws(SenteError) in try await client.publish(data, to: "a") }
        #expect(failure?.code == .messageTooLarge)
        let reference = LargeDataReference(
            storage: "memory", reference: "0", size: 1, sha256: [UInt8](repeating: 0, count: 32),
            metadata: [:])
        let fetching = await error { () throws(SenteError) in _ = try await client.fetch(reference) }
        #expect(fetching?.code == .invalidArgument)
        await client.disconnect()
    }

    @Test("fetching believes neither reference nor storage")
    func hostile() async throws {
        let (stage, storage) = (DriverStage(), MemoryStorage())
        let client = try stage.client("ws://server.test/") { $0.largeData = Self.policy(storage) }
        storage.items.withLock { $0 = ["0": [1, 2, 3]] }
        let sha256 = DigestFunction.sha256.digest(of: [1, 2, 3])
        func code(
            _ storageName: String = "memory", _ name: String = "0", size: Int = 3, sha256: [UInt8] = sha256,
            type: String = "application/octet-stream"
        ) async -> SenteError.Code? {
            let reference = LargeDataReference(
                storage: storageName, reference: name, size: size, sha256: sha256,
                metadata: ["content-type": type])
            return await error { () throws(SenteError) in _ = try await client.fetch(reference) }?.code
        }
        #expect(await code() == nil)
        #expect(await code("other") == .invalidReference)
        #expect(await code("memory", "1") == .storageFailed)
        #expect(await code(size: 2) == .checksumMismatch)
        #expect(await code(size: .max) == .messageTooLarge)
        #expect(await code(sha256: [UInt8](repeating: 0, count: 32)) == .checksumMismatch)
        #expect(await code(type: "application/json") == .undecodable)
        storage.change.withLock { $0 = { $0 + [4] } }
        #expect(await code() == .checksumMismatch)
        // What says too much is not asked of the storage.
        #expect(client.metrics.largeData.failures == 6)
    }

    @Test("settings that make no sense are refused by their names")
    func settings() throws {
        let wrong: [(String, (inout LargeDataPolicy) -> Void)] = [
            ("referenceFrom", { $0.referenceFrom = 0 }), ("maximumBytes", { $0.maximumBytes = .max }),
            ("maximumBytes", { $0.maximumBytes = 0 }), ("timeout", { $0.timeout = .zero }),
        ]
        for (name, change) in wrong {
            var policy = Self.policy(MemoryStorage())
            change(&policy)
            let failure = #expect(throws: SenteError.self) {
                try DriverStage().client("ws://server.test/") { $0.largeData = policy }
            }
            #expect(failure?.code == .invalidArgument)
            #expect(failure?.message.contains("largeData.\(name)") == true)
        }
    }
}
