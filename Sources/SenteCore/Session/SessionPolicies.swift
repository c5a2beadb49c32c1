// SPDX-License-Identifier: Apache-2.0

/// What an app decides once of how a session behaves.
///
/// It is a word where it is held, and copies share what stands behind it until one of them changes: a client's configuration
/// and its session both have it, and so have all clients that are configured alike.
package struct SessionPolicies: Sendable {
    package struct Values: Sendable {
        package var reconnect = ReconnectPolicy.default
        /// nil: no probes, and a silent link stays.
        package var heartbeat: Heartbeat? = Heartbeat()
        package var outbox = OutboxPolicy()
        package var inbox = InboxPolicy()
        package var times = TimeLimits()
        /// What is offered beyond plain messages.
        package var flow = FlowPolicy()
    }

    final class Storage: Sendable {
        let values: Values

        init(_ values: Values) {
            self.values = values
        }
    }

    private static let usual = Storage(Values())
    /// In this room one policy is read through it: `values` would be copied as a whole first.
    private(set) var storage = usual

    package var values: Values {
        get { storage.values }
        set { storage = Storage(newValue) }
    }

    package init() {}
}
