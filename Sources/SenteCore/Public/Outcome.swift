// SPDX-License-Identifier: Apache-2.0

/// What became of a message: one of these four, once, for each.
public enum Outcome: String, Sendable, CaseIterable {
    /// The server answered it.
    case acknowledged
    /// It was handed to the network; this dialect has no acknowledgement for it.
    case written
    /// It never left this client: sending it again is safe.
    case notSent
    /// It left, and then was cancelled, timed out, or its link died: the server may or may not have acted on it.
    case unknown
}
