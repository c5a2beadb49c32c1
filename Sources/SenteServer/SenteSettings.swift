// SPDX-License-Identifier: Apache-2.0

/// The settings that only Sente's dialect has.
///
/// The defaults are those of Sente 1.22.
package struct SenteSettings: Hashable, Sendable {
    /// The releases whose wire differs, named by the last of each kind.
    package enum Version: String, Hashable, Sendable, CaseIterable {
        /// Up to 1.17: `+[v]`, `:taoensso.sente/nil-uid`, and a client's ping is never answered.
        case prefixed = "1.17"
        /// 1.18 to 1.20: `[v]` or `[v cb]`.
        case short = "1.20"
        /// From 1.21 on: always `[v ?cb]`, and prefixes are not understood.
        case current = "1.22"
    }

    /// Which release is spoken.
    package let version: Version
    /// The one path that is served; nil: all.
    ///
    /// The default is nil.
    package var path: String?
    /// The origins that are let in, by `Origin` or else `Referer`; nil: all.
    ///
    /// The default is nil.
    package var allowedOrigins: [String]?
    /// The time during which pushes to a user are gathered into one message; zero: each goes at once.
    ///
    /// The default is 30 ms.
    package var pushDelay: Duration = .milliseconds(30)
    /// The time for which a user counts as connected after the last connection closed.
    ///
    /// The default is 2.5 s.
    package var reconnectGrace: Duration = .milliseconds(2_500)
    /// After a time of this length with nothing received and nothing pushed a connection is pinged; nil: never.
    ///
    /// The default is 12.5 s, and 25 s up to 1.20.
    package var keepAlive: Duration?
    /// A connection that has shown no life so long after a ping is closed; nil: it is pinged again.
    ///
    /// The default is 10 s, and nil up to 1.20.
    package var pingTimeout: Duration?

    /// The defaults of a release.
    package init(_ version: Version = .current) {
        self.version = version
        keepAlive = version == .current ? .milliseconds(12_500) : .seconds(25)
        pingTimeout = version == .current ? .seconds(10) : nil
    }
}
