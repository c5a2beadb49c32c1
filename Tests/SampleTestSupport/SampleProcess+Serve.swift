// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestSupport

/// `console serve`, which the tests of the samples' apps cannot name: it is not for those who see public names alone.
extension SampleProcess {
    /// The reference server on a free port, or another.
    package static func serve(
        _ options: [String] = [], port: Int = 0
    ) async throws -> (server: SampleProcess, port: Int) {
        let server = try SampleProcess(["serve", "--port", "\(port)"] + options)
        let line = try await server.first("the server's port") { $0["kind"] != nil }
        guard let port = line["port"]?.integerValue else { throw Overdue(what: "\(line)", limit: .zero) }
        return (server, Int(port))
    }
}
