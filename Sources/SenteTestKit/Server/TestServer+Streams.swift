// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteTransport
public import SenteWire

/// Files and endless data.
extension TestServer {
    /// A whole upload of a client.
    public struct Upload: Sendable, Hashable {
        /// The channel it was sent to; nil when the client named none.
        public var channel: String?
        /// What the client says of it.
        public var metadata: Value
        /// What was sent.
        public var bytes: [UInt8]
    }

    /// Announces streams to those who connect from now on; without this the server has none.
    ///
    /// It then takes uploads, whose receipt is `{"size": n}`, and sends back what comes on bidirectional streams, control
    /// messages included.
    public func takesStreams() {
        streams.isTaking = true
        order(.announceStreams(StreamPolicy()))
    }

    /// Refuses the streams that clients ask for, with a code and a sentence, until `recovers()`.
    ///
    /// The default code is `refused`.
    public func refusesStreams(_ message: String = "not now", code: String = "refused") {
        streams.refusal = StreamRefusal(message, code: code)
    }

    /// Takes no more of the bytes that come on uploads, until `recovers()`: who sends has to wait.
    public func leavesUploadsUnread() { streams.isReading = false }

    /// Offers a file to each client that has agreed on streams, and to each that will.
    public func offersDownload(_ bytes: [UInt8], on channel: String, metadata: Value = .null) {
        let download = StreamScript.Download(bytes, on: channel, metadata)
        time.post(.world) { [weak self] in
            self?.streams.add(download)
            self?.offer(download, to: .everyone)
        }
    }

    /// The uploads that have come whole, in the order of their ends.
    public var uploads: [Upload] { streams.uploads }

    /// The control messages of bidirectional streams so far, in order.
    public var streamControls: [Value] { streams.controls }

    /// Waits until so many uploads have come whole; all of them.
    @discardableResult
    public func expectUploads(
        _ count: Int = 1, within limit: Duration = .seconds(60)
    ) async throws(TestFailure) -> [Upload] {
        try await expect("\(count) uploads", within: limit) { server in
            server.uploads.count >= count ? server.uploads : nil
        } standing: {
            "There are \($0.uploads.count)."
        }
    }

    // MARK: On the world's queue

    func perform(_ event: ServerStream.Event, of name: StreamName, on id: ConnectionID) {
        advance { state, now, effects in
            state.desk.perform(event, of: name, on: id, in: &state.session, at: now, into: &effects)
        }
    }

    func offer(_ download: StreamScript.Download, to audience: StreamAudience) {
        advance { state, now, effects in
            _ = state.desk.open(download.offer, to: audience, in: &state.session, at: now, into: &effects) {
                download.ends
            }
        }
    }

    func wakeStreams() {
        advance { state, now, effects in
            state.desk.wakeAll(in: &state.session, at: now, into: &effects)
        }
    }
}
