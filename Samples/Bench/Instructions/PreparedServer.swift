// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport

/// A server of v1 or of NATS in the client's own thread, at the other end of a real link: it reads nothing and has every
/// answer ready.
///
/// So next to all that is counted is the client's. Turns follow one another as on a socket: what was written is reported
/// at the end of its turn, and the answer wakes the next.
final class PreparedServer: Transport, TransportLink, @unchecked Sendable {
    static let channel = "bench"
    private static let greeting = #"{"type":"welcome","conn-id":"c1","server-time":1700000000000"#
    /// What it announces and agrees to, where it has flow: the defaults of the reference server.
    private static let features =
        #"{"batching":true,"chunking":true,"max-chunk-size":65536,"binary":true,"compression":["gzip"],"#
        + #""resume":{"window-ms":300000,"messages":100,"bytes":1048576}}"#
    private static let agreement =
        #"{"type":"flow-handshake-ack","features":\#(features),"session":"s","resumed":false,"received":0}"#
    /// A quarter of what a client keeps.
    private static let acknowledgedTogether = 250

    /// What of the client's messages it has counted, on a link with flow.
    private struct Counts {
        var hasAgreed = false
        var received = 0
        var acknowledged = 0
        /// Whether anything came since the last turn that wants an answer.
        var isAsked = false
    }

    private let thread: OneThread
    private var link: Link
    private var masks: MaskKeys
    private let greetingBytes: [UInt8]
    private var id = LinkID(0)
    private var observer: (any LinkObserver)?
    /// What the next message is answered with; nothing when empty.
    private var answer: [UInt8] = []
    private var pair: LinkPair
    private var counts: Counts?
    private let isNATS: Bool

    init(on thread: OneThread, flow: Bool = false, nats: Bool = false) throws {
        self.thread = thread
        counts = flow ? Counts() : nil
        isNATS = nats
        masks = MaskKeys(thread.entropy)
        pair = try LinkPair(entropy: thread.entropy)
        link = pair.client
        let end = flow ? #","capabilities":\#(Self.features)}"# : "}"
        let greeting = nats ? Message.binary(Array("INFO {}\r\n".utf8)) : .text(Self.greeting + end)
        greetingBytes = pair.fromServer(greeting)
        // Each message of the client ends with a PING.
        if nats { answer(with: ["PONG\r\n"]) }
    }

    /// The bytes of messages that come together.
    func bytes(of messages: [String]) -> [UInt8] {
        messages.flatMap { pair.fromServer(isNATS ? .binary(Array($0.utf8)) : .text($0)) }
    }

    /// Answers each message from now on with these.
    func answer(with messages: [String]) {
        answer = bytes(of: messages)
    }

    /// Lets bytes come, in a turn of their own.
    func arrive(_ bytes: [UInt8]) {
        var reports: [LinkReport] = [.progress]
        bytes.withUnsafeBytes { link.receive($0, at: thread.now.instant, masks: &masks, into: &reports) }
        observer?.link(id, reported: reports)
    }

    private func flush() {
        var reports: [LinkReport] = []
        link.withOutput(into: &reports) { $0.count }
        guard !reports.isEmpty else { return }
        observer?.link(id, reported: reports)
        guard counts == nil else { return answerCounted() }
        if !answer.isEmpty { thread.post { self.arrive(self.answer) } }
    }

    /// Agrees to flow once, then answers what is no word of it, and acknowledges as a server would.
    private func answerCounted() {
        guard var counts, counts.isAsked else { return }
        counts.isAsked = false
        var bytes = answer
        if !counts.hasAgreed {
            counts.hasAgreed = true
            bytes = self.bytes(of: [Self.agreement])
        } else if counts.received - counts.acknowledged >= Self.acknowledgedTogether {
            counts.acknowledged = counts.received
            bytes += self.bytes(of: [#"{"type":"flow-ack","received":\#(counts.received)}"#])
        }
        self.counts = counts
        if !bytes.isEmpty { thread.post { [bytes] in self.arrive(bytes) } }
    }

    private func count(_ messages: [Transmission]) {
        for one in messages {
            let bytes = one.message.bytes
            // `{"type":"flow-…`
            let isWord =
                bytes.count > 13 && bytes[9] == UInt8(ascii: "f") && bytes[13] == UInt8(ascii: "-")
            if !isWord { counts?.received += 1 }
            if !isWord || counts?.hasAgreed == false { counts?.isAsked = true }
        }
    }

    // MARK: Transport

    func open(
        _ id: LinkID, _ request: LinkRequest, on host: any Host, observer: any LinkObserver
    ) -> any TransportLink {
        self.id = id
        self.observer = observer
        thread.post {
            self.observer?.link(id, reported: [.opened(LinkOpening())])
            self.arrive(self.greetingBytes)
        }
        return self
    }

    // MARK: TransportLink

    func send(_ messages: [Transmission]) {
        for one in messages {
            _ = link.send(one.message, id: one.id, at: thread.now.instant, masks: &masks)
        }
        if counts != nil { count(messages) }
        thread.post { self.flush() }
    }

    func close(_ code: CloseCode, reason: String) { observer = nil }
    func abandon() { observer = nil }
    func ping() {}
    func pauseReading() {}
    func resumeReading() {}
}
