// SPDX-License-Identifier: Apache-2.0

/// How a link hands on what messages carry.
package enum PayloadMode: Hashable, Sendable {
    /// Each message whole, within the limit.
    case messages
    /// Bytes as they come, for protocols whose words begin and end anywhere in messages.
    ///
    /// What is reported as received are pieces of one stream, all of them binary; where messages begin and end is not
    /// told, and none is too large. Compressed payload is unfolded as it comes.
    case stream
}
