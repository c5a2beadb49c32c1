// SPDX-License-Identifier: Apache-2.0

import SenteServer
public import SenteWire

/// Files and endless data, as ``TestServer`` has them.
extension LoopbackServer {
    /// Announces streams to those who connect from now on; without this the server has none.
    ///
    /// It then takes uploads, whose receipt is `{"size": n}`, and sends back what comes on bidirectional streams, control
    /// messages included.
    public func takesStreams() async {
        streams.isTaking = true
        await server.perform(.announceStreams(StreamPolicy()))
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
    public func offersDownload(_ bytes: [UInt8], on channel: String, metadata: Value = .null) async {
        let download = StreamScript.Download(bytes, on: channel, metadata)
        let added: Void? = await server.withStreams { [streams] desk, session, now, effects in
            streams.add(download)
            _ = desk.open(download.offer, to: .everyone, in: &session, at: now, into: &effects) {
                download.ends
            }
        }
        if added == nil { streams.add(download) }
    }

    /// The uploads that have come whole, in the order of their ends.
    public var uploads: [TestServer.Upload] { streams.uploads }

    /// The control messages of bidirectional streams so far, in order.
    public var streamControls: [Value] { streams.controls }
}
