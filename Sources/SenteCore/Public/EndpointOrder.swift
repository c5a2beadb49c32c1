// SPDX-License-Identifier: Apache-2.0

/// In which order several URLs of one server are tried.
///
/// In either case the last one that led to an open connection comes first, but for when that was lost just now. Those that a
/// server named come in an order of the client's own.
public enum EndpointOrder: String, Sendable, CaseIterable {
    /// As they are listed: the first is preferred, and all clients of a lost server come to the same next one.
    case listed
    /// Another order each round, so that many clients spread over all of them.
    case shuffled
}
