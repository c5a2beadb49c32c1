// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport

/// What permessage-deflate saves and costs: bytes, round trips, and memory of idle connections.
enum CompressionBench {
    private static let rounds = 5
    private static let trips = 4_000

    static func run() async throws {
        let server = try BenchServerProcess.start()
        defer { server.stop() }
        try bytes()
        try await roundTrips(port: server.echoPort)
        try CompressionMemory.runEach(port: server.echoPort)
    }

    /// What differs from message to message.
    enum Stream: String, CaseIterable {
        case repeated = "the same message"
        case similar = "a number, a time and two readings change"
        case noisy = "every reading changes"

        var changingReadings: Int {
            switch self {
            case .repeated: 0
            case .similar: 2
            case .noisy: 22
            }
        }

        /// A thousand bytes of JSON.
        func json(_ number: Int) -> Message {
            let number = self == .repeated ? 0 : number
            var generator = Generator(seed: UInt64(number))
            let readings = (0..<22).map { sensor in
                let random = Int.random(in: 100..<1_000, using: &generator)
                let value = (sensor + number) % 22 < changingReadings ? random : 100 + sensor * 37
                return #"{"sensor":"room-\#(sensor)","value":\#(value),"ok":true}"#
            }
            let time = 1_700_000_000_000 + number * 1_013
            let list = readings.joined(separator: ",")
            return .text(#"{"type":"readings","number":\#(number),"time":\#(time),"list":[\#(list)]}"#)
        }
    }

    // MARK: Bytes

    private static func bytes() throws {
        for stream in Stream.allCases {
            let plain = try bytes(stream, nil)
            for (kind, policy) in [
                ("context kept", CompressionPolicy()),
                ("context forgotten", CompressionPolicy(keepsOutgoingContext: false)),
            ] {
                let small = try bytes(stream, policy)
                let fewer =
                    "\(hundredths(plain / small)) × fewer bytes (\(hundredths(small)) of \(hundredths(plain)))"
                BenchOutput.standard.show(sentence: "\(stream.rawValue), \(kind): \(fewer)")
            }
        }
    }

    /// Bytes that a message takes on the wire, framing included.
    private static func bytes(_ stream: Stream, _ policy: CompressionPolicy?) throws -> Double {
        var pair = try LinkPair(compression: policy)
        let count = 1_000
        var sum = 0
        for number in 0..<count {
            sum += pair.fromClient(stream.json(number)).count
        }
        return Double(sum) / Double(count)
    }

    // MARK: Round trips

    private static func roundTrips(port: Int) async throws {
        let loop = try EventLoop.shared()
        let plain = (name: "uncompressed", policy: CompressionPolicy?.none, stream: Stream.similar)
        let kinds = [plain] + Stream.allCases.map { ($0.rawValue, CompressionPolicy(), $0) }
        let messages = kinds.map { kind in (0..<256).map(kind.stream.json) }
        var ratios = [[Double]](repeating: [], count: kinds.count)
        for round in 0..<rounds {
            BenchOutput.standard.progress("round \(round + 1) of \(rounds)")
            var p50: [Double] = []
            for (kind, messages) in zip(kinds, messages) {
                BenchOutput.standard.glimpse("round \(round + 1) of \(rounds): \(kind.name)")
                let connection = try await WebSocketConnection.open(
                    "ws://127.0.0.1:\(port)/", compression: kind.policy, on: loop)
                let result = try await roundTrips(connection, messages, kind.name)
                BenchOutput.standard.show(result)
                p50.append(result.figure("p50_us"))
                connection.close()
            }
            for index in kinds.indices { ratios[index].append(p50[index] / p50[0]) }
        }
        for (kind, ratios) in zip(kinds, ratios).dropFirst() {
            BenchOutput.standard.show(
                ratio: ratios.sorted()[rounds / 2], "round trip p50, \(kind.name)", of: "uncompressed")
        }
    }

    private static func roundTrips(
        _ connection: WebSocketConnection, _ messages: [Message], _ name: String
    ) async throws -> BenchResult {
        let load = Load(
            "", mode: .pingpong, size: messages[0].bytes.count, count: trips, window: 1,
            handOver: .async)
        var watch = Stopwatch()
        for round in 0..<load.warmUp + trips {
            if round == load.warmUp { watch.start(expecting: trips) }
            let start = Measure.nanoseconds()
            connection.send(messages[round & 255])
            guard await connection.receive() != nil else {
                throw LinkFailure(.lost, "The echo server went away.")
            }
            if round >= load.warmUp { watch.record(Measure.nanoseconds() - start) }
        }
        return watch.result("sente-transport, \(name)", load)
    }

    static func hundredths(_ value: Double) -> Double {
        (value * 100).rounded() / 100
    }
}
