// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite
import SenteTelemetry
import SenteTestKit
import Testing

// The examples of "Telemetry, step by step", as they stand there.

private let log = Telemetry.default.source("shop.checkout")

private struct Receipt: Sendable {}

private func checkOut(_ order: String) async throws -> Receipt { Receipt() }

private func buy(_ name: String, _ order: String, _ error: any Error) async throws -> Receipt {
    log.info("paid", "\(name) paid") { fields in
        fields["order"] = order
        fields["cents"] = 1_250
    }
    log.warn("stock-low") { $0["left"] = 3 }
    log.error("payment-failed", error: error)
    let receipt = try await log.span("checkout") { try await checkOut(order) }
    return receipt
}

private func develop() {
    Telemetry.default.minimumLevel = .debug
    Telemetry.default.add(StandardErrorHandler(), as: "terminal")
}

private func produce() throws {
    let file = try FileHandler("logs/shop.log", rotation: .daily, keep: 14)
    Telemetry.default.add(file, as: "file")
}

private func send(_ client: SenteClient) {
    Telemetry.default.add(RemoteHandler(client, local: StandardErrorHandler()), as: "server")
}

private func watch() throws -> SenteClient {
    var configuration = SenteClient.Configuration()
    configuration.telemetry = .default
    let client = try SenteClient("wss://example.com/ws", configuration: configuration)
    return client
}

private func serve(_ name: String) async {}

private func serveWithContext(_ name: String) async {
    await Telemetry.default.withContext([.keyword("user"): Value(name)]) {
        await serve(name)
    }
}

private func choose() {
    Telemetry.default.setMinimumLevel(.debug, in: "shop(.*)")
    Telemetry.default.setMinimumLevel(.error, in: "chatty.library")
    var options = HandlerOptions(mode: .dropping)
    options.filter.minimumLevel = .warn
    options.limits = [RateLimit(10, per: .seconds(1))]
    Telemetry.default.add(MemoryHandler(500), as: "recent", options)
}

private func ask() -> Bool {
    for (id, statistics) in Telemetry.default.statistics {
        print("\(id): \(statistics.handled) handled, \(statistics.dropped) dropped")
    }
    let isHealthy = Telemetry.default.health.isHealthy
    return isHealthy
}

private func end() async {
    let report = await Telemetry.default.stop(within: .seconds(5))
    if !report.isComplete { print("Not written: \(report.left)") }
}

private func landing() {
    Telemetry.default.add(StandardErrorHandler(), as: "terminal")
    Telemetry.default.info("user/login", "Ann logged in") { $0["user"] = "ann" }
}

@Suite("Telemetry, by the public names alone", .timeLimit(.minutes(5)))
struct TelemetryRecipesTests {
    @Test("what an article promises of a captured signal")
    func captured() throws {
        let signals = Telemetry.default.capture { log.info("paid") { $0["order"] = "o-17" } }
        let signal = try #require(signals.first { $0.id == "shop.checkout/paid" })
        #expect(signal.data == [.keyword("order"): "o-17"])
        #expect(signal.level == .info && signal.file?.hasSuffix("TelemetryRecipes.swift") == true)
    }

    @Test("the line of the terminal is the one that the article shows")
    func line() {
        let signal = Signal(
            time: 1_795_946_400_000_000_000, namespace: "shop.checkout", id: "shop.checkout/paid",
            message: "Ann paid", data: [.keyword("order"): "o-17", .keyword("cents"): 1_250])
        let text =
            "2026-11-29T10:00:00.000Z INFO [shop.checkout/paid] - Ann paid\n  {:order \"o-17\", :cents 1250}\n"
        #expect(LineFormat.text.line(of: signal) == text)
    }

    @Test("a whole conversation is followed from the file alone")
    func conversation() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "telemetry-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("app.log").path
        let telemetry = Telemetry()
        telemetry.add(try FileHandler(path, format: .text), as: "file")
        let world = TestWorld()
        var configuration = SenteClient.Configuration()
        configuration.telemetry = telemetry
        let client = try world.client(configuration: configuration)
        try await world.run {
            try await client.connect()
            _ = try await client.subscribe("news")
            world.cut()
            try await world.run(until: "the loss") { client.state == .reconnecting }
            try await world.run(until: "the return") { client.state == .open }
            await client.disconnect()
        }
        #expect(await telemetry.stop().isComplete)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let ids = text.split(separator: "\n").compactMap { line in
            line.first?.isNumber == true ? line.split(separator: "[").last?.prefix { $0 != "]" } : nil
        }
        #expect(ids.first == "sente-lite.client/opened")
        #expect(
            ids.contains("sente-lite.client/link-ended")
                && ids.contains("sente-lite.client/reconnect-scheduled"))
        #expect(ids.filter { $0 == "sente-lite.client/opened" }.count == 2)
    }
}
