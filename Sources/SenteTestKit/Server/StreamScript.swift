// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteTransport
import SenteWire

/// What a test has its server do with streams.
///
/// Shared by the server, its sinks and those that it asks; none of them holds its lock while it asks another.
final class StreamScript: Sendable {
    struct Download {
        var offer: StreamOffer
        var bytes: [UInt8]

        init(_ bytes: [UInt8], on channel: String, _ metadata: Value) {
            offer = StreamOffer(
                .download, channel: channel, totalSize: UInt64(bytes.count), metadata: metadata)
            self.bytes = bytes
        }

        var ends: StreamEnds { StreamEnds(source: BytesSource(bytes)) }
    }

    private struct State {
        var isTaking = false
        var refusal: StreamRefusal?
        var isReading = true
        var uploads: [TestServer.Upload] = []
        var downloads: [Download] = []
        var controls: [Value] = []
    }

    private let state = LockedValue(State())

    var isTaking: Bool {
        get { state.withLock { $0.isTaking } }
        set { state.withLock { $0.isTaking = newValue } }
    }
    /// Whether bytes are taken out of streams.
    var isReading: Bool {
        get { state.withLock { $0.isReading } }
        set { state.withLock { $0.isReading = newValue } }
    }
    var refusal: StreamRefusal? {
        get { state.withLock { $0.refusal } }
        set { state.withLock { $0.refusal = newValue } }
    }
    var uploads: [TestServer.Upload] { state.withLock { $0.uploads } }
    var downloads: [Download] { state.withLock { $0.downloads } }
    var controls: [Value] { state.withLock { $0.controls } }

    func add(_ download: Download) { state.withLock { $0.downloads.append(download) } }

    func recover() {
        state.withLock { state in
            state.refusal = nil
            state.isReading = true
        }
    }

    func ends(_ request: StreamRequest) throws(StreamRefusal) -> StreamEnds {
        if let refusal { throw refusal }
        if request.offer.kind == .upload { return StreamEnds(sink: Collector(request.offer, self)) }
        let echo = StreamEcho()
        var ends = StreamEnds(source: echo, sink: echo)
        ends.answerControl = { [self] data in
            state.withLock { $0.controls.append(data) }
            return data
        }
        return ends
    }

    /// Keeps an upload until it is whole.
    private struct Collector: StreamSink {
        let script: StreamScript
        private var upload: TestServer.Upload

        init(_ offer: StreamOffer, _ script: StreamScript) {
            self.script = script
            upload = TestServer.Upload(channel: offer.channel, metadata: offer.metadata, bytes: [])
        }

        var takesMore: Bool { script.isReading }

        mutating func take(_ bytes: ArraySlice<UInt8>) { upload.bytes += bytes }

        func finish() -> Value {
            script.state.withLock { $0.uploads.append(upload) }
            return ["size": Value(upload.bytes.count)]
        }

        mutating func abandon() { upload.bytes = [] }
    }
}
