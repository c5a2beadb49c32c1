// SPDX-License-Identifier: Apache-2.0

/// How a family of servers writes its messages.
public enum Dialect: String, Sendable, CaseIterable {
    /// `{"type": …}` maps, one a frame: sente-lite servers up to December 2025 ("v1").
    case senteLiteMaps
}
