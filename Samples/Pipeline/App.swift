// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal
import SenteLite
import SenteTelemetry

/// A shop that tells what happens in it.
struct App {
    private let settings: PipelineArguments
    private let telemetry = Telemetry()
    private let client: SenteClient
    private let remote: RemoteHandler

    init(_ settings: PipelineArguments, folder: URL) throws {
        self.settings = settings
        var configuration = SenteClient.Configuration()
        configuration.dialect = .sente
        client = try SenteClient(settings.url, configuration: configuration)
        var sending = RemoteHandler.Settings()
        sending.include = .all
        sending.maximumCount = 100_000
        sending.maximumBytes = 64 << 20
        // The collector answers what it has written.
        sending.answerLimit = .seconds(5)
        remote = RemoteHandler(
            client, sending,
            local: try FileHandler(folder.appendingPathComponent("\(settings.name)-local.log").path))
        telemetry.add(remote, as: "collector")
    }

    /// Raises its signals, waits until each is somewhere, and says how many there were.
    func run() async throws {
        let (ends, end) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let termination = Termination { _ in end.finish() }
        defer { termination.stopListening() }
        let connecting = Task { [client] in try? await client.connect(timeout: nil) }
        let working = Task {
            let raised = await work()
            end.finish()
            return raised
        }
        for await _ in ends {}
        working.cancel()
        let raised = await working.value
        await telemetry.flush()
        let isSent = await remote.drain(within: .seconds(30))
        connecting.cancel()
        await telemetry.stop()
        await client.disconnect()
        print(#"{"app":"\#(settings.name)","raised":\#(raised),"drained":\#(isSent)}"#)
    }

    /// One order after the other; how many there were.
    private func work() async -> Int {
        let shop = telemetry.source("shop")
        let pause = Duration.seconds(1 / settings.rate)
        var number = 0
        await telemetry.withContext([.keyword("app"): Value(settings.name)]) {
            while !Task.isCancelled, number < settings.count ?? .max {
                number += 1
                order(number, shop)
                do { try await Task.sleep(for: pause) } catch { break }
            }
        }
        return number
    }

    private func order(_ number: Int, _ shop: SignalSource) {
        switch number {
        case _ where number % 50 == 0:
            shop.error("payment-failed", "The bank did not answer.") { $0["n"] = number }
        case _ where number % 11 == 0:
            shop.warn("stock-low") { fields in
                fields["n"] = number
                fields["left"] = number % 7
            }
        case _ where number % 5 == 0: telemetry.info("user/login", "Somebody logged in") { $0["n"] = number }
        default:
            telemetry.record(
                Signal(
                    time: Telemetry.now, kind: .span, namespace: "shop", id: "shop/checkout",
                    data: [.keyword("n"): Value(number)], context: [.keyword("app"): Value(settings.name)],
                    duration: .milliseconds(5 + number * 37 % 90)))
        }
    }
}
