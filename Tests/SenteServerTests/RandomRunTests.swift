// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("Random runs of the server")
struct RandomRunTests {
    private static let channels = [#""a""#, #""b""#, "null", "7", #"{"k":[1]}"#, #""c""#]

    private func frame(_ generator: inout Generator, _ requests: [String]) -> String {
        let channel = Self.channels.randomElement(using: &generator) ?? "null"
        let id = requests.randomElement(using: &generator) ?? "none"
        let data = ["{}", "1", "null", #"{"x":{"y":[1,2]}}"#].randomElement(using: &generator) ?? "{}"
        let frames = [
            #"{"type":"subscribe","channel-id":\#(channel)}"#,
            #"{"type":"unsubscribe","channel-id":\#(channel)}"#,
            #"{"type":"publish","channel-id":\#(channel),"data":\#(data),"exclude-sender":true}"#,
            #"{"type":"publish","channel-id":\#(channel),"data":\#(data)}"#,
            #"{"type":"rpc-request","channel-id":\#(channel),"data":\#(data),"timeout-ms":1500}"#,
            #"{"type":"rpc-response","request-id":"\#(id)","data":\#(data)}"#,
            #"{"type":"ping","timestamp":1}"#,
            #"{"type":"pong"}"#, #"{"type":"pong"}"#, #"{"type":"list-channels"}"#,
            #"{"type":"get-subscriptions"}"#,
            #"{"type":"what"}"#, "{", "null",
        ]
        return frames.randomElement(using: &generator) ?? "{}"
    }

    private func faults(_ generator: inout Generator) -> Faults {
        var faults = Faults()
        faults.isSilent = Int.random(in: 0..<8, using: &generator) == 0
        faults.neverGreets = Int.random(in: 0..<8, using: &generator) == 0
        faults.deliversFlat = Bool.random(using: &generator)
        faults.sendsErrors = Bool.random(using: &generator)
        faults.forwardsNoRequests = Int.random(in: 0..<4, using: &generator) == 0
        faults.leavesTCPOpen = Bool.random(using: &generator)
        faults.delay = .milliseconds([0, 0, 300].randomElement(using: &generator) ?? 0)
        faults.replies =
            [.normal, .never, .late(.milliseconds(700)), .twice, .outOfOrder].randomElement(using: &generator)
            ?? .normal
        if Int.random(in: 0..<6, using: &generator) == 0 { (faults.ending, faults.endingAfter) = (.drop, 20) }
        return faults
    }

    @Test(
        "Whatever comes, nothing is sent to who is gone, and the tables agree with one another",
        arguments: 0..<20)
    func run(_ seed: UInt64) throws {
        var generator = Generator(seed: seed)
        var stage = Stage {
            $0.heartbeatInterval = .seconds(5)
            $0.heartbeatTimeout = .seconds(10)
            $0.channelDefaults.maximumSubscribers = 3
            $0.channelDefaults.retention = 2
            $0.maximumConnections = 5
            $0.tables.delayedMessages = 20
        }
        var here: Set<UInt64> = []
        var next: UInt64 = 0
        var requests: [String] = []
        for _ in 0..<1_500 {
            var input = ServerInput.timerFired
            switch Int.random(in: 0..<20, using: &generator) {
            case 0...1:
                next += 1
                here.insert(next)
                input = .connected(ConnectionID(next))
            case 2:
                guard let gone = here.sorted().randomElement(using: &generator) else { continue }
                here.remove(gone)
                input = .closed(ConnectionID(gone))
            case 3: input = .command(.setFaults(faults(&generator), for: nil))
            case 4:
                let one = here.sorted().randomElement(using: &generator).map { ConnectionID($0) }
                input = .command(.setFaults(faults(&generator), for: one))
            case 5: input = .command(.deleteChannel("a"))
            case 6: input = .command(.broadcast(["n": 1]))
            default:
                let sender = UInt64.random(in: 0...next, using: &generator)
                input = .received(ConnectionID(sender), .text(frame(&generator, requests)))
            }
            stage.move(
                to: stage.now.instant.advanced(
                    by: .milliseconds(Int64.random(in: 0..<400, using: &generator))))
            for effect in stage.effects(of: input) {
                switch effect {
                case .send(let id, let message):
                    #expect(here.contains(id.number))
                    let value = try WireFormat.json.decode(message.bytes)
                    if let request = value["request-id"]?.stringValue {
                        requests = requests.suffix(20) + [request]
                    }
                case .close(let id, _, _, _), .drop(let id): #expect(here.remove(id.number) != nil)
                case .ask, .flood: Issue.record("\(effect)")
                }
            }
            check(stage, here)
        }
    }

    private func check(_ stage: Stage, _ here: Set<UInt64>) {
        let statistics = stage.session.statistics(at: stage.now)
        #expect(stage.session.deadline.map { $0 > stage.now.instant } != false)
        #expect(Set(statistics.connections.map(\.id.number)) == here)
        for channel in statistics.channels {
            let subscribers = statistics.connections.filter { $0.subscriptions.contains(channel.id) }
            #expect(subscribers.count == channel.subscriberCount)
            #expect(channel.subscriberCount <= 3)
            #expect(channel.retainedCount <= 2)
        }
        #expect(statistics.connections.count <= 5)
    }
}
