// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

/// The double does what was measured on servers; by its own words, without a client of ours.
@Suite("The double of a NATS cluster")
struct NATSClusterTests {
    /// A cluster, and clients that say bytes.
    private struct Stage {
        var cluster: NATSCluster
        var now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 1_750_000_000_000)
        private var said: [Int: String] = [:]
        private(set) var ends: [Int: CloseCode?] = [:]

        /// With a leader, at node 0 of three unless said otherwise.
        init(_ settings: NATSCluster.Settings = .init()) {
            cluster = NATSCluster(settings, seed: 3)
            cluster.routeDelay = 10...10
            cluster.answerDelay = 1...1
            wait(.milliseconds(100))
        }

        mutating func wait(_ duration: Duration) {
            let end = now.instant.advanced(by: duration)
            while let next = cluster.deadline, next <= end {
                now.instant = max(now.instant, next)
                note(cluster.advance(to: now))
            }
            now.instant = end
        }

        private mutating func note(_ outputs: [NATSCluster.Output]) {
            for output in outputs {
                switch output {
                case .say(let client, let word):
                    said[client, default: ""] += String(decoding: word.bytes, as: UTF8.self)
                case .end(let client, let code): ends[client] = code
                case .took, .problem: break
                }
            }
        }

        /// A client that is introduced, at a node.
        mutating func open(_ client: Int, at node: Int) {
            note(cluster.open(client, at: node, now))
            say(
                client,
                #"CONNECT {"verbose":false,"protocol":1,"headers":true,"no_responders":true}"#
                    + "\r\nPING\r\n")
            _ = hear(client)
        }

        mutating func say(_ client: Int, _ text: String) {
            note(cluster.received(Array(text.utf8), from: client, now))
        }

        /// What came since it was last asked.
        mutating func hear(_ client: Int) -> String { said.removeValue(forKey: client) ?? "" }

        mutating func change(_ body: (inout NATSCluster, Moment) -> [NATSCluster.Output]) {
            note(body(&cluster, now))
        }
    }

    @Test("a client's bytes mean the same wherever they are cut")
    func reading() {
        let bytes = Array(
            "CONNECT {\"a\":1}\r\nsub a.* 1\r\nSUB b  q\t2\r\nPUB a 3\r\nx\r\n\r\nHPUB a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nUNSUB 1\nPING\r\n"
                .utf8)
        var whole = NATSReading()
        let words = whole.read(bytes)
        #expect(words.count == 7)
        #expect(words[2] == .subscribe(subject: "b", group: "q", sid: "2"))
        #expect(words[3] == .publish(NATSPublication(subject: "a", payload: Array("x\r\n".utf8))))
        for place in 0...bytes.count {
            var parted = NATSReading()
            #expect(parted.read(bytes[..<place]) + parted.read(bytes[place...]) == words)
        }
    }

    @Test("answers come in order, and what is refused says so before its PONG")
    func fences() {
        var stage = Stage()
        stage.open(1, at: 0)
        stage.say(1, "SUB a 1\r\nPING\r\nSUB secret.x 2\r\nPING\r\nSUB secret.x q 3\r\nPING\r\n")
        #expect(
            stage.hear(1)
                == "PONG\r\n-ERR 'Permissions Violation for Subscription to \"secret.x\"'\r\nPONG\r\n-ERR 'Permissions Violation for Subscription to \"secret.x\" using queue \"q\"'\r\nPONG\r\n"
        )
        stage.say(1, "PUB a 1\r\n1\r\nPUB secret.p 1\r\n2\r\nPING\r\nPUB a 1\r\n3\r\nPING\r\n")
        #expect(
            stage.hear(1)
                == "MSG a 1 1\r\n1\r\n-ERR 'Permissions Violation for Publish to \"secret.p\"'\r\nPONG\r\nMSG a 1 1\r\n3\r\nPONG\r\n"
        )
        stage.say(1, "PUB a 4000\r\n\(String(repeating: "x", count: 4_000))\r\n")
        #expect(
            stage.hear(1).hasPrefix("-ERR 'Maximum Payload Violation'") && stage.ends[1] == .messageTooBig)
    }

    @Test("another node learns of a subscription later than its own confirms it")
    func interest() {
        var stage = Stage()
        stage.open(1, at: 0)
        stage.open(2, at: 1)
        stage.say(2, "SUB a 1\r\nPING\r\n")
        #expect(stage.hear(2) == "PONG\r\n")
        stage.say(1, "PUB a 1\r\n1\r\n")
        stage.wait(.milliseconds(20))
        stage.say(1, "PUB a 1\r\n2\r\n")
        stage.wait(.milliseconds(20))
        #expect(stage.hear(2) == "MSG a 1 1\r\n2\r\n")
    }

    @Test(
        "of a group one gets it, over all nodes; where nobody hears it is said at once, unless somebody taps")
    func groups() {
        var stage = Stage()
        for client in 1...3 {
            stage.open(client, at: client - 1)
            if client > 1 { stage.say(client, "SUB s q 1\r\n") }
        }
        stage.say(1, "SUB _INBOX.x.* 9\r\n")
        stage.wait(.milliseconds(20))
        var shares = [0, 0, 0, 0]
        for _ in 0..<40 {
            stage.say(1, "PUB s _INBOX.x.1 1\r\n1\r\n")
            stage.wait(.milliseconds(20))
            for client in 2...3 where !stage.hear(client).isEmpty { shares[client] += 1 }
        }
        #expect(shares[2] + shares[3] == 40 && shares[2] > 5 && shares[3] > 5)
        stage.say(1, "PUB none _INBOX.x.1 1\r\n1\r\n")
        #expect(stage.hear(1) == "HMSG _INBOX.x.1 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\n")
        stage.say(1, "SUB > 10\r\nPUB none _INBOX.x.1 1\r\n1\r\n")
        #expect(stage.hear(1) == "MSG none 10 _INBOX.x.1 1\r\n1\r\n")
    }

    @Test("a node that is killed, or leaves, is named no more; one that leaves says so and closes at last")
    func nodes() {
        var stage = Stage()
        for client in 1...3 { stage.open(client, at: client - 1) }
        stage.change { $0.kill(1, $1) }
        #expect(stage.ends.keys.sorted() == [2] && stage.ends[2] == .some(nil))
        #expect(stage.hear(1).contains(#""connect_urls":["n0:80","n2:80"]"#))
        stage.change { $0.leave(2, $1) }
        #expect(stage.hear(3).contains(#""connect_urls":["n0:80"],"ldm":true"#))
        #expect(!stage.cluster.takesClients(2) && stage.ends[3] == nil)
        stage.wait(.seconds(13))
        #expect(stage.ends[3] == .goingAway)
        stage.change { $0.start(1, $1) }
        #expect(stage.cluster.takesClients(1))
    }

    @Test("a stream keeps what it is given once, by its id; while it has no leader nobody hears")
    func keeps() {
        var stage = Stage()
        let leader = stage.cluster.leader ?? 0
        stage.open(1, at: leader)
        stage.say(1, "SUB _INBOX.x.* 9\r\n")
        let message = "HPUB orders.a _INBOX.x.1 28 29\r\nNATS/1.0\r\nNats-Msg-Id: m\r\n\r\n1\r\n"
        for answer in [#"{"stream":"ORDERS","seq":1}"#, #"{"stream":"ORDERS","seq":1,"duplicate":true}"#] {
            stage.say(1, message)
            stage.wait(.milliseconds(10))
            #expect(stage.hear(1).contains(answer))
        }
        stage.change {
            $0.begin($1)
            $0.stepDown()
            return $0.take()
        }
        stage.say(1, message)
        #expect(stage.hear(1).contains("NATS/1.0 503"))
        stage.wait(.seconds(1))
        stage.say(1, message)
        stage.wait(.milliseconds(50))
        #expect(stage.hear(1).contains("\"duplicate\":true"))
    }

    @Test(
        "a consumer counts what it hands over, waits to be answered, gives signs of life, and dies in silence"
    )
    func consumers() {
        var stage = Stage()
        stage.open(1, at: 0)
        stage.say(1, "SUB _INBOX.x.* 1\r\nSUB _INBOX.x.f.1 2\r\n")
        for number in 1...20 { stage.say(1, "PUB orders.a 2\r\n\(number + 10)\r\n") }
        stage.wait(.milliseconds(50))
        #expect(stage.cluster.stream.last == 20)
        let config =
            #"{"config":{"deliver_subject":"_INBOX.x.f.1","filter_subject":"orders.a","deliver_policy":"by_start_sequence","opt_start_seq":4,"idle_heartbeat":500000000}}"#
        stage.say(1, "PUB $JS.API.CONSUMER.CREATE.ORDERS _INBOX.x.1 \(config.utf8.count)\r\n\(config)\r\n")
        stage.wait(.milliseconds(400))
        var heard = stage.hear(1)
        #expect(heard.contains(#""delivered":{"consumer_seq":0,"stream_seq":3},"num_pending":17"#))
        #expect(heard.contains("MSG orders.a 2 $JS.ACK.ORDERS.c1.1.4.1."))
        // Of those that are left nothing comes before it is answered.
        let window = heard.count(of: "MSG orders.a 2")
        #expect((2...8).contains(window) && heard.contains("100 FlowControl Request"))
        stage.wait(.milliseconds(600))
        heard = stage.hear(1)
        #expect(heard.contains("Nats-Last-Consumer: \(window)\r\n"))
        #expect(heard.contains("Nats-Consumer-Stalled: $JS.FC.ORDERS.c1.\(window)\r\n"))
        stage.say(1, "PUB $JS.FC.ORDERS.c1.\(window) 0\r\n\r\n")
        stage.wait(.milliseconds(100))
        #expect(stage.hear(1).contains("$JS.ACK.ORDERS.c1.1.\(4 + window).\(1 + window)."))
        stage.change {
            $0.begin($1)
            $0.removeConsumers()
            return $0.take()
        }
        stage.wait(.milliseconds(1_500))
        #expect(!stage.hear(1).contains("_INBOX"))
    }
}

extension String {
    fileprivate func count(of part: String) -> Int { ranges(of: part).count }
}
