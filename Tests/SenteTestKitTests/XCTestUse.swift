// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import XCTest

/// A world in a test of XCTest.
final class XCTestUse: XCTestCase {
    func testOutage() async throws {
        let world = TestWorld(seed: 1)
        let client = try world.client()
        try await world.run {
            try await client.connect()
            world.server.restarts(after: .seconds(5))
            try await world.run(until: "the outage") { client.state == .reconnecting }
            for n in 1...5 { try client.enqueue(publish: ["n": Value(n)], to: "orders") }
            let orders = try await world.server.expectPublished(5, to: "orders")
            XCTAssertEqual(orders, (1...5).map { ["n": Value($0)] })
        }
    }

    @MainActor
    func testOnMainActor() async throws {
        let world = TestWorld(seed: 1)
        let client = try world.client()
        try await client.connect()
        world.goOffline()
        await world.advance(by: .seconds(90))
        XCTAssertNotEqual(client.state, .open)
    }
}
