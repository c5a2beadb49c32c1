// SPDX-License-Identifier: Apache-2.0

/// What a killed node costs one subscriber, and a crowd.
struct ClusterMeasure {
    let kills: Int
    let clients: Int
    let output: ClusterOutput

    /// Whether what was stored came whole, nothing came twice, and all came back.
    func run() async throws -> Bool {
        try await Cluster.run { cluster in
            let isWhole =
                kills == 0 ? true : try await FailoverMeasure(kills: kills, output: output).measure(cluster)
            let areBack =
                clients == 0 ? true : try await CrowdMeasure(count: clients, output: output).measure(cluster)
            return isWhole && areBack
        }
    }
}
