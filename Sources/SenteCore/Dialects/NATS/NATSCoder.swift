// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// NATS on one link: its server's stream read, and what the session says spelled as operations.
///
/// The server answers in order and names nothing in its answers: a `PING` behind an operation is answered when that is
/// done, and a `-ERR` before its `PONG` says that it was refused. So what each PING was for is kept here, and the order of
/// that is all there is: a PONG too many ends the link. *Confirmed* and *acknowledged* mean by this server: another node
/// of its cluster may not know of it yet (nats-server#1142).
package struct NATSCoder: DialectCoder {
    package let format: WireFormat
    package var sizes: SizeLimits
    package let readsTraces: Bool
    let settings: NATSSettings
    private var parser: NATSParser
    var info: NATSServerInfo?
    var isGreeted = false
    /// Where the session was told that the other nodes are.
    var told: [String] = []
    /// What the PONGs to come answer.
    var owed = Queue<NATSOwed>()
    /// Why what the next PONG answers was refused.
    var refusal: SenteError?
    var subscriptions = NATSSubscriptions()
    /// What answers to this link's requests come under, and what marks its messages; of the session's making.
    var name = ""
    var requests: UInt64 = 0

    package init(
        settings: NATSSettings = NATSSettings(), format: WireFormat = .json,
        sizes: SizeLimits = SizeLimits(), readsTraces: Bool = false
    ) {
        self.settings = settings
        self.format = format
        self.sizes = sizes
        self.readsTraces = readsTraces
        parser = NATSParser(keeps: sizes.incomingMessage)
    }

    package var dialect: Dialect { .nats }
    package var readsStream: Bool { true }

    /// Whether a server that begins so may be one of NATS.
    package static func isBeginning(_ bytes: [UInt8]) -> Bool {
        !bytes.isEmpty && zip(bytes, "INFO ".utf8).allSatisfy { $0 & 0xDF == $1 & 0xDF }
    }

    /// Where this link's answers come.
    package var inbox: String { NATSSubject.inboxes + name }

    package mutating func decode(_ message: Message, isCallback: (String) -> Bool) -> [Inbound] {
        var operations: [NATSOperation] = []
        var inbounds: [Inbound] = []
        do throws(NATSViolation) {
            var violation: NATSViolation?
            do throws(NATSViolation) {
                try parser.parse(message.bytes, into: &operations)
            } catch {
                violation = error
            }
            inbounds.reserveCapacity(operations.count)
            for operation in operations { try hear(operation, into: &inbounds) }
            if let violation { throw violation }
        } catch {
            inbounds.append(.violation(error.message))
        }
        return inbounds
    }

    package mutating func encode(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Message {
        var bytes: [UInt8] = []
        try write(outbound, NamedValues(), to: &bytes)
        return .binary(bytes)
    }

    // MARK: What is of messages alone

    /// The first line, for traces: neither credentials nor what the operation carries.
    package func value(of message: Message) throws(UnreadableError) -> Value {
        let line = message.bytes.prefix { $0 != .carriageReturn && $0 != .lineFeed }
        let verb = String(decoding: line.prefix { $0 != .blank }, as: UTF8.self)
        guard Self.verbs.contains(verb) else {
            throw UnreadableError(reason: "A piece of a stream begins within an operation.")
        }
        return .string(verb == "CONNECT" ? verb : String(decoding: line, as: UTF8.self))
    }

    private static let verbs: Set = [
        "CONNECT", "PUB", "HPUB", "SUB", "UNSUB", "PING", "PONG", "INFO", "MSG", "HMSG", "-ERR", "+OK",
    ]

    package func read(_ value: Value, isCallback: (String) -> Bool) -> [Inbound] { [] }

    package func spell(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Value {
        throw SenteError(.unsupported, "NATS has no such operation.", outcome: .notSent)
    }
}

/// What a PING was for.
enum NATSOwed: Hashable, Sendable {
    /// It closes the introduction.
    case greeting
    case ping(stamp: Int64?)
    case subscribe(NATSWish, sid: UInt64)
    /// Without a number it was not subscribed to on this link.
    case unsubscribe(NATSWish, sid: UInt64?)
    case publish(channel: String)
    case request(channel: String, id: String)
    case store(channel: String, token: UInt64)
    case ask(subject: String, token: UInt64)
}
