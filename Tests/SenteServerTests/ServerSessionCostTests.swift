// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("What the server's steps cost")
struct ServerSessionCostTests {
    /// A session with so many connections that a step which looks at all of them shows.
    private struct Crowd {
        static let count: UInt64 = 2_000

        private var session: ServerSession
        private var effects: [ServerEffect] = []

        init(_ dialect: ServerConfiguration.Dialect, _ change: (inout ServerConfiguration) -> Void) {
            var configuration = ServerConfiguration(dialect)
            configuration.maximumConnections = Int(Self.count)
            change(&configuration)
            session = ServerSession(configuration, seed: 1)
        }

        /// How many rows of its queues the session touched for each of these inputs, one a connection.
        @discardableResult
        mutating func steps(_ input: (_ number: UInt64) -> ServerInput) -> Double {
            let before = session.timerSteps
            for number in 0..<Self.count {
                effects.removeAll()
                session.handle(
                    input(number), at: Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 0),
                    into: &effects)
            }
            return Double(session.timerSteps - before) / Double(Self.count)
        }
    }

    /// Twice the height of a heap that holds everybody's timers, and some for what the session does besides.
    private let few: Double = 40

    private func text(_ number: UInt64, _ text: String) -> ServerInput {
        .received(ConnectionID(number), .text(text))
    }

    private func handshake(_ number: UInt64) -> HandshakeInfo {
        HandshakeInfo(clientID: "client \(number)", uid: .integer(Int64(number)))
    }

    private func requesting() -> Crowd {
        var crowd = Crowd(.maps) {
            $0.heartbeatInterval = nil
            $0.channels = [.init("svc")]
        }
        crowd.steps { .connected(ConnectionID($0)) }
        return crowd
    }

    @Test("A request costs the same however many others wait, whichever ends first")
    func requests() {
        var crowd = requesting()
        #expect(
            crowd.steps {
                text($0, #"{"type":"rpc-request","channel-id":"svc","timeout-ms":\#(20_000 - $0)}"#)
            } < few)
        #expect(
            crowd.steps {
                text($0, #"{"type":"rpc-response","request-id":"req-0-\#(Crowd.count - $0)"}"#)
            } < few)
    }

    @Test("The end of a connection looks at its own requests only")
    func closedRequesters() {
        var crowd = requesting()
        crowd.steps { text($0, #"{"type":"rpc-request","channel-id":"svc"}"#) }
        #expect(crowd.steps { .closed(ConnectionID($0)) } < few)
    }

    @Test("A connection's end costs the same however many others are kept alive")
    func closedConnections() {
        var crowd = Crowd(.sente) { _ in }
        #expect(crowd.steps { .connected(ConnectionID($0), handshake($0)) } < few)
        #expect(crowd.steps { .closed(ConnectionID($0)) } < few)
    }

    @Test("A push costs the same however many other users have some that wait")
    func pushes() {
        var crowd = Crowd(.sente) { $0.sente.keepAlive = nil }
        crowd.steps { .connected(ConnectionID($0), handshake($0)) }
        for flushes in [false, true] {
            #expect(
                crowd.steps {
                    .command(.push([.keyword("a/b")], uid: .integer(Int64($0)), flushes: flushes))
                } < few)
        }
    }

    @Test("Who comes back is given its own pushes at the price of those")
    func heldPushes() {
        var crowd = Crowd(.sente) {
            $0.sente.keepAlive = nil
            $0.faults.reversesHeldPushes = true
        }
        crowd.steps { .connected(ConnectionID($0), handshake($0)) }
        crowd.steps { .closed(ConnectionID($0)) }
        crowd.steps { .command(.push([.keyword("a/b")], uid: .integer(Int64($0)), flushes: true)) }
        #expect(crowd.steps { .connected(ConnectionID(Crowd.count + $0), handshake($0)) } < few)
    }
}
