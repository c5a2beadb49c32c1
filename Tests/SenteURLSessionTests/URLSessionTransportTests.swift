// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteTransport
import SenteURLSession
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@Suite("What Foundation is asked for")
struct URLSessionTransportTests {
    @Test(
        "servers that speak in streams take it for a browser, for which they cut frames to 4 KiB",
        arguments: [(PayloadMode.stream, "Mozilla/5.0" as String?), (.messages, nil)])
    func userAgent(payload: PayloadMode, agent: String?) throws {
        var request = LinkRequest(url: "ws://server.test/", openDeadline: .distantFuture)
        request.payload = payload
        let asked = try request.forURLSession(try request.redirects())
        #expect(asked.value(forHTTPHeaderField: "User-Agent") == agent)
    }
}
