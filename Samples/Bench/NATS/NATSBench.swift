// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions
import SenteCore
import SenteLite
import SenteTransport

/// What the client reaches on a node of NATS, beside a client in Python, a raw reader and bare sockets, in one run.
///
/// The node is the system's, and who floods it, who answers and who else reads are processes of their own, so that the time
/// of this one is the client's.
public enum NATSBench {
    /// What this process is.
    public enum Role: Sendable, Equatable {
        case measuring(isSmoke: Bool)
        /// It publishes so many messages as fast as it can.
        case flooding(port: Int, count: Int, Kind)
        /// It answers requests.
        case serving(port: Int)
    }

    /// What is published, and so what our client makes of it.
    public enum Kind: String, Sendable, CaseIterable {
        case json, bytes
    }

    private static let floodWord = "--flood"
    private static let serveWord = "--serve"
    private static let size = 128
    /// What a request asks: as small as a bare frame's header allows.
    private static let requestSize = 64

    /// `nats [--smoke]`; `nats --flood PORT COUNT KIND` and `nats --serve PORT` are the others.
    static func read(_ words: [String]) throws(UsageError) -> Role {
        let numbers = words.compactMap { Int($0) }
        switch words.first {
        case nil: return .measuring(isSmoke: false)
        case "--smoke" where words.count == 1: return .measuring(isSmoke: true)
        case floodWord where words.count == 4 && numbers.count == 2:
            return .flooding(port: numbers[0], count: numbers[1], try Reading.choice(words[3], of: Kind.self))
        case serveWord where words.count == 2 && numbers.count == 1: return .serving(port: numbers[0])
        default: throw UsageError("`bench nats` takes --smoke, and no more words.")
        }
    }

    static func run(_ role: Role) async throws {
        switch role {
        case .flooding(let port, let count, let kind):
            let payload = NATSFloor.payload(size, isJSON: kind == .json)
            try NATSFloor.flood(port, count: count, payload: payload)
        case .serving(let port): try NATSFloor.serve(port)
        case .measuring(let isSmoke):
            let node = try await NATSNode.start()
            defer { node.stop() }
            try await receives(node, rounds: isSmoke ? 1 : 5, count: isSmoke ? 5_000 : 300_000)
            try await requests(node, rounds: isSmoke ? 1 : 5, count: isSmoke ? 200 : 4_000)
        }
    }

    // MARK: Receiving

    private static func receives(_ node: NATSNode, rounds: Int, count: Int) async throws {
        var ours: [Kind: [ReaderFigures]] = [:]
        var others: [PythonReader: [ReaderFigures]] = [:]
        var missing: [PythonReader: String] = [:]
        for round in 0..<rounds {
            output.progress("nats: receiving, round \(round + 1) of \(rounds)")
            for kind in Kind.allCases {
                ours[kind, default: []].append(try await receive(kind, count, from: node))
            }
            for reader in PythonReader.allCases where missing[reader] == nil {
                do {
                    let figures = try reader.run(port: node.webSocketPort, count: count) {
                        try startFlood(.json, count, to: node)
                    }
                    others[reader, default: []].append(figures)
                } catch let failure as BenchFailure {
                    missing[reader] = failure.message
                }
            }
        }
        for kind in Kind.allCases { show("the client, \(size) bytes (\(kind.rawValue))", ours[kind] ?? []) }
        for reader in PythonReader.allCases {
            if let why = missing[reader] {
                output.show(sentence: "\(reader.rawValue) was left out: \(why)")
            } else {
                show("\(reader.rawValue), \(size) bytes", others[reader] ?? [])
            }
        }
        for kind in Kind.allCases {
            let own = ours[kind] ?? []
            if let client = others[.client] {
                compare("\(kind.rawValue): messages/s, of nats-py", own, client, 2, \.rate)
            }
            if let raw = others[.raw] {
                compare(
                    "\(kind.rawValue): messages per CPU second, of a raw reader", own, raw, 0.5,
                    \.processorRate)
            }
        }
    }

    private static func show(_ name: String, _ figures: [ReaderFigures]) {
        output.show(FlowBar(name, FlowBench.median(figures.map(\.rate)).rounded(), "messages/s"))
        output.show(
            FlowBar(
                "the same, of the process's own time",
                FlowBench.median(figures.map(\.processorRate)).rounded(), "messages/CPU s"))
    }

    /// Both sides of a ratio are of one round, and the ratio is that of the median round.
    private static func compare(
        _ name: String, _ ours: [ReaderFigures], _ others: [ReaderFigures], _ bar: Double,
        _ figure: (ReaderFigures) -> Double
    ) {
        let ratios = zip(ours, others).map { figure($0) / figure($1) }
        output.show(FlowBar(name, FlowBench.median(ratios), "×", .atLeast(bar)))
    }

    private static func receive(
        _ kind: Kind, _ count: Int, from node: NATSNode
    ) async throws -> ReaderFigures {
        let client = try await client(node) {
            // Room for all of it, so that what is counted was also consumed.
            $0.inbox = InboxPolicy(maximumMessages: count, maximumBytes: count << 10)
        }
        var messages = try await client.subscribe(NATSFloor.subject).makeAsyncIterator()
        let flood = try startFlood(kind, count, to: node)
        guard await messages.next() != nil else { throw BenchFailure(message: "The subscription ended.") }
        let (wall, processor) = (Measure.nanoseconds(), Measure.processorNanoseconds())
        for number in 1..<count {
            guard let message = await messages.next(), message.missed == 0 else {
                throw BenchFailure(message: "Of \(count) messages \(number) came.")
            }
        }
        let figures = ReaderFigures(
            count: count, seconds: Double(Measure.nanoseconds() - wall) / 1e9,
            processorSeconds: Double(Measure.processorNanoseconds() - processor) / 1e9)
        flood.waitUntilExit()
        await client.disconnect()
        return figures
    }

    @discardableResult
    private static func startFlood(_ kind: Kind, _ count: Int, to node: NATSNode) throws -> Process {
        let process = BenchServerProcess.another([
            "nats", floodWord, "\(node.port)", "\(count)", kind.rawValue,
        ])
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    private static func client(
        _ node: NATSNode, _ change: (inout SenteClient.Configuration) -> Void = { _ in }
    ) async throws -> SenteClient {
        var configuration = SenteClient.Configuration.bare(FlowPolicy())
        configuration.dialect = .nats
        change(&configuration)
        let client = try SenteClient(node.url, configuration: configuration)
        try await client.connect()
        return client
    }

    // MARK: Requests

    /// A request goes to the node and a service and back; the service here is a bare socket in a process of its own.
    ///
    /// So the time that is not the client's is what the same request takes between bare sockets, and what a client of
    /// WebSocket does beyond those is held against an echo.
    private static func requests(_ node: NATSNode, rounds: Int, count: Int) async throws {
        let echo = try BenchServerProcess.start()
        defer { echo.stop() }
        let service = try BenchServerProcess.start(["nats", serveWord, "\(node.port)"], sayingPorts: 1)
        defer { service.stop() }
        let payload = NATSFloor.payload(requestSize, isJSON: true)
        var times: (ours: [Double], onLoop: [Double], echoes: [Double], bare: [Double]) = ([], [], [], [])
        let client = try await client(node)
        for round in 0..<rounds {
            output.progress("nats: requests, round \(round + 1) of \(rounds)")
            times.echoes.append(try NATSFloor.echoes(echo.echoPort, count: count, payload: payload))
            times.bare.append(try NATSFloor.requests(node.port, count: count, payload: payload))
            times.ours.append(try await roundTrips(client, count))
            times.onLoop.append(try await EventLoop.shared().runTask { try await roundTrips(client, count) })
        }
        await client.disconnect()
        output.show(FlowBar("a request p50", FlowBench.median(times.ours), "µs"))
        output.show(
            FlowBar("the same by a task on the client's loop", FlowBench.median(times.onLoop), "µs"))
        output.show(FlowBar("a raw WebSocket echo p50", FlowBench.median(times.echoes), "µs"))
        output.show(
            FlowBar("a raw request over TCP, node and service alike, p50", FlowBench.median(times.bare), "µs")
        )
        for (name, ours) in [("a request", times.ours), ("the same by a task on the loop", times.onLoop)] {
            let ratios = zip(ours, zip(times.echoes, times.bare)).map { $0 / ($1.0 + $1.1) }
            output.show(FlowBar("\(name), of both together", FlowBench.median(ratios), "×", .atMost(1.6)))
        }
    }

    private static func roundTrips(_ client: SenteClient, _ count: Int) async throws -> Double {
        let data: Value = ["number": 1, "text": .string(String(repeating: "a", count: requestSize - 22))]
        var times: [Double] = []
        for round in 0..<count + count / 10 {
            let start = Measure.nanoseconds()
            _ = try await client.request(data, on: NATSFloor.service)
            if round >= count / 10 { times.append(Double(Measure.nanoseconds() - start) / 1e3) }
        }
        return FlowBench.median(times)
    }
}
