// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    /// Streams of a server that others wrote.
    @Suite("A client and the streams of NATS", .needs(.natsServer))
    struct JetStreamTests {
        @Test(
            "a stored publish is acknowledged by its stream, once for one id, and refused for what does not hold"
        )
        func stores() async throws {
            try await Intermediary.withJetStream { node in
                let client = try await node.connected()
                try await client.makeStream("ORDERS", ["orders.>"])
                let first = try await client.publish(["n": 1], to: "orders.a", stored: .once)
                #expect(
                    first.acknowledgement == .stored && first.messageID == "ORDERS:1" && !first.isDuplicate)
                let own = StoredPublish(messageID: "m-1")
                #expect(try await client.publish(2, to: "orders.b", stored: own).messageID == "ORDERS:2")
                let again = try await client.publish(2, to: "orders.b", stored: own)
                #expect(again.messageID == "ORDERS:2" && again.isDuplicate)
                let expecting = StoredPublish(expectedLastSequence: 2, expectedLastChannelSequence: 1)
                #expect(
                    try await client.publish(3, to: "orders.a", stored: expecting).messageID == "ORDERS:3")
                let refused = await error { () throws(SenteError) in
                    try await client.publish(4, to: "orders.a", stored: expecting)
                }
                #expect(refused?.code == .rejected && refused?.details?["err_code"] == 10_071)
                let nowhere = await error { () throws(SenteError) in
                    try await client.publish(1, to: "elsewhere", stored: .once, timeout: .seconds(1))
                }
                #expect(nowhere?.code == .timedOut && nowhere?.underlying?.contains("No stream") == true)
                #expect(try await client.publish(5, to: "orders.a").acknowledgement == .accepted)
                // Without waiting, and still one after the other.
                let later = try (6..<16).map {
                    try client.enqueue(publish: Value($0), to: "orders.later", stored: .once)
                }
                for delivery in later { #expect(await delivery.outcome == .acknowledged) }
                let kept = try await client.subscribe("orders.later", from: .sequence(1))
                #expect(try await kept.take(10).map(\.data) == (6..<16).map { Value($0) })
                let late = try client.enqueue(publish: 4, to: "orders.a", stored: expecting)
                #expect(await late.outcome == .acknowledged && late.error?.code == .rejected)
                let durable = await error { () throws(SenteError) in
                    _ = try client.enqueue(
                        publish: 1, to: "orders.a", stored: .once, options: SendOptions(durable: true))
                }
                #expect(durable?.code == .invalidArgument)
                await client.disconnect()
            }
        }

        @Test(
            "a channel is followed from each place, by wildcards too, and a cursor goes on in another client")
        func follows() async throws {
            try await Intermediary.withJetStream { node in
                let client = try await node.connected()
                try await client.makeStream("ORDERS", ["orders.>"])
                for number in 1...6 {
                    let channel = number.isMultiple(of: 2) ? "orders.even" : "orders.odd"
                    try await client.publish(Value(number), to: channel, stored: .once)
                }
                let all = try await client.subscribe("orders.>", from: .sequence(1))
                #expect(all.isConfirmed && client.subscriptions == ["orders.>"])
                let kept = try await all.take(6)
                #expect(kept.map(\.data) == (1...6).map { Value($0) } && kept.allSatisfy(\.isRetained))
                #expect(kept.map(\.position) == [1, 2, 3, 4, 5, 6])
                #expect(kept[1].subject == "orders.even" && kept[1].channel == "orders.>")
                #expect(kept[1].id == "ORDERS:2" && kept[1].time != nil && kept[1].gap == nil)
                let next = try await client.subscribe("orders.odd", from: .next)
                let last = try await client.subscribe("orders.*", from: .lastOfEach)
                let odd = try await client.subscribe("orders.odd", from: .time(kept[2].time ?? 0))
                #expect(try await last.take(2).map(\.position) == [5, 6])
                try await client.publish(7, to: "orders.odd", stored: .once)
                for handle in [all, next, last] {
                    let live = try await handle.take(1)
                    #expect(live.first?.data == 7 && live.first?.isRetained == false)
                }
                #expect(try await odd.take(3).map(\.position) == [3, 5, 7])

                let other = try node.client()
                let cursor = try #require(kept[3].cursor)
                let rest = try await other.subscribe("orders.>", from: .cursor(cursor))
                #expect(!rest.isConfirmed)
                try await other.connect()
                #expect(try await rest.take(3).map(\.position) == [5, 6, 7])
                let nowhere = await error { () throws(SenteError) in
                    _ = try await client.subscribe("elsewhere", from: .next)
                }
                #expect(nowhere?.code == .rejected && nowhere?.message.contains("No stream keeps") == true)
                try await client.unsubscribe("orders.>")
                #expect(client.subscriptions == ["orders.odd", "orders.*"])
                for await message in all { Issue.record("\(message) after the end") }
                await other.disconnect()
                await client.disconnect()
            }
        }

        @Test("the streams of a domain are followed under its name")
        func domain() async throws {
            try await Intermediary.with({
                .nats($0, "jetstream { domain: hub, store_dir: \"\($0.folder)/streams\" }")
            }) { node in
                let client = try await node.connected { $0.nats.domain = "hub" }
                try await client.makeStream("A", ["a"])
                let handle = try await client.subscribe("a", from: .sequence(1))
                try await client.publish(1, to: "a", stored: .once)
                #expect(try await handle.take(1).map(\.position) == [1])
                await client.disconnect()
            }
        }

        @Test("what the stream let go, and a stream that was made anew, are told before the next message")
        func gaps() async throws {
            try await Intermediary.withJetStream { node in
                let client = try await node.connected()
                try await client.makeStream("A", ["a"], ["max_msgs": 3])
                for number in 1...9 { try await client.publish(Value(number), to: "a", stored: .once) }
                let handle = try await client.subscribe("a", from: .sequence(3))
                let messages = try await handle.take(3)
                #expect(messages.map(\.position) == [7, 8, 9] && messages[0].gap?.sequences == 3...6)
                #expect(messages[1].gap == nil)
                _ = try await client.request(.null, on: "$JS.API.STREAM.DELETE.A")
                try await client.makeStream("A", ["a"])
                try await client.publish("anew", to: "a", stored: .once)
                let anew = try await client.subscribe("a", from: .cursor(try #require(messages[2].cursor)))
                let first = try await anew.take(1)
                #expect(first[0].gap?.isOtherStream == true && first[0].position == 1)
                // The one that was there notices by silence.
                #expect(try await handle.take(1).first?.gap?.isOtherStream == true)
                await client.disconnect()
            }
        }

        @Test("a consumer slower than the stream gets all of it, through an inbox that holds little")
        func slow() async throws {
            try await Intermediary.withJetStream { node in
                let writer = try await node.connected { $0.outbox.maximumMessages = 100_000 }
                try await writer.makeStream("BULK", ["bulk"])
                var deliveries: [Delivery] = []
                for number in 0..<20_000 {
                    deliveries.append(try writer.enqueue(publish: Value(number), to: "bulk"))
                    if number % 500 == 499, let last = deliveries.last { _ = await last.outcome }
                }
                let reader = try await node.connected { $0.inbox.maximumMessages = 1_000 }
                let bulk = try await reader.subscribe("bulk", from: .sequence(1))
                let numbers = try await bulk.take(20_000).map(\.data.integerValue)
                #expect(numbers == (0..<20_000).map { Int64($0) })
                #expect(reader.metrics.missed == 0)
                await reader.disconnect()
                await writer.disconnect()
            }
        }

        @Test("over a node that is killed and comes back nothing stored is lost, doubled or out of order")
        func killed() async throws {
            try await Intermediary.withJetStream { node in
                let client = try await node.connected()
                try await client.makeStream("A", ["a"])
                let handle = try await client.subscribe("a", from: .next)
                let publisher = Task {
                    for number in 0..<200 { try await client.publish(Value(number), to: "a", stored: .once) }
                }
                #expect(try await handle.take(50).count == 50)
                try await node.stop()
                try await node.start()
                let rest = try await handle.take(150)
                #expect(rest.map(\.data) == (50..<200).map { Value($0) })
                #expect(
                    rest.map(\.position) == (51...200).map { UInt64($0) } && rest.allSatisfy { $0.gap == nil }
                )
                try await publisher.value
                await client.disconnect()
            }
        }
    }
}
