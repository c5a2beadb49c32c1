// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteTestKit
import SenteTestSupport
import SenteWire
import Testing

@Suite("Streams of a client", .timeLimit(.minutes(5)))
struct SenteClientStreamsTests {
    @Test("an upload arrives as it was, with its metadata, and its receipt comes back")
    func upload() async throws {
        let stage = try StreamStage()
        let (client, server) = (stage.client, stage.world.server)
        let bytes = StreamStage.bytes(30_000)
        try await stage.run {
            let upload = try await client.upload(
                .bytes(bytes), to: "reports", metadata: ["filename": "q3.pdf"])
            let receipt = try await upload.value
            #expect(receipt.bytes == 30_000)
            #expect(receipt.answer == ["size": 30_000])
            let arrived = try #require(server.uploads.first)
            #expect(arrived.bytes == bytes)
            #expect(arrived.channel == "reports")
            #expect(arrived.metadata["filename"] == "q3.pdf")
        }
        let numbers = client.metrics.streaming
        #expect(numbers.completed == 1)
        #expect(numbers.active == 0)
        #expect(numbers.bytes == 30_000)
    }

    @Test("the last that progress tells is the end")
    func progress() async throws {
        let stage = try StreamStage()
        let client = stage.client
        try await stage.run {
            let upload = try await client.upload(.bytes(StreamStage.bytes(20_000)), to: "reports")
            var last: StreamProgress?
            for await progress in upload.progress { last = progress }
            #expect(last?.state == .completed)
            #expect(last?.percentage == 100)
            #expect(last?.bytes == 20_000)
            for await progress in upload.progress { #expect(progress.state == .completed, "it stays known") }
        }
    }

    @Test("what happens to a stream is told in signals, and its bytes as numbers")
    func signals() async throws {
        let stage = try StreamStage()
        let client = stage.client
        try await stage.run {
            var signals = client.signals.makeAsyncIterator()
            let upload = try await client.upload(.bytes(StreamStage.bytes(20_000)), to: "reports")
            var ids: [String] = []
            while let signal = await signals.next(), ids.last != "stream-complete" {
                guard signal.data["stream-id"] == Value(upload.id) else { continue }
                if ids.last != signal.id.name { ids.append(signal.id.name) }
            }
            #expect(ids == ["stream-started", "stream-progress", "stream-complete"])
            let cancelled = try await client.openUpload(on: "sensor")
            cancelled.cancel(reason: "enough")
            while let signal = await signals.next(), signal.id.name != "stream-failed" {}
            #expect(client.metrics.streaming.failed == 1)
        }
    }

    @Test("what is written by hand arrives, over a cut connection too", arguments: [true, false])
    func openUpload(resumes: Bool) async throws {
        let stage = try StreamStage { if !resumes { $0.flow.resumption = nil } }
        let (client, server) = (stage.client, stage.world.server)
        let bytes = StreamStage.bytes(50_000)
        try await stage.run {
            let stream = try await client.openUpload(on: "sensor", totalSize: 50_000)
            try await stream.write(bytes[..<20_000])
            server.cut()
            try await stream.write(bytes[20_000...])
            stream.finish()
            #expect(try await stream.value.bytes == 50_000)
            #expect(server.uploads.first?.bytes == bytes)
            let error = await error { () throws(SenteError) in try await stream.write([1]) }
            #expect(error?.code == .invalidArgument)
        }
        #expect(client.metrics.connection.attempts == 2)
    }

    @Test("a server that reads nothing stops its writer within the credits, and nothing else")
    func backpressure() async throws {
        let stage = try StreamStage()
        let (client, server, clock) = (stage.client, stage.world.server, stage.world.clock)
        server.leavesUploadsUnread()
        try await stage.run {
            let stream = try await client.openUpload(on: "sensor")
            let written = Collector<Int>()
            let writer = Task {
                while true {
                    try await stream.write([UInt8](repeating: 7, count: 1_024))
                    written.append(1_024)
                }
            }
            try await clock.sleep(for: .seconds(10))
            #expect(written.elements.count <= 11, "ten are credited, and one waits to go")
            #expect(written.elements.count >= 10)
            #expect(try await client.ping() >= .zero)
            writer.cancel()
            _ = await writer.result
            let error = await error { () throws(SenteError) in _ = try await stream.value }
            #expect(error?.code == .cancelled)
        }
        #expect(client.metrics.streaming.active == 0)
        #expect(client.metrics.streaming.failed == 1)
    }

    @Test("a paused upload goes on after resume()")
    func pause() async throws {
        let stage = try StreamStage()
        let (client, server, clock) = (stage.client, stage.world.server, stage.world.clock)
        try await stage.run {
            let stream = try await client.openUpload(on: "sensor")
            stream.pause()
            try await stream.write([1, 2, 3])
            stream.finish()
            try await clock.sleep(for: .seconds(90))
            #expect(server.uploads.isEmpty)
            stream.resume()
            #expect(try await stream.value.bytes == 3)
        }
    }

    @Test("a download gives its pieces, and what the server says of it")
    func downloads() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let (client, server) = (stage.client, stage.world.server)
        let bytes = StreamStage.bytes(150_000)
        try await stage.run {
            server.offersDownload(bytes, on: "exports", metadata: ["filename": "all.csv"])
            var downloads = client.downloads(on: "exports").makeAsyncIterator()
            let download = try #require(await downloads.next())
            #expect(download.metadata["filename"] == "all.csv")
            #expect(download.totalBytes == 150_000)
            #expect(download.channel == "exports")
            #expect(try await download.collect() == bytes)
            #expect(try await download.value.bytes == 150_000)
        }
        #expect(client.metrics.streaming.completed == 1)
    }

    @Test("an offer waits for somebody who takes its channel, and comes again over a new connection")
    func offers() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let (client, server, clock) = (stage.client, stage.world.server, stage.world.clock)
        try await stage.run {
            server.offersDownload([1, 2, 3], on: "exports")
            try await clock.sleep(for: .seconds(5))
            #expect(client.metrics.streaming.active == 1)
            let other = Task {
                for await download in client.downloads(on: "other") { return try await download.collect() }
                return []
            }
            try await clock.sleep(for: .seconds(5))
            server.cut()
            try await clock.sleep(for: .seconds(5))
            var downloads = client.downloads().makeAsyncIterator()
            let download = try #require(await downloads.next())
            #expect(try await download.collect() == [1, 2, 3])
            other.cancel()
            #expect(try await other.value == [], "that channel had nothing")
        }
    }

    @Test("who drops a download without taking it refuses it; who leaves it in the middle calls it off")
    func dropped() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let (client, server) = (stage.client, stage.world.server)
        try await stage.run {
            server.offersDownload(StreamStage.bytes(150_000), on: "exports")
            server.offersDownload(StreamStage.bytes(150_000), on: "exports")
            var downloads = client.downloads(on: "exports").makeAsyncIterator()
            _ = await downloads.next()
            var second = await downloads.next()
            for try await _ in try #require(second) { break }
            second = nil
            try await eventually("both are over") { client.metrics.streaming.active == 0 }
        }
        #expect(client.metrics.streaming.failed == 2)
    }

    @Test("a closure gets each piece, may pause, and may call off")
    func onDownload() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let (client, server, clock) = (stage.client, stage.world.server, stage.world.clock)
        let bytes = StreamStage.bytes(150_000)
        try await stage.run {
            let got = Collector<StreamPiece>()
            let paused = Collector<Download>()
            let registration = client.onDownload(on: "exports") { download, piece in
                got.append(piece)
                guard piece.index == 1 else { return .continue }
                paused.append(download)
                return .pause
            }
            server.offersDownload(bytes, on: "exports")
            try await clock.sleep(for: .seconds(90))
            #expect(got.elements.map(\.index) == [0, 1])
            let download = try #require(paused.elements.first)
            download.resume()
            _ = try await download.value
            #expect(got.elements.flatMap(\.bytes) == bytes)
            registration.cancel()
            client.onDownload(on: "exports") { _, _ in .cancel }
            server.offersDownload(bytes, on: "exports")
            try await clock.sleep(for: .seconds(1))
        }
        #expect(client.metrics.streaming.active == 0)
        #expect(client.metrics.streaming.failed == 1)
    }

    @Test("bytes go both ways, and messages beside them")
    func bidirectional() async throws {
        let stage = try StreamStage()
        let client = stage.client
        try await stage.run {
            let call = try await client.openBidirectional(on: "video", metadata: ["codec": "none"])
            call.send(control: ["zoom": 2])
            var controls = call.controls.makeAsyncIterator()
            #expect(await controls.next() == ["zoom": 2])
            try await call.write([1, 2, 3])
            var pieces = call.makeAsyncIterator()
            #expect(try await pieces.next()?.bytes == [1, 2, 3])
            try await call.write([4])
            call.finish()
            #expect(try await pieces.next()?.bytes == [4])
            #expect(try await pieces.next() == nil)
            _ = try await call.value
            #expect(await controls.next() == nil)
        }
        #expect(client.metrics.streaming.completed == 1)
    }

    @Test(
        "a policy that makes no sense is refused by its name",
        arguments: [
            ("chunkSize", StreamingPolicy(chunkSize: 0)),
            ("maximumStreams", StreamingPolicy(maximumStreams: 0)),
            ("flowControl.credits", StreamingPolicy(flowControl: .credits(0))),
            ("flowControl.window", StreamingPolicy(flowControl: .window(bytes: -1))),
            ("idleLimit", StreamingPolicy(idleLimit: .zero)),
        ])
    func policies(name: String, policy: StreamingPolicy) throws {
        #expect {
            _ = try StreamStage { $0.flow.streaming = policy }
        } throws: { error in
            (error as? SenteError)?.message.contains("`flow.streaming.\(name)`") == true
        }
    }

    @Test("a server's refusal says why, and so does one that has no streams")
    func refusals() async throws {
        let stage = try StreamStage()
        let (client, server) = (stage.client, stage.world.server)
        server.refusesStreams("The disk is full.", code: "quota-exceeded")
        try await stage.run {
            let refused = await error { () throws(SenteError) in
                _ = try await client.upload(.bytes([1]), to: "a")
            }
            #expect(refused?.code == .quotaExceeded)
            #expect(refused?.underlying == "The disk is full.")
        }
        let world = TestWorld()
        let other = try StreamStage.client(in: world)
        try await world.run {
            try await other.connect()
            let without = await error { () throws(SenteError) in
                _ = try await other.upload(.bytes([1]), to: "a")
            }
            #expect(without?.code == .streamFailed)
            #expect(without?.message.contains("takes no streams") == true)
        }
        let plain = try world.client()
        let unconfigured = await error { () throws(SenteError) in
            _ = try await plain.upload(.bytes([1]), to: "a")
        }
        #expect(unconfigured?.code == .unsupported)
        let idle = try StreamStage.client(in: world)
        let closed = await error { () throws(SenteError) in _ = try await idle.upload(.bytes([]), to: "a") }
        #expect(closed?.code == .notConnected)
    }

    @Test("of two hundred uploads at once fifty go, and the others are told why not")
    func tooMany() async throws {
        let stage = try StreamStage()
        let (client, server) = (stage.client, stage.world.server)
        server.leavesUploadsUnread()
        try await stage.run {
            let refused = Collector<SenteError.Code>()
            var streams: [UploadStream] = []
            for _ in 0..<200 {
                do throws(SenteError) {
                    streams.append(try await client.openUpload(on: "many"))
                } catch {
                    refused.append(error.code)
                }
            }
            #expect(streams.count == 50)
            #expect(refused.elements == Array(repeating: .quotaExceeded, count: 150))
            #expect(client.metrics.streaming.active == 50)
            streams = []
            _ = try await client.ping()
            #expect(client.metrics.streaming.active == 0, "nobody has them any more")
        }
    }

    @Test("a task that is cancelled while it waits calls its stream off at both ends")
    func cancellation() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let (client, server, clock) = (stage.client, stage.world.server, stage.world.clock)
        try await stage.run {
            server.leavesUploadsUnread()
            let upload = try await client.upload(.bytes(StreamStage.bytes(150_000)), to: "reports")
            let waiting = Task { () throws(SenteError) in try await upload.value }
            try await clock.sleep(for: .seconds(1))
            waiting.cancel()
            await #expect { try await waiting.value } throws: { ($0 as? SenteError)?.code == .cancelled }
            server.recovers()
            server.offersDownload(StreamStage.bytes(150_000), on: "exports")
            let reading = Task {
                for await download in client.downloads(on: "exports") {
                    for try await _ in download { try await clock.sleep(for: .seconds(1)) }
                }
            }
            try await clock.sleep(for: .seconds(3))
            reading.cancel()
            _ = await reading.result
            try await clock.sleep(for: .seconds(1))
            #expect(client.metrics.streaming.active == 0)
        }
    }

    @Test("disconnect() and the release of the client end every stream")
    func endOfClient() async throws {
        let stage = try StreamStage()
        let (client, world) = (stage.client, stage.world)
        world.server.leavesUploadsUnread()
        try await stage.run {
            let upload = try await client.upload(.bytes(StreamStage.bytes(40_000)), to: "reports")
            await client.disconnect()
            let error = await error { () throws(SenteError) in _ = try await upload.value }
            #expect(error?.code == .disconnected)

            var other: SenteClient? = try StreamStage.client(in: world)
            try await other?.connect()
            var stream = try await other?.openUpload(on: "sensor")
            try await stream?.write([1])
            let progress = try #require(stream?.progress)
            let followed = Task {
                var last: StreamProgress?
                for await one in progress { last = one }
                return last?.state
            }
            other = nil
            stream = nil
            #expect(await followed.value == .cancelled)
        }
    }
}
