// SPDX-License-Identifier: Apache-2.0

extension ServerConfiguration {
    /// What the server announces in its greeting beyond plain messages; a client takes of it what it wants.
    package struct Flow: Hashable, Sendable {
        /// Sessions that survive their connections; nil: none does.
        ///
        /// The default is nil.
        package var resumption: Resumption?

        /// Announces nothing: not one byte differs from a server that knows none of it.
        package static let off = Flow()

        /// Announces everything, each with its defaults.
        package static let all = Flow(resumption: Resumption())

        package init(resumption: Resumption? = nil) {
            self.resumption = resumption
        }

        /// How long a session waits for its client, and what is kept for it meanwhile.
        package struct Resumption: Hashable, Sendable {
            /// A session without a connection is forgotten after this.
            ///
            /// The default is 300 s.
            package var window: Duration = .seconds(300)
            /// Deliveries that one session keeps until its client has them; answers are bounded by their bytes alone.
            ///
            /// The default is 100; it should be what comes in a gap that a client may bridge.
            package var messages = 100
            /// Bytes that one session keeps.
            ///
            /// The default is 1 MiB.
            package var bytes = 1 << 20
            /// Sessions without a connection; with more, the one that waits longest goes.
            ///
            /// The default is 1,000.
            package var sessions = 1_000
            /// Bytes that they keep together.
            ///
            /// The default is 64 MiB.
            package var totalBytes = 64 << 20

            package init() {}
        }
    }
}
