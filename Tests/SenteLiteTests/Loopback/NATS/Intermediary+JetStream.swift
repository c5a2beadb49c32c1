// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire

extension Intermediary {
    /// Runs a node of NATS that keeps streams, for the time that `body` runs.
    static func withJetStream(_ body: (Intermediary) async throws -> Void) async throws {
        try await with({ .nats($0, "jetstream { store_dir: \"\($0.folder)/streams\" }") }, body)
    }

    /// Runs three nodes that keep streams together.
    static func withJetStreamCluster(_ body: ([Intermediary]) async throws -> Void) async throws {
        let ports = Locked<[Int]>([])
        while ports.withLock({ Set($0).count < 3 }) {
            try await Loopback.withServer { _, port in ports.withLock { $0.append(port) } }
        }
        let meeting = Array(Set(ports.withLock { $0 }))
        let routes = meeting.map { "\"nats://127.0.0.1:\($0)\"" }.joined(separator: ", ")
        func setup(_ index: Int) -> (Workspace) -> Setup {
            { place in
                .nats(
                    place,
                    """
                    jetstream { store_dir: "\(place.folder)/streams" }
                    cluster { name: rig, host: 127.0.0.1, port: \(meeting[index]), routes: [\(routes)] }
                    """, name: "n\(index)")
            }
        }
        try await with(setup(0)) { first in
            try await with(setup(1)) { second in
                try await with(setup(2)) { third in try await body([first, second, third]) }
            }
        }
    }
}

extension SenteClient {
    /// Has a stream made, and waits until that is done.
    func makeStream(_ name: String, _ subjects: [Value], _ more: ValueMap = [:]) async throws {
        var configuration: ValueMap = [
            "name": Value(name), "subjects": .vector(subjects), "storage": "file", "num_replicas": 1,
        ]
        for (key, value) in more { configuration[key] = value }
        let asked = Value.map(configuration)
        // A cluster that has just begun elects those who answer first.
        try await eventually("the stream \(name) is made") { [self] in
            let answer = try? await request(asked, on: "$JS.API.STREAM.CREATE.\(name)", timeout: .seconds(2))
            return answer?["config"] != nil
        }
    }

    /// The name of the node that leads a stream.
    func leader(of stream: String) async throws -> String? {
        try await request(.null, on: "$JS.API.STREAM.INFO.\(stream)")["cluster"]?["leader"]?.stringValue
    }

    /// The name of the node that holds the only consumer of a stream.
    func consumersNode(of stream: String) async throws -> String? {
        let names = try await request(.null, on: "$JS.API.CONSUMER.NAMES.\(stream)")["consumers"]
        guard let name = names?.arrayValue?.first?.stringValue else { return nil }
        let info = try await request(.null, on: "$JS.API.CONSUMER.INFO.\(stream).\(name)")
        return info["cluster"]?["leader"]?.stringValue
    }
}
