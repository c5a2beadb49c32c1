// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// What a server announces and agrees to beyond plain messages, as JSON on the wire.
struct ServerFeatures: Hashable, Sendable {
    var text: String

    static let batching = ServerFeatures(text: #""batching":true"#)
    static let parts = ServerFeatures(text: #""chunking":true,"max-chunk-size":1000"#)
    static let binaryParts = ServerFeatures(text: #""chunking":true,"max-chunk-size":1000,"binary":true"#)
    static let compression = ServerFeatures(text: #""compression":["gzip"],"binary":true"#)
    static let sessions = ServerFeatures(text: #""resume":{"window-ms":20000,"messages":8,"bytes":4000}"#)
    static let everything = ServerFeatures(
        text:
            #""batching":true,"chunking":true,"max-chunk-size":1000,"binary":true,"compression":["gzip"],"#
            + #""resume":{"window-ms":20000,"messages":100,"bytes":100000}"#)
    static let acknowledgingParts = ServerFeatures(text: binaryParts.text + acks)
    static let acknowledgingCompression = ServerFeatures(
        text: acknowledgingParts.text + #","compression":["gzip"]"#)
    static let acknowledging = ServerFeatures(text: everything.text + acks)
    /// Each message of the server is acknowledged at once.
    static let sessionOfOne = ServerFeatures(
        text: #""resume":{"window-ms":20000,"messages":1,"bytes":4000}"#)
    private static let acks = #","chunk-ack":true"#

    var welcome: String { #"{"type":"welcome","conn-id":"c","capabilities":{\#(text)}}"# }

    /// What it grants to a client, and what becomes of the session.
    func ack(_ session: String) -> String {
        #"{"type":"flow-handshake-ack","features":{\#(text)},"session":"s",\#(session)}"#
    }

    var begins: String { ack(#""resumed":false,"received":0"#) }

    /// The session goes on where the server has had so many of the client's messages, and says so many of its own again.
    func goesOn(received: Int, sent: Int = 0, missed: Int = 0) -> String {
        ack(#""resumed":true,"received":\#(received),"sent":\#(sent),"missed":\#(missed)"#)
    }
}

extension TestSession {
    /// A client and a server that have agreed on these.
    static func agreed(
        on features: ServerFeatures, _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> TestSession {
        var session = TestSession.connectingInText(DialectDetector()) {
            $0.heartbeat = nil
            $0.compressor = { _, _ in .runs }
            configure(&$0)
        }
        session.greet(text: features.welcome)
        session.receive(features.begins)
        return session
    }

    /// Those, and the client has subscribed to channel a.
    static func subscribed(
        on features: ServerFeatures, _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> (TestSession, InboxID) {
        var session = agreed(on: features, configure)
        let (_, inbox) = session.subscribe("a")
        session.confirm(text: "a")
        return (session, inbox)
    }

    /// The next link, on which the session goes on where the server has had so many of the client's messages.
    mutating func goOn(with features: ServerFeatures, received: Int) {
        advanceToAttempt()
        greet(text: features.welcome)
        receive(features.goesOn(received: received))
    }
}
