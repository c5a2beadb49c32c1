// SPDX-License-Identifier: Apache-2.0

extension ServerConfiguration {
    /// What the server announces in its greeting beyond plain messages; a client takes of it what it wants.
    package struct Flow: Hashable, Sendable {
        /// Sessions that survive their connections; nil: none does.
        ///
        /// The default is nil.
        package var resumption: Resumption?
        /// Messages that go together in one; nil: each goes alone.
        ///
        /// The default is nil.
        package var batching: Batching?
        /// Single messages in compressed form; nil: none.
        ///
        /// The default is nil.
        package var compression: Compression?
        /// Large messages in parts; nil: whole.
        ///
        /// The default is nil.
        package var chunking: Chunking?
        /// Whether parts and compressed messages may go as bytes, where the format is of text too.
        ///
        /// The default is false.
        package var usesBinaryEnvelope = false
        /// Files and endless data as streams; nil: none.
        ///
        /// The default is nil.
        package var streaming: StreamPolicy?
        /// The ids of messages that clients send again after they were restarted; nil: none is remembered.
        ///
        /// The default is nil.
        package var deduplication: Deduplication?

        /// Announces nothing: not one byte differs from a server that knows none of it.
        package static let off = Flow()

        /// Announces everything, each with its defaults.
        package static let all: Flow = {
            var flow = Flow()
            flow.resumption = Resumption()
            flow.batching = Batching()
            flow.compression = Compression()
            flow.chunking = Chunking()
            flow.usesBinaryEnvelope = true
            flow.deduplication = Deduplication()
            return flow
        }()

        package init() {}

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

            package init(window: Duration) {
                self.window = window
            }
        }

        /// How messages to one client are put together.
        ///
        /// Without `linger`, only what a client's batch leads to goes together, and that only where it is compressed: a server's
        /// frames have two bytes of their own.
        package struct Batching: Hashable, Sendable {
            /// How many go together at most.
            ///
            /// The default is 10.
            package var messages = 10
            /// How many bytes they have together at most; a message of half of it goes alone.
            ///
            /// The default is 4,096.
            package var bytes = 4_096
            /// How long a message may wait for others.
            ///
            /// The default is zero: those go together that come of one batch of a client.
            package var linger: Duration = .zero

            package init() {}
        }

        /// How single messages are compressed.
        package struct Compression: Hashable, Sendable {
            /// The algorithms, the one that is preferred first.
            ///
            /// The default is both.
            package var algorithms = FlowCapabilities.Algorithm.allCases
            /// From 1 (fast) to 9 (small).
            ///
            /// The default is 6.
            package var level = 6
            /// Shorter ones go as they are.
            ///
            /// The default is 512.
            package var minimumBytes = 512

            package init() {}
        }

        /// How large messages go in parts.
        package struct Chunking: Hashable, Sendable {
            /// The bytes of a part; a larger message goes in parts.
            ///
            /// The default is 65,536.
            package var size = 65_536
            /// How large a message in parts may be, either way.
            ///
            /// The default is 64 MiB.
            package var maximumMessageBytes = 64 << 20
            /// How long the next part of an unfinished message may take.
            ///
            /// The default is 30 s.
            package var timeout: Duration = .seconds(30)

            package init() {}
        }

        /// What is remembered of messages that have ids of their clients.
        package struct Deduplication: Hashable, Sendable {
            /// How many ids.
            ///
            /// The default is 10,000.
            package var ids = 10_000
            /// How long.
            ///
            /// The default is an hour.
            package var age: Duration = .seconds(3_600)

            package init() {}
        }
    }
}
