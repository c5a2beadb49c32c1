// SPDX-License-Identifier: Apache-2.0

/// What a wish asks a NATS server for: all messages of a subject, or a share of them in a group of services.
///
/// They are two subscriptions of one subject, and so two wishes. That of a group has a name of its own, spelled as the
/// protocol spells it: `subject group`. No subject has a blank. A handle that follows a stream is known as `subject >number`,
/// and no group begins so.
package struct NATSWish: Hashable, Sendable {
    package let subject: String
    package let group: String?

    package init(subject: String, group: String? = nil) {
        self.subject = subject
        self.group = group
    }

    package init(name: String) {
        let parts = name.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        subject = parts.first.map(String.init) ?? ""
        group = parts.count == 2 ? String(parts[1]) : nil
    }

    /// Whether it asks for a share, as a service.
    package var isShare: Bool { group.map { !$0.hasPrefix(">") } ?? false }

    /// Under what a session knows it.
    package var name: String { group.map { "\(subject) \($0)" } ?? subject }
}
