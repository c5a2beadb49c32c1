// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What a link allows its peer, in bytes, counts and time.
///
/// Checked before memory is taken (RFC 6455 §10.4).
package struct LinkLimits: Hashable, Sendable {
    /// The largest message each way.
    package var message = MessageLimits()
    /// The longest line of an HTTP head, in bytes.
    package var headLine = 16 << 10
    /// The whole HTTP head, in bytes.
    package var head = 64 << 10
    /// Fields of an HTTP head.
    package var headFields = 128
    /// Interim answers (1xx other than 101) before the final one.
    package var interimAnswers = 8
    /// What is kept of the body of an answer that is no upgrade, in bytes.
    package var refusalBody = 64 << 10
    /// Unwritten bytes above which only the latest ping is answered, once they have gone (RFC 6455 §5.5.3).
    package var congestion = 64 << 10
    /// A server's limit for the whole of the opening handshake, its owner's answer included.
    package var handshake: Duration = .seconds(10)
    /// How long the peer may take to answer a close frame, and then to end TCP.
    package var close: Duration = .seconds(5)

    package init() {}
}
