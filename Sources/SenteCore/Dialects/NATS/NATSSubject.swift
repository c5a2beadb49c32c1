// SPDX-License-Identifier: Apache-2.0

/// What may stand in a line of the protocol as a name: whatever else did would become other arguments, or another operation.
///
/// Servers check subscribing alone; what is published to `a..b` vanishes without a word.
package enum NATSSubject {
    /// What a subject is for.
    package enum Use: Sendable {
        /// Wildcards stand for tokens: `*` for one, `>` for the rest.
        case subscribing
        case publishing
    }

    private static let maximumBytes = 1_024
    /// Answers to this client's requests come under it.
    package static let inboxes = "_INBOX."

    /// Throws `invalidArgument`.
    package static func check(_ channel: String, for use: Use) throws(SenteError) {
        try check(name: channel, "channel", "a channel")
        guard !channel.isUnder(inboxes) else {
            throw Dialect.invalid(
                "`channel` begins with \(inboxes), where answers to requests go: give another name, or use request(_:on:)."
            )
        }
        let tokens = channel.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard tokens.allSatisfy({ !$0.isEmpty }) else {
            throw Dialect.invalid(
                "`channel` has an empty part (“\(channel.excerpt())”): begin and end with no dot, and write none twice."
            )
        }
        switch use {
        case .publishing:
            guard !channel.utf8.contains(where: { $0 == .wildcard || $0 == .tail }) else {
                throw Dialect.invalid(
                    "`channel` holds * or > (“\(channel.excerpt())”), which are for subscribing alone: give one channel's name."
                )
            }
        case .subscribing:
            guard !tokens.dropLast().contains(where: { $0.elementsEqual([.tail]) }) else {
                throw Dialect.invalid(
                    "`channel` goes on behind > (“\(channel.excerpt())”), which stands for all the rest: let it be the last part."
                )
            }
        }
    }

    /// Whether it may stand in a line as it is, wherever it is from.
    package static func isWritable(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 2 * maximumBytes && !name.utf8.contains(where: \.breaksLine)
    }

    /// Throws `invalidArgument` for a group that cannot be one.
    package static func check(group: String) throws(SenteError) {
        try check(name: group, "group", "a group")
        guard !group.utf8.contains(where: { $0 == .wildcard || $0 == .tail }) else {
            throw Dialect.invalid("`group` holds * or > (“\(group.excerpt())”): give a plain name.")
        }
    }

    /// Throws `invalidArgument` for a domain that cannot be one part of a subject.
    package static func check(domain: String) throws(SenteError) {
        try check(name: domain, "nats.domain", "a domain")
        guard !domain.utf8.contains(where: { $0 == .wildcard || $0 == .tail || $0 == UInt8(ascii: ".") })
        else {
            throw Dialect.invalid(
                "`nats.domain` holds a dot, * or > (“\(domain.excerpt())”): give the name alone, as the servers' `jetstream` block has it."
            )
        }
    }

    private static func check(
        name: String, _ argument: String, _ what: String
    ) throws(SenteError) {
        let length = name.utf8.count
        guard length > 0 else { throw Dialect.invalid("`\(argument)` is empty: give the name of \(what).") }
        guard length <= maximumBytes else {
            throw Dialect.invalid("`\(argument)` has \(length) bytes: the name of \(what) has at most 1,024.")
        }
        guard !name.utf8.contains(where: \.breaksLine) else {
            throw Dialect.invalid(
                "`\(argument)` holds a blank or a control character (“\(name.excerpt())”): use printable text without blanks."
            )
        }
    }
}

extension String {
    fileprivate func isUnder(_ prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
}

extension UInt8 {
    fileprivate static let wildcard = UInt8(ascii: "*")
    fileprivate static let tail = UInt8(ascii: ">")

    /// Blanks part arguments, and what is below them ends lines.
    fileprivate var breaksLine: Bool { self <= 0x20 || self == 0x7F }
}
