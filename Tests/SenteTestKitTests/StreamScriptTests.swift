// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@Suite("What a test server does with streams", .timeLimit(.minutes(5)))
struct StreamScriptTests {
    private static func client(in world: TestWorld) throws -> SenteClient {
        var configuration = SenteClient.Configuration()
        configuration.flow.streaming = StreamingPolicy()
        return try world.client(configuration: configuration)
    }

    @Test("an upload that it leaves unread waits, and comes whole when it reads on")
    func unread() async throws {
        let world = TestWorld()
        world.server.takesStreams()
        let client = try Self.client(in: world)
        try await world.run {
            try await client.connect()
            world.server.leavesUploadsUnread()
            let bytes = [UInt8](repeating: 7, count: 400_000)
            let upload = try await client.upload(.bytes(bytes), to: "reports")
            try await world.clock.sleep(for: .seconds(60))
            #expect(world.server.uploads.isEmpty)
            world.server.recovers()
            #expect(try await upload.value.bytes == 400_000)
            #expect(world.server.uploads.map(\.bytes) == [bytes])
        }
    }

    @Test("what is said beside the bytes is noted, and said back")
    func controls() async throws {
        let world = TestWorld()
        world.server.takesStreams()
        let client = try Self.client(in: world)
        try await world.run {
            try await client.connect()
            let call = try await client.openBidirectional(on: "video")
            var answers = call.controls.makeAsyncIterator()
            call.send(control: ["quality": "low"])
            #expect(await answers.next() == ["quality": "low"])
            #expect(world.server.streamControls == [["quality": "low"]])
            call.cancel()
        }
    }

    @Test("a server on a port does the same")
    func onAPort() async throws {
        let server = try LoopbackServer()
        await server.takesStreams()
        try await server.start()
        var configuration = SenteClient.Configuration()
        configuration.flow.streaming = StreamingPolicy()
        let client = try SenteClient(server.url, configuration: configuration)
        try await client.connect()
        let call = try await client.openBidirectional(on: "video")
        var answers = call.controls.makeAsyncIterator()
        call.send(control: ["quality": "low"])
        #expect(await answers.next() == ["quality": "low"])
        #expect(server.streamControls == [["quality": "low"]])
        call.cancel()
        server.leavesUploadsUnread()
        let bytes = [UInt8](repeating: 7, count: 4_000_000)
        let upload = try await client.upload(.bytes(bytes), to: "reports")
        var progress = upload.progress.makeAsyncIterator()
        while let next = await progress.next(), next.creditStalls == 0 {}
        #expect(server.uploads.isEmpty)
        await server.recovers()
        #expect(try await upload.value.bytes == 4_000_000)
        await client.disconnect()
        await server.stop()
    }
}
