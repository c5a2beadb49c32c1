// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// Sees what is written, read, compressed and unfolded while a step of a loop runs: what is large is not.
final class LoopWatch: @unchecked Sendable {
    /// From which weight on a value is large.
    var largeValue = 1 << 30
    /// A step runs; else somebody works beside the loop.
    var isOnLoop = false
    /// What was too large for a loop, and not taken yet.
    private var surplus: String?

    func takeSurplus() -> String? {
        defer { surplus = nil }
        return surplus
    }

    private func note(_ what: String, _ size: Int, of limit: Int) {
        guard isOnLoop, size >= limit else { return }
        surplus = "\(size) bytes are \(what) on the loop, \(largeValue) are large"
    }

    /// What is not large by its weight may be larger by what stands around it, and by a format's marks.
    private var limit: Int { 2 * largeValue + 600 }

    func follow(_ compressor: Compressor) -> Compressor {
        Compressor { [self] bytes, output throws(WireError) in
            note("compressed", bytes.count, of: limit)
            try compressor.compress(bytes, &output)
        } decompress: { [self] bytes, output, most throws(WireError) in
            note("unfolded", bytes.count, of: largeValue)
            try compressor.decompress(bytes, &output, most)
        }
    }

    func follow(_ coder: any DialectCoder) -> any DialectCoder { WatchedCoder(coder: coder, watch: self) }

    private struct WatchedCoder: DialectCoder {
        var coder: any DialectCoder
        let watch: LoopWatch

        var dialect: Dialect { coder.dialect }
        var format: WireFormat { coder.format }
        var sizes: SizeLimits {
            get { coder.sizes }
            set { coder.sizes = newValue }
        }

        func value(of message: Message) throws(UnreadableError) -> Value {
            watch.note("read", message.bytes.count, of: watch.limit)
            return try coder.value(of: message)
        }

        func read(_ value: Value, isCallback: (String) -> Bool) -> [Inbound] {
            coder.read(value, isCallback: isCallback)
        }

        func spell(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Value {
            try coder.spell(outbound, at: now)
        }

        func adding(_ trace: TraceContext, to value: Value) -> Value { coder.adding(trace, to: value) }

        mutating func decode(_ message: Message, isCallback: (String) -> Bool) -> [Inbound] {
            watch.note("read", message.bytes.count, of: watch.limit)
            return coder.decode(message, isCallback: isCallback)
        }

        mutating func introduction(_ token: String?, name: String) throws(SenteError) -> Message? {
            try coder.introduction(token, name: name)
        }

        mutating func encode(_ outbound: Outbound, at now: Moment) throws(SenteError) -> Message {
            // A name for the answer and an id for a durable message are added to what was weighed.
            watch.note("written", outbound.weight, of: watch.largeValue + 100)
            return try coder.encode(outbound, at: now)
        }
    }
}
