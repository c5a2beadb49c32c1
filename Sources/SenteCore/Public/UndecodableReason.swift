// SPDX-License-Identifier: Apache-2.0

/// Why something that came could not be read.
public enum UndecodableReason: String, Hashable, Sendable, CaseIterable {
    /// Its bytes are none of the connection's format.
    case format
    /// Its value is no message of the connection's dialect, or lacks something that such a message must have.
    case shape
    /// It answers something that this client never said.
    case reply
}
