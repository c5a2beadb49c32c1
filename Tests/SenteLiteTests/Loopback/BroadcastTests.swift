// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteLite
import SenteServer
import SenteTransport
import SenteWire
import Testing

extension Loopback {
    @Suite("Broadcasts to the subscribers of a channel, over sockets")
    struct BroadcastTests {
        /// Gives what was said, as it is said.
        private final class Microphone: StreamSource {
            private struct State {
                var pieces: [[UInt8]] = []
                var isOff = false
            }
            private let state = LockedValue(State())

            var canGoBack: Bool { false }

            func bytes(at place: UInt64, most: Int) -> StreamSupply {
                state.withLock { state in
                    guard state.pieces.isEmpty else { return .bytes(state.pieces.removeFirst()[...]) }
                    return state.isOff ? .end : .later(nil)
                }
            }

            func say(_ text: String) { state.withLock { $0.pieces.append(Array(text.utf8)) } }
            func turnOff() { state.withLock { $0.isOff = true } }
        }

        private static func client(_ port: Int) async throws -> SenteClient {
            var configuration = SenteClient.Configuration()
            configuration.flow.streaming = StreamingPolicy()
            let client = try SenteClient("ws://127.0.0.1:\(port)/", configuration: configuration)
            try await client.connect()
            for await status in client.states where status.features?.streaming == true { break }
            return client
        }

        @Test("who subscribes hears what comes from then on, and knows which piece it is")
        func radio() async throws {
            var configuration = ServerConfiguration()
            configuration.port = 0
            configuration.flow.streaming = StreamPolicy()
            let server = try ReferenceServer(configuration)
            let port = try await server.start()
            let microphone = Microphone()
            let broadcast = try #require(await server.beginBroadcast(of: microphone, on: "radio"))
            let early = try await Self.client(port)
            let earlySubscription = try await early.subscribe("radio")
            var earlyOffers = early.downloads(on: "radio").makeAsyncIterator()
            let earlyDownload = try #require(await earlyOffers.next())
            #expect(earlyDownload.kind == .broadcast)
            var earlyPieces = earlyDownload.makeAsyncIterator()
            microphone.say("one")
            await server.wake(broadcast)
            var piece = try await earlyPieces.next()
            #expect(piece == StreamPiece(index: 0, bytes: Array("one".utf8)[...]))

            let late = try await Self.client(port)
            let lateSubscription = try await late.subscribe("radio")
            var lateOffers = late.downloads(on: "radio").makeAsyncIterator()
            var latePieces = try #require(await lateOffers.next()).makeAsyncIterator()
            microphone.say("two")
            microphone.turnOff()
            // Both wait for it: whoever is not there yet asks for it once it is.
            await server.wake(broadcast)
            piece = try await earlyPieces.next()
            #expect(piece == StreamPiece(index: 1, bytes: Array("two".utf8)[...]))
            #expect(try await latePieces.next() == piece)
            #expect(try await earlyPieces.next() == nil)
            #expect(try await latePieces.next() == nil)
            withExtendedLifetime((earlySubscription, lateSubscription)) {}
            await early.disconnect()
            await late.disconnect()
            await server.stop()
        }
    }
}
