// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Spells and reads one dialect on one link; made for the link, and dies with it.
///
/// Only a dialect knows how a family writes its messages. It decides nothing: which reply belongs to which call is named here
/// (`Correlation`) and looked up by the session. Of those that read messages one by one nothing is kept; one that reads a
/// stream keeps where it is in it.
package protocol DialectCoder: Sendable {
    var dialect: Dialect { get }
    var format: WireFormat { get }
    /// How large messages may be; what the two ends agree on beyond plain ones may be larger.
    var sizes: SizeLimits { get set }
    /// Whether traces are read.
    var readsTraces: Bool { get }
    /// Whether what comes are pieces of a stream, and no messages.
    var readsStream: Bool { get }

    /// The value that a message holds.
    func value(of message: Message) throws(UnreadableError) -> Value

    /// Reads what a value says. `isCallback` tells whether this client gave a text as a callback, where shape alone cannot.
    func read(_ value: Value, isCallback: (String) -> Bool) -> [Inbound]

    /// The value that says a message whose arguments are checked. Throws `unsupported`.
    func spell(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Value

    /// What `spell` gave, as a step of a trace.
    func adding(_ trace: TraceContext, to value: Value) -> Value

    /// What a message says: its value, read. Of a stream, what a piece of it completes.
    mutating func decode(_ message: Message, isCallback: (String) -> Bool) -> [Inbound]

    /// The message that says it: its arguments checked, its value in bytes.
    ///
    /// Throws `unsupported`, `unencodable` or `invalidArgument`.
    mutating func encode(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Message

    /// The message that says who this client is, where a server asks (`Inbound.challenge`), with what the token provider gave
    /// and a name for this link that nobody else has.
    ///
    /// Throws `providerFailed`.
    mutating func introduction(_ token: String?, name: String) throws(SenteError) -> Message?
}

/// A coder that reads and writes messages one by one, and keeps nothing of them.
///
/// Apart, so that what it does stands in for no coder that keeps something.
package protocol MessageCoder: DialectCoder {}

extension DialectCoder {
    package var readsTraces: Bool { false }
    package var readsStream: Bool { false }

    /// Without anything around it, the value of the format.
    package func value(of message: Message) throws(UnreadableError) -> Value {
        try format.value(of: message, limits: sizes)
    }
}

extension MessageCoder {
    package func introduction(_ token: String?, name: String) throws(SenteError) -> Message? { nil }

    package func decode(_ message: Message, isCallback: (String) -> Bool) -> [Inbound] {
        do throws(UnreadableError) {
            return read(try value(of: message), isCallback: isCallback)
        } catch {
            return [error.inbound]
        }
    }

    package func encode(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Message {
        try dialect.check(arguments: outbound)
        return try format.message(of: spell(outbound, at: now), limits: sizes)
    }
}
