// SPDX-License-Identifier: Apache-2.0

/// What a signal tells of.
public enum SignalKind: String, Hashable, Sendable, CaseIterable {
    /// A text for people.
    case log
    /// Something happened that has an id.
    case event
    /// Something was thrown.
    case error
    /// Something took a time.
    case span
    /// A process began.
    case startup
    /// A part of a process was made ready.
    case module
}
