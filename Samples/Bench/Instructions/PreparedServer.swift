// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport

/// A v1 server in the client's own thread, at the other end of a real link: it reads nothing and has every answer ready.
///
/// So next to all that is counted is the client's. Turns follow one another as on a socket: what was written is reported
/// at the end of its turn, and the answer wakes the next.
final class PreparedServer: Transport, TransportLink, @unchecked Sendable {
    static let channel = "bench"
    private static let greeting = #"{"type":"welcome","conn-id":"c1","server-time":1700000000000}"#

    private let thread: OneThread
    private var link: Link
    private var masks: MaskKeys
    private let greetingBytes: [UInt8]
    private var id = LinkID(0)
    private var observer: (any LinkObserver)?
    /// What the next message is answered with; nothing when empty.
    private var answer: [UInt8] = []
    private var pair: LinkPair

    init(on thread: OneThread) throws {
        self.thread = thread
        masks = MaskKeys(thread.entropy)
        pair = try LinkPair(entropy: thread.entropy)
        link = pair.client
        greetingBytes = pair.fromServer(.text(Self.greeting))
    }

    /// The bytes of messages that come together.
    func bytes(of messages: [String]) -> [UInt8] {
        messages.flatMap { pair.fromServer(.text($0)) }
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
        if !answer.isEmpty { thread.post { self.arrive(self.answer) } }
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
        thread.post { self.flush() }
    }

    func close(_ code: CloseCode, reason: String) { observer = nil }
    func abandon() { observer = nil }
    func ping() {}
    func pauseReading() {}
    func resumeReading() {}
}
