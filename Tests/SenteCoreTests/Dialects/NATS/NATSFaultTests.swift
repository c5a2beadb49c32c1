// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("What a NATS server complains of")
struct NATSFaultTests {
    static let table: [(String, NATSFault)] = [
        ("'Authorization Violation'", .credentials("Authorization Violation")),
        ("'Authentication Timeout'", .credentials("Authentication Timeout")),
        ("'User Authentication Expired'", .credentials("User Authentication Expired")),
        ("'maximum connections exceeded'", .full("maximum connections exceeded")),
        ("'Permissions Violation for Publish to \"no.p\"'", .publishForbidden(subject: "no.p")),
        (
            "'Permissions Violation for Subscription to \"no.x\"'",
            .subscriptionForbidden(subject: "no.x", group: nil, sid: nil)
        ),
        (
            "'Permissions Violation for Subscription to \"q\" using queue \"others\"'",
            .subscriptionForbidden(subject: "q", group: "others", sid: nil)
        ),
        (
            "'Permissions Violation for Subscription to \"b.x\" (sid \"2\")'",
            .subscriptionForbidden(subject: "b.x", group: nil, sid: 2)
        ),
        (
            "'Permissions Violation for Subscription to \"b.x\" (sid \"x\")'",
            .subscriptionForbidden(subject: "b.x", group: nil, sid: nil)
        ),
        ("'Permissions Violation'", .refused("Permissions Violation")),
        ("'maximum subscriptions exceeded'", .refused("maximum subscriptions exceeded")),
        ("'Invalid Subject'", .refused("Invalid Subject")),
        ("'Invalid Publish Subject'", .refused("Invalid Publish Subject")),
        ("'Maximum Payload Violation'", .fatal("Maximum Payload Violation")),
        ("'Unknown Protocol Operation'", .fatal("Unknown Protocol Operation")),
        ("'Stale Connection'", .fatal("Stale Connection")),
        ("'maximum control line exceeded'", .fatal("maximum control line exceeded")),
        ("AUTHORIZATION VIOLATION", .credentials("AUTHORIZATION VIOLATION")),
        ("", .fatal("")), ("'", .fatal("")),
        ("'Permissions Violation for Publish to \"", .publishForbidden(subject: "")),
    ]

    @Test("is told apart by its words", arguments: table)
    func words(text: String, fault: NATSFault) {
        #expect(NATSFault(text) == fault)
    }
}
