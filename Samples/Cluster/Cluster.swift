// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite

/// Three nodes that know one another, and what is done with them.
struct Cluster {
    let nodes: [Node]

    /// Runs them for the time that `body` runs.
    static func run<R>(_ body: (Cluster) async throws -> R) async throws -> R {
        let home = FileManager.default.temporaryDirectory
            .appendingPathComponent("sente-cluster-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: home) }
        let nodes = try await Node.cluster(in: home)
        defer {
            for node in nodes { node.kill() }
            for node in nodes { node.waitForEnd() }
        }
        for node in nodes { try node.start() }
        return try await body(Cluster(nodes: nodes))
    }

    /// A client of the first of these nodes that knows the others.
    func client(
        of nodes: [Node], _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) throws -> SenteClient {
        var configuration = SenteClient.Configuration()
        configuration.dialect = .nats
        configuration.endpoints = nodes.dropFirst().map(\.url)
        configure(&configuration)
        return try SenteClient(nodes[0].url, configuration: configuration)
    }

    /// Has the nodes keep a channel thrice.
    ///
    /// Operators do this once; a cluster that has just begun elects its leaders first.
    func makeStream(of channel: String, by client: SenteClient) async throws {
        let stream: Value = [
            "name": .string(Self.name(of: channel)), "subjects": [.string(channel)], "num_replicas": 3,
            "storage": "file",
        ]
        try await ask("CREATE", of: channel, stream, by: client, "did not agree on a stream") {
            $0["config"] != nil
        }
    }

    /// Waits until each node has all of a channel.
    func heal(_ channel: String, by client: SenteClient) async throws {
        try await ask("INFO", of: channel, .null, by: client, "did not catch up with one another") { answer in
            let others = answer["cluster"]?["replicas"]?.arrayValue ?? []
            return others.count == 2
                && others.allSatisfy { $0["current"] == true && $0["offline"]?.boolValue != true }
        }
    }

    private func ask(
        _ question: String, of channel: String, _ data: Value, by client: SenteClient, _ failure: String,
        until isAnswer: (Value) -> Bool
    ) async throws {
        for _ in 0..<240 {
            let answer = try? await client.request(
                data, on: "$JS.API.STREAM.\(question).\(Self.name(of: channel))", timeout: .seconds(2))
            if answer.map(isAnswer) == true { return }
            try await Task.sleep(for: .milliseconds(250))
        }
        throw SenteError(code: .timedOut, message: "The nodes \(failure) within a minute.")
    }

    private static func name(of channel: String) -> String { channel.uppercased() }
}
