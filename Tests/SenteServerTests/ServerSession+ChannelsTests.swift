// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("Channels of the server")
struct ServerSessionChannelsTests {
    private func subscribe(_ channel: String) -> String {
        #"{"type":"subscribe","channel-id":"\#(channel)"}"#
    }
    private func publish(_ channel: String, _ data: String = "{}") -> String {
        #"{"type":"publish","channel-id":"\#(channel)","data":\#(data)}"#
    }

    @Test("Without auto-create only channels that were made can be subscribed")
    func noAutoCreate() {
        var server = TestServerSession {
            $0.createsChannels = false
            $0.channels = [.init("made")]
        }
        server.connect(1)
        #expect(server.receive(from: 1, subscribe("made")).first?.contains(#""success":true"#) == true)
        #expect(
            server.receive(from: 1, subscribe("other")) == [
                #"1 < {"type":"subscription-result","channel-id":"other","success":false,"reason":"channel-not-found","subscriber-count":null,"retained-messages":null}"#
            ])
        server.command(.createChannel("other", nil))
        #expect(server.receive(from: 1, subscribe("other")).first?.contains(#""success":true"#) == true)
    }

    @Test("The first creator's configuration holds until the channel is deleted")
    func firstCreator() {
        var server = TestServerSession()
        server.command(.createChannel("a", ChannelConfiguration(maximumSubscribers: 1)))
        server.command(.createChannel("a", ChannelConfiguration(maximumSubscribers: 9)))
        server.connect(1)
        server.connect(2)
        server.receive(from: 1, subscribe("a"))
        #expect(server.receive(from: 2, subscribe("a")).first?.hasSuffix(#""current":1,"max":1}"#) == true)
        server.command(.deleteChannel("a"))
        #expect(server.receive(from: 2, subscribe("a")).first?.contains(#""subscriber-count":1"#) == true)
    }

    @Test("Subscribing again takes no place of another")
    func realSubscribers() {
        var server = TestServerSession { $0.channelDefaults.maximumSubscribers = 2 }
        server.connect(1)
        server.connect(2)
        for _ in 0..<5 { server.receive(from: 1, subscribe("a")) }
        #expect(server.receive(from: 2, subscribe("a")).first?.contains(#""subscriber-count":2"#) == true)
    }

    @Test("Deleting a channel ends its subscriptions")
    func delete() {
        var server = TestServerSession()
        server.connect(1)
        server.connect(2)
        server.receive(from: 1, subscribe("a"))
        server.receive(from: 2, subscribe("a"))
        server.receive(from: 2, subscribe("b"))
        #expect(server.command(.deleteChannel("a")) == [])
        server.command(.deleteChannel("never"))
        #expect(server.receive(from: 1, publish("a")).count == 1)
        #expect(
            server.receive(from: 2, #"{"type":"get-subscriptions"}"#) == [
                #"2 < {"type":"subscription-list","subscriptions":["b"]}"#
            ])
    }

    @Test("A connection that goes leaves every channel")
    func closed() {
        var server = TestServerSession()
        server.connect(1)
        server.connect(2)
        server.receive(from: 1, subscribe("a"))
        server.receive(from: 2, subscribe("a"))
        server.handle(.closed(ConnectionID(2)))
        #expect(server.receive(from: 1, publish("a")).count == 2)
        #expect(server.session.statistics(at: server.now).subscriptions == 1)
    }

    @Test("Messages reach their channel's subscribers and no others, from publishers inside and outside")
    func noLeakage() {
        var server = TestServerSession()
        for number in 1...3 as ClosedRange<UInt64> { server.connect(number) }
        server.receive(from: 1, subscribe("announcements"))
        server.receive(from: 2, subscribe("announcements"))
        server.receive(from: 3, subscribe("alerts"))
        let announced = server.receive(from: 1, publish("announcements"))
        #expect(announced.map { $0.first } == ["1", "2", "1"])
        let alerted = server.receive(from: 1, publish("alerts"))
        #expect(alerted.map { $0.first } == ["3", "1"])
    }

    @Test("The server itself can publish to a channel")
    func serverPublish() {
        var server = TestServerSession()
        server.connect(1)
        server.receive(from: 1, subscribe("a"))
        #expect(
            server.command(.publish(["n": 1], channel: "a")) == [
                #"1 < {"type":"channel-message","channel-id":"a","data":{"n":1},"broadcast-time":1000,"message-id":"msg-1"}"#
            ])
        #expect(server.command(.publish(["n": 1], channel: "none")) == [])
        #expect(server.command(.publish(2, channel: "a")) == [])
    }

    @Test("Retained messages are bounded in number and in bytes")
    func retention() {
        var server = TestServerSession {
            $0.channelDefaults.retention = 3
            $0.tables.retainedBytes = 350
        }
        server.connect(1)
        server.receive(from: 1, subscribe("a"))
        for number in 1...5 { server.receive(from: 1, publish("a", #"{"n":\#(number)}"#)) }
        #expect(server.session.statistics(at: server.now).channels.first?.retainedCount == 3)
        let long = String(repeating: "x", count: 300)
        server.receive(from: 1, publish("a", #"{"n":"\#(long)"}"#))
        #expect(server.session.statistics(at: server.now).channels.first?.retainedCount ?? 9 < 3)
        let tooLong = String(repeating: "x", count: 500)
        server.receive(from: 1, publish("a", #"{"n":"\#(tooLong)"}"#))
        #expect(server.session.statistics(at: server.now).channels.first?.retainedCount == 0)
    }

    @Test("A delivery to many is one message, shared")
    func encodedOnce() {
        var server = TestServerSession()
        for number in 1...50 as ClosedRange<UInt64> {
            server.connect(number)
            server.receive(from: number, subscribe("a"))
        }
        let effects = server.effects(of: .received(ConnectionID(1), .text(publish("a"))))
        var places: Set<UnsafeRawPointer?> = []
        for case .send(_, let message) in effects.dropLast() {
            message.bytes.withUnsafeBytes { bytes in _ = places.insert(bytes.baseAddress) }
        }
        #expect(effects.count == 51)
        #expect(places.count == 1)
    }

    @Test("A flood is so many deliveries that differ in their ids, and must be allowed")
    func flood() {
        var server = TestServerSession { $0.allowsFlood = true }
        server.connect(1)
        let order = #"{"type":"flood","channel-id":"a","count":3,"data":{"n":1}}"#
        let effects = server.effects(of: .received(ConnectionID(1), .text(order)))
        guard effects.count == 1, case .flood(ConnectionID(1), var flood) = effects[0] else {
            Issue.record("no flood")
            return
        }
        var seen: [String] = []
        while let message = flood.next() { seen.append(message.string) }
        #expect(
            seen
                == (1...3).map {
                    #"{"type":"channel-message","channel-id":"a","data":{"n":1},"broadcast-time":1000,"message-id":"msg-\#($0)"}"#
                })
        #expect(flood.next() == nil)
        var strict = TestServerSession()
        strict.connect(1)
        #expect(
            strict.receive(from: 1, order).first?.contains(#""type":"echo","original":{"type":"flood""#)
                == true)
        let unfit = server.receive(from: 1, #"{"type":"flood","channel-id":"a","count":-1}"#)
        #expect(unfit.first?.contains(#""reason":"invalid-flood""#) == true)
    }
}
