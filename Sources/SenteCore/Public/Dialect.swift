// SPDX-License-Identifier: Apache-2.0

/// How a family of servers writes its messages.
public enum Dialect: String, Sendable, CaseIterable {
    /// `{"type": …}` maps, one a message: sente-lite servers up to December 2025 ("v1").
    case senteLiteMaps
    /// `[id data]` vectors: sente-lite servers since then ("v2").
    case senteLiteVectors
    /// `[[id data] callback]` vectors, pushed in batches: Sente, from 1.17 on.
    case sente
    /// NATS, as its servers speak it over WebSockets; only by configuration, for its servers want to know more before they
    /// greet than the others show.
    case nats

    /// Those that a server's first message tells apart.
    package static let detected: [Dialect] = [.senteLiteMaps, .senteLiteVectors, .sente]
}
