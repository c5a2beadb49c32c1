// SPDX-License-Identifier: Apache-2.0

extension ClientMetrics {
    /// Messages that left together.
    public struct Batching: Sendable, Equatable {
        /// How many batches left.
        public var batches = 0
        /// How many messages were in them.
        public var messages = 0
        /// How many batches left for what reason: `count`, `bytes`, `time`, `idle` or `urgent`.
        public var reasons: [String: Int] = [:]
        /// How many messages a batch had on average; 0 without any.
        public var averageSize: Double { batches == 0 ? 0 : Double(messages) / Double(batches) }
        /// How long messages had waited for company the last 256 times that some left, the oldest of them each time; nil where
        /// none waits (`BatchPolicy.linger` is zero).
        ///
        /// Computed when asked for.
        public var lingerAdded: Percentiles? { Percentiles(of: waits) }
        /// The last waits, in no order.
        package var waits: [Duration] = []

        /// Makes them of their numbers.
        public init(batches: Int = 0, messages: Int = 0, reasons: [String: Int] = [:]) {
            self.batches = batches
            self.messages = messages
            self.reasons = reasons
        }
    }

    /// Messages that were compressed one by one.
    public struct Compression: Sendable, Equatable {
        /// How many were.
        public var messages = 0
        /// How many bytes they had before.
        public var bytesBefore = 0
        /// How many they had then.
        public var bytesAfter = 0
        /// How long compressing took, all together, that of the incompressible included.
        public var time: Duration = .zero
        /// How many messages were too small to try.
        public var skippedSmall = 0
        /// How many would not have become a tenth smaller.
        public var skippedIncompressible = 0

        /// Makes them of their numbers.
        public init(
            messages: Int = 0, bytesBefore: Int = 0, bytesAfter: Int = 0, skippedSmall: Int = 0,
            skippedIncompressible: Int = 0, time: Duration = .zero
        ) {
            self.messages = messages
            self.bytesBefore = bytesBefore
            self.bytesAfter = bytesAfter
            self.skippedSmall = skippedSmall
            self.skippedIncompressible = skippedIncompressible
            self.time = time
        }
    }

    /// Data that went by way of a storage.
    public struct LargeData: Sendable, Equatable {
        /// How often some was stored.
        public var stored = 0
        /// Its bytes.
        public var storedBytes = 0
        /// How often some was fetched.
        public var fetched = 0
        /// Its bytes.
        public var fetchedBytes = 0
        /// How often that failed, references included that make no sense.
        public var failures = 0

        /// Makes them of their numbers.
        public init(
            stored: Int = 0, storedBytes: Int = 0, fetched: Int = 0, fetchedBytes: Int = 0, failures: Int = 0
        ) {
            self.stored = stored
            self.storedBytes = storedBytes
            self.fetched = fetched
            self.fetchedBytes = fetchedBytes
            self.failures = failures
        }
    }

    /// Files and endless data.
    public struct Streaming: Sendable, Equatable {
        /// How many streams have not ended.
        public var active = 0
        /// How many ended with everything received.
        public var completed = 0
        /// How many ended before that, those that were called off included.
        public var failed = 0
        /// How many bytes of streams left, or came where only they come; as of their last progress.
        public var bytes = 0
        /// How many bytes a second the streams that have not ended make together, each since it began.
        public var throughput = 0.0
        /// How often there was something to send and the server had no room for it.
        public var creditStalls = 0
        /// How often a sender was asked to go back, because a checksum did not hold.
        public var rewinds = 0

        /// Makes them of their numbers.
        public init(
            active: Int = 0, completed: Int = 0, failed: Int = 0, bytes: Int = 0, throughput: Double = 0,
            creditStalls: Int = 0, rewinds: Int = 0
        ) {
            self.active = active
            self.completed = completed
            self.failed = failed
            self.bytes = bytes
            self.throughput = throughput
            self.creditStalls = creditStalls
            self.rewinds = rewinds
        }
    }

    /// Messages that travelled in parts.
    public struct Chunking: Sendable, Equatable {
        /// How many left so.
        public var messages = 0
        /// How many parts left, those of messages that went no further included.
        public var chunksSent = 0
        /// How many of the server's are unfinished now.
        public var incomplete = 0
        /// How many bytes are kept for them: what has come or the size that was announced, and what is needed to keep it.
        public var memory = 0
        /// How many bytes they took at most.
        public var peakMemory = 0
        /// How many of the server's were given up because a part did not come in time.
        public var timeouts = 0
        /// How many because there was no room for all that was unfinished.
        public var evictions = 0
        /// How many because the server said so.
        public var aborts = 0

        /// Makes them of their numbers.
        public init(
            messages: Int = 0, chunksSent: Int = 0, incomplete: Int = 0, memory: Int = 0, peakMemory: Int = 0,
            timeouts: Int = 0, evictions: Int = 0, aborts: Int = 0
        ) {
            self.messages = messages
            self.chunksSent = chunksSent
            self.incomplete = incomplete
            self.memory = memory
            self.peakMemory = peakMemory
            self.timeouts = timeouts
            self.evictions = evictions
            self.aborts = aborts
        }
    }
}
