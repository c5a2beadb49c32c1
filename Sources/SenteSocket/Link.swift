// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// One WebSocket connection as a value: bytes in, reports and bytes out (RFC 6455), for both roles.
///
///     opening ─101, accept()─▶ frames ─close frame, fault─▶ ending ─TCP's end or limit─▶ over
///        └──────────respond(), a wrong request─────────────────▲
///
/// `Opening` leads through proxy, TLS and upgrade; `Frames` reads, writes and closes. The link passes bytes to whichever it
/// is, and sees to the end.
///
/// Whoever owns the socket
/// - puts a filter for TLS between socket and link when `needs.isSecuring`, and calls `secured` once that has made its
///   handshake; from then on the link's bytes are those inside TLS;
/// - hands everything one `recv` brought to `receive`, or, while `missingBytes` is large, receives in place
///   with `fill`;
/// - answers a server's `request` with `accept` or `respond`;
/// - writes what `withOutput` offers while `hasOutput`, after every call that may have added to it;
/// - arms one timer for `deadline` and calls `timerFired` (early or twice does nothing);
/// - reports TCP's end with `receivedEnd`, an error with `failed`;
/// - shuts the writing half of TCP down when `mayShutDownWriting`, and closes TCP when `isOver`.
///
/// Each link has one last report, `refused` or `closed`; a server's link that was answered with `respond` ends
/// by that call and reports nothing more. `closed` comes with the peer's close frame or with the fault: what
/// follows (our answer, TCP's end) is cleaning up, bounded by the close limit. No report follows the last one,
/// and no call is wrong after it. Of the reports `progress` and `answered` are not the link's to make.
///
/// Where permessage-deflate is agreed on (RFC 7692), copies of an open link share its streams, and only one of them may
/// go on.
package struct Link: Sendable {
    private enum Stage: Sendable {
        /// Can move to: frames, ending, over.
        case opening
        /// Can move to: ending, over.
        case frames
        /// The last event is told; the rest of our output and TCP's end are waited for. Can move to: over.
        case ending
        /// TCP may be closed.
        case over
    }

    // What the stages own stands beside them, so that nothing is moved when bytes come.
    private var stage = Stage.opening
    /// Nil from `frames` on.
    private var opening: Opening?
    /// Without memory of its own until frames flow.
    private var frames: Frames
    /// Nil once frames have what was agreed on of it.
    private var compression: LinkCompression?
    private var output = OutputBuffer()
    private var endReceived = false
    /// When `opening` or `ending` must be over.
    private var limit: Instant

    /// A client's link.
    ///
    /// Its output begins with the request, once it is `secured` if it is to be secured.
    ///
    /// `deadline` ends the opening handshakes, whatever part of the time limit went into connecting before.
    package init(
        client request: UpgradeRequest, key: HandshakeKey, limits: LinkLimits = LinkLimits(),
        mode: PayloadMode = .messages, compression: LinkCompression? = nil, proxy: ProxyStage? = nil,
        isSecure: Bool = false, deadline: Instant
    ) {
        self.compression = compression
        frames = Frames(isClient: true, limits: limits, mode: mode)
        limit = deadline
        let upgrade = ClientUpgrade(request, key: key, compression: compression, limits: limits)
        opening = Opening(.client(upgrade), by: proxy, isSecure: isSecure, into: &output)
    }

    /// A client's link that is no WebSocket: one request, whose answer is reported as `refused`, good or bad.
    ///
    /// `deadline` ends it, whatever part of the time limit went into connecting before.
    package init(
        exchange request: HTTPExchangeRequest, limits: LinkLimits = LinkLimits(), proxy: ProxyStage? = nil,
        isSecure: Bool = false, deadline: Instant
    ) {
        compression = nil
        frames = Frames(isClient: true, limits: limits)
        limit = deadline
        let exchange = HTTPExchange(request, limits: limits)
        opening = Opening(.exchange(exchange), by: proxy, isSecure: isSecure, into: &output)
    }

    /// A server's link on a connection that was accepted at `now`.
    package init(
        server limits: LinkLimits = LinkLimits(), compression: LinkCompression? = nil, isSecure: Bool = false,
        at now: Instant
    ) {
        self.compression = compression
        frames = Frames(isClient: false, limits: limits)
        limit = now.advanced(by: limits.handshake)
        opening = Opening(ServerUpgrade(limits: limits), isSecure: isSecure)
    }

    // MARK: - State

    /// Whether messages may be sent.
    package var isOpen: Bool { stage == .frames && frames.isOpen }

    /// Whether TCP may be closed now.
    package var isOver: Bool { stage == .over }

    /// Whether a server has said its last word, so that the owner shuts down writing and reads on until
    /// `isOver`: closing TCP with bytes unread would reset it and could destroy what the client has not read
    /// yet.
    package var mayShutDownWriting: Bool { !frames.isClient && stage == .ending && !hasOutput }

    package var hasOutput: Bool { output.count > 0 }

    /// Bytes queued for the socket, framing included.
    package var unwrittenBytes: Int { output.count }

    /// How much of a data frame's payload has not come.
    ///
    /// When large, `fill` spares a copy.
    package var missingBytes: Int { stage == .frames ? frames.missing : 0 }

    /// When `timerFired` wants to be called; nil while nothing is waited for.
    package var deadline: Instant? {
        switch stage {
        case .opening, .ending: limit
        case .frames: frames.deadline
        case .over: nil
        }
    }

    /// What a link wants of its owner, all in one look.
    package struct Needs: Sendable {
        /// The filter for TLS belongs between socket and link now; `secured` ends that.
        package let isSecuring: Bool
        package let isOpen: Bool
        package let isOver: Bool
        /// More may come of the peer's bytes.
        package let isReading: Bool
        package let mayShutDownWriting: Bool
        package let hasOutput: Bool
        package let missingBytes: Int
        package let deadline: Instant?
    }

    /// `mutating`, though it changes nothing: to call another getter of another module, a caller copies the whole link first.
    package var needs: Needs {
        mutating get {
            Needs(
                isSecuring: stage == .opening && opening?.isSecuring == true, isOpen: isOpen, isOver: isOver,
                isReading: !isOver && !endReceived, mayShutDownWriting: mayShutDownWriting,
                hasOutput: hasOutput, missingBytes: missingBytes, deadline: deadline)
        }
    }

    // MARK: - Input

    /// The owner's filter has made its handshake; bytes that came behind it are received from now on.
    package mutating func secured() {
        opening?.secured(into: &output)
    }

    /// Takes everything one read brought.
    package mutating func receive(
        _ bytes: UnsafeRawBufferPointer, at now: Instant, masks: inout MaskKeys,
        into reports: inout [LinkReport]
    ) {
        var rest = bytes
        if stage == .opening, let outcome = opening?.read(&rest, into: &output) {
            switch outcome {
            case .opened(let opening, let terms): begin(opening, terms, into: &reports)
            case .failed(let report): finish(report, into: &reports)
            case .answered(let report): linger(report, at: now, into: &reports)
            }
        }
        guard stage == .frames else { return }
        let end = frames.read(&rest, at: now, masks: &masks, output: &output, into: &reports)
        if let end { linger(.closed(end), at: now, into: &reports) }
    }

    /// Lets `body` receive what is missing of a data frame (`missingBytes` > 0) straight into its place.
    ///
    /// `body` gets the whole missing region and returns how many bytes it wrote to its front, 0 for none. The
    /// same count comes back.
    @discardableResult
    package mutating func fill(
        at now: Instant, masks: inout MaskKeys, into reports: inout [LinkReport],
        _ body: (UnsafeMutableRawBufferPointer) throws -> Int
    ) rethrows -> Int {
        guard missingBytes > 0 else { return 0 }
        let (count, end) = try frames.fill(
            at: now, masks: &masks, output: &output, into: &reports, body)
        if let end { linger(.closed(end), at: now, into: &reports) }
        return count
    }

    /// The peer ended its half of TCP.
    package mutating func receivedEnd(at now: Instant, into reports: inout [LinkReport]) {
        endReceived = true
        switch stage {
        case .opening: if let report = opening?.ended() { finish(report, into: &reports) }
        case .frames:
            if let end = frames.ended(&output) {
                linger(.closed(end), at: now, into: &reports)
            } else {
                finish(.lost("The connection ended without a close frame."), into: &reports)
            }
        case .ending: settle()
        case .over: break
        }
    }

    /// The connection failed: nothing more can be read or written.
    package mutating func failed(_ failure: LinkFailure, into reports: inout [LinkReport]) {
        switch stage {
        case .opening: finish(opening?.failed(failure), into: &reports)
        case .frames: finish(.closed(.failed(failure)), into: &reports)
        case .ending, .over: finish(nil, into: &reports)
        }
    }

    /// The clock reached `deadline`.
    ///
    /// Early or twice does nothing.
    package mutating func timerFired(at now: Instant, into reports: inout [LinkReport]) {
        guard let deadline, now >= deadline else { return }
        switch stage {
        case .opening: finish(opening?.timedOut(), into: &reports)
        case .frames:
            switch frames.expire(at: now, output: &output) {
            case .idle: break
            case .ended(let end): linger(.closed(end), at: now, into: &reports)
            case .unanswered:
                finish(.lost("The peer did not answer our close frame in time."), into: &reports)
            }
        case .ending, .over: finish(nil, into: &reports)
        }
    }

    // MARK: - Servers: answering the request

    /// The request that waits for the owner's answer.
    package var request: HTTPRequest? {
        guard case .serving(let upgrade)? = opening else { return nil }
        return upgrade.request
    }

    /// Accepts the upgrade that was requested; false, changing nothing, when there is none or the answer
    /// would be wrong (a subprotocol that was not offered, a header that cannot be written).
    package mutating func accept(
        subprotocol: String? = nil, headers: [HTTPHeader] = [], at now: Instant, masks: inout MaskKeys,
        into reports: inout [LinkReport]
    ) -> Bool {
        guard case .serving(let upgrade)? = opening,
            let (answer, terms) = upgrade.accept(
                subprotocol: subprotocol, headers: headers, compression: compression?.policy)
        else { return false }
        output.append(answer)
        begin(LinkOpening(subprotocol: subprotocol), terms, into: &reports)
        upgrade.leftover.withUnsafeBytes { receive($0, at: now, masks: &masks, into: &reports) }
        return true
    }

    /// Answers the request with plain HTTP, which ends the link; false, changing nothing, when no request
    /// waits or the answer cannot be written (a status outside 200–599, a wrong header).
    package mutating func respond(
        status: Int, headers: [HTTPHeader] = [], body: [UInt8] = [], at now: Instant
    ) -> Bool {
        guard case .serving(let upgrade)? = opening, upgrade.request != nil,
            let answer = upgrade.respond(status: status, headers: headers, body: body)
        else { return false }
        output.append(answer)
        linger(at: now)
        return true
    }

    // MARK: - Sending

    /// What became of a message that was to be sent.
    package enum WriteResult: Hashable, Sendable {
        case queued
        /// The link is not open, or no longer: after a close frame nothing is sent (RFC 6455 §5.5.1).
        case notOpen
        /// The message is larger than the limit, or a ping's payload than 125 bytes.
        case tooBig
    }

    /// Queues a message as one frame.
    ///
    /// `id` is reported as written once its last byte was.
    package mutating func send(
        _ message: Message, id: SendID? = nil, at now: Instant, masks: inout MaskKeys
    ) -> WriteResult {
        guard isOpen else { return .notOpen }
        guard message.bytes.count <= frames.limits.message.outgoing else { return .tooBig }
        frames.send(message, at: now, masks: &masks, output: &output)
        if let id { output.mark(id) }
        return .queued
    }

    /// Has `id` reported as written once all that is queued was; never, when nothing is.
    package mutating func mark(_ id: SendID) {
        if hasOutput { output.mark(id) }
    }

    /// Queues a ping.
    package mutating func ping(_ payload: [UInt8] = [], masks: inout MaskKeys) -> WriteResult {
        guard isOpen else { return .notOpen }
        guard payload.count <= 125 else { return .tooBig }
        frames.ping(payload, masks: &masks, output: &output)
        return .queued
    }

    /// Starts the closing handshake; before the link is open, ends it.
    ///
    /// False, changing nothing, for a code that must not be on the wire. A reason is cut to what fits, at the
    /// border of a scalar.
    package mutating func close(
        _ code: CloseCode, reason: String = "", at now: Instant, masks: inout MaskKeys,
        into reports: inout [LinkReport]
    ) -> Bool {
        guard code.isAllowedOnWire else { return false }
        switch stage {
        case .opening: finish(.lost("The link was closed before it was open."), into: &reports)
        case .frames:
            let end = frames.close(code, reason: reason, at: now, masks: &masks, output: &output)
            if let end { linger(.closed(end), at: now, into: &reports) }
        case .ending, .over: break
        }
        return true
    }

    // MARK: - Output

    /// What `withOutput` would offer, for who writes it while the link goes on, and counts it with `withOutput` then.
    ///
    /// Meanwhile output is only added to, or all of it dropped because the link is over.
    package var unwritten: ArraySlice<UInt8> {
        mutating get { output.unwritten }
    }

    /// Offers all output to `body`, which returns how many bytes the socket took (0 for none).
    ///
    /// Messages whose last byte was among them are reported, unless the last report was made.
    @discardableResult
    package mutating func withOutput(
        into reports: inout [LinkReport], _ body: (UnsafeRawBufferPointer) throws -> Int
    ) rethrows -> Int {
        var wrote: [SendID] = []
        let count = try output.drain(into: &wrote, body)
        if stage == .frames {
            if !wrote.isEmpty { reports.append(.wrote(wrote)) }
            frames.wrote(&output)
        } else if stage == .ending {
            settle()
        }
        return count
    }

    // MARK: - Stages

    private mutating func begin(
        _ agreed: LinkOpening, _ terms: DeflateTerms?, into reports: inout [LinkReport]
    ) {
        opening = nil
        stage = .frames
        frames = Frames(
            isClient: frames.isClient, limits: frames.limits, mode: frames.mode, compression, terms)
        compression = nil
        reports.append(.opened(agreed))
    }

    /// The last report is made: what is left is our output and TCP's end, which the server brings about (§7.1.1).
    private mutating func linger(_ last: LinkReport, at now: Instant, into reports: inout [LinkReport]) {
        reports.append(last)
        linger(at: now)
    }

    private mutating func linger(at now: Instant) {
        release()
        stage = .ending
        limit = now.advanced(by: frames.limits.close)
        settle()
    }

    private mutating func settle() {
        if endReceived, !hasOutput { stage = .over }
    }

    private mutating func finish(_ last: LinkReport?, into reports: inout [LinkReport]) {
        if let last { reports.append(last) }
        release()
        stage = .over
        output.discard()
    }

    /// Gives back what only reading needed.
    private mutating func release() {
        opening = nil
        frames = Frames(isClient: frames.isClient, limits: frames.limits, mode: frames.mode)
    }
}
