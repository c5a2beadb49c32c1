// SPDX-License-Identifier: Apache-2.0

package import SenteCore

extension ClientMetrics {
    /// One number of flow, for whoever shows them all.
    package struct FlowFigure: Sendable {
        package enum Amount: Sendable {
            /// It only grows.
            case total(Int)
            case totalTime(Duration)
            /// One series for each reason.
            case totals([String: Int])
            /// How much it is now.
            case level(Double)
            /// Nil before there is any.
            case times(Percentiles?)
        }

        /// The property of the metrics that it belongs to.
        package var group: String
        /// Its own property there.
        package var name: String
        package var help: String
        package var amount: Amount

        init(_ group: String, _ name: String, _ help: String, _ amount: Amount) {
            self.group = group
            self.name = name
            self.help = help
            self.amount = amount
        }
    }

    /// All of them: the one list that pages and programs show.
    package var flowFigures: [FlowFigure] {
        resumptionFigures + batchingFigures + compressionFigures + chunkingFigures + streamingFigures
            + largeDataFigures
    }

    private var resumptionFigures: [FlowFigure] {
        let group = "resumption"
        return [
            FlowFigure(group, "resumed", "Sessions that went on.", .total(resumption.resumed)),
            FlowFigure(group, "fresh", "Sessions that could not.", .total(resumption.fresh)),
            FlowFigure(
                group, "replayedIn", "Messages of the server that came again.", .total(resumption.replayedIn)),
            FlowFigure(
                group, "replayedOut", "Messages of the client that went again.",
                .total(resumption.replayedOut)),
            FlowFigure(
                group, "skipped", "Those that had nothing to say any more.", .total(resumption.skipped)),
            FlowFigure(group, "missed", "Messages that the server had let go.", .total(resumption.missed)),
        ]
    }

    private var batchingFigures: [FlowFigure] {
        let group = "batching"
        return [
            FlowFigure(group, "batches", "Batches that left.", .total(batching.batches)),
            FlowFigure(group, "messages", "Messages in them.", .total(batching.messages)),
            FlowFigure(group, "averageSize", "Messages a batch, on average.", .level(batching.averageSize)),
            FlowFigure(group, "reasons", "Batches by why they left.", .totals(batching.reasons)),
            FlowFigure(
                group, "lingerAdded", "Waits for company, the last 256 times that messages left.",
                .times(batching.lingerAdded)),
        ]
    }

    private var compressionFigures: [FlowFigure] {
        let group = "compression"
        return [
            FlowFigure(group, "messages", "Messages that were compressed.", .total(compression.messages)),
            FlowFigure(group, "bytesBefore", "Their bytes before.", .total(compression.bytesBefore)),
            FlowFigure(group, "bytesAfter", "Their bytes then.", .total(compression.bytesAfter)),
            FlowFigure(group, "time", "How long compressing took.", .totalTime(compression.time)),
            FlowFigure(
                group, "skippedSmall", "Messages that were too small to try.",
                .total(compression.skippedSmall)),
            FlowFigure(
                group, "skippedIncompressible", "Messages that would not have become smaller.",
                .total(compression.skippedIncompressible)),
        ]
    }

    private var streamingFigures: [FlowFigure] {
        let group = "streaming"
        return [
            FlowFigure(group, "active", "Streams that have not ended.", .level(Double(streaming.active))),
            FlowFigure(group, "completed", "Streams that came whole.", .total(streaming.completed)),
            FlowFigure(group, "failed", "Streams that did not.", .total(streaming.failed)),
            FlowFigure(group, "bytes", "Bytes of streams that moved.", .total(streaming.bytes)),
            FlowFigure(
                group, "throughput", "Bytes a second of the streams that have not ended.",
                .level(streaming.throughput)),
            FlowFigure(
                group, "creditStalls", "Times that a stream waited for the server.",
                .total(streaming.creditStalls)),
            FlowFigure(
                group, "rewinds", "Times that a sender was asked to go back.", .total(streaming.rewinds)),
        ]
    }

    private var largeDataFigures: [FlowFigure] {
        let group = "largeData"
        return [
            FlowFigure(group, "stored", "Data that was stored.", .total(largeData.stored)),
            FlowFigure(group, "storedBytes", "Its bytes.", .total(largeData.storedBytes)),
            FlowFigure(group, "fetched", "Data that was fetched.", .total(largeData.fetched)),
            FlowFigure(group, "fetchedBytes", "Its bytes.", .total(largeData.fetchedBytes)),
            FlowFigure(group, "failures", "Times that this failed.", .total(largeData.failures)),
        ]
    }

    private var chunkingFigures: [FlowFigure] {
        let group = "chunking"
        return [
            FlowFigure(group, "messages", "Messages that left in parts.", .total(chunking.messages)),
            FlowFigure(group, "chunksSent", "Parts that left.", .total(chunking.chunksSent)),
            FlowFigure(
                group, "incomplete", "Messages of the server that are unfinished.",
                .level(Double(chunking.incomplete))),
            FlowFigure(group, "timeouts", "Those given up for want of parts.", .total(chunking.timeouts)),
            FlowFigure(group, "evictions", "Those given up for want of room.", .total(chunking.evictions)),
            FlowFigure(group, "aborts", "Those given up by the server's word.", .total(chunking.aborts)),
            FlowFigure(
                group, "memory", "Bytes that unfinished messages take.", .level(Double(chunking.memory))),
            FlowFigure(
                group, "peakMemory", "Bytes that they took at most.", .level(Double(chunking.peakMemory))),
        ]
    }
}
