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
        /// How many messages were too small to try.
        public var skippedSmall = 0
        /// How many would not have become a tenth smaller.
        public var skippedIncompressible = 0

        /// Makes them of their numbers.
        public init(
            messages: Int = 0, bytesBefore: Int = 0, bytesAfter: Int = 0, skippedSmall: Int = 0,
            skippedIncompressible: Int = 0
        ) {
            self.messages = messages
            self.bytesBefore = bytesBefore
            self.bytesAfter = bytesAfter
            self.skippedSmall = skippedSmall
            self.skippedIncompressible = skippedIncompressible
        }
    }

    /// Messages that travelled in parts.
    public struct Chunking: Sendable, Equatable {
        /// How many left so.
        public var messages = 0
        /// How many of the server's were given up because a part did not come in time.
        public var timeouts = 0
        /// How many because there was no room for all that was unfinished.
        public var evictions = 0
        /// How many because the server said so.
        public var aborts = 0

        /// Makes them of their numbers.
        public init(messages: Int = 0, timeouts: Int = 0, evictions: Int = 0, aborts: Int = 0) {
            self.messages = messages
            self.timeouts = timeouts
            self.evictions = evictions
            self.aborts = aborts
        }
    }
}
