// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// One WebSocket connection as a value: bytes in, events and bytes out (RFC 6455), for both roles.
///
///     client  upgrading ──101──▶ open ─close()─▶ closing ─their close─▶ ending ─TCP's end or limit─▶ over
///     server  serving ─accept()─▶ open                                   ▲
///                └──respond(), a wrong request, a peer at fault──────────┘
///
/// Two stages may stand before these, `proxying` and then `securing`: a proxy is asked for the way to the server, and TLS
/// begins. TLS is no value, so its owner puts a
/// filter between the socket and the link when `look()` says `isSecuring`, and calls `secured()` once the
/// filter has made its handshake. From then on the link's bytes are those inside TLS.
///
/// Whoever owns the socket
/// - hands everything one `recv` brought to `receive`, or, while `missingBytes` is large, receives in place
///   with `fill`;
/// - writes what `withOutput` offers while `hasOutput`, after every call that may have added to it;
/// - arms one timer for `deadline` and calls `timerFired` (early or twice does nothing);
/// - reports TCP's end with `receivedEnd`, an error with `failed`;
/// - shuts the writing half of TCP down when `mayShutDownWriting`, and closes TCP when `isOver`.
///
/// Each link has one last event, `refused` or `closed`; a server's link that was answered with `respond` ends
/// by that call and reports nothing more. `closed` comes with the peer's close frame or with the fault: what
/// follows (our answer, TCP's end) is cleaning up, bounded by the close limit. No event follows the last one,
/// and no call is wrong after it.
///
/// Where permessage-deflate is agreed on (RFC 7692), messages are compressed and unfolded on the way; the streams for it
/// are made when they are first needed, and `deadline` also frees what has not been used for a while.
///
/// The stages stand in `stage`; what they own stands beside it, so that nothing is copied when bytes come.
package struct Link: Sendable {
    private enum Stage: Sendable {
        /// Client: the proxy has not agreed yet. Can move to: securing, upgrading, over.
        case proxying
        /// The owner's filter makes the TLS handshake. Can move to: upgrading, serving, over.
        case securing
        /// Client: the request is written, the answer has not come. Can move to: open, over.
        case upgrading
        /// Server: the request or the owner's answer to it has not come. Can move to: open, ending, over.
        case serving
        /// Frames flow. Can move to: closing, ending, over.
        case open
        /// We sent a close frame, the peer's has not come. Can move to: ending, over.
        case closing
        /// The last event is told; the rest of our output and TCP's end are waited for. Can move to: over.
        case ending
        /// TCP may be closed.
        case over
    }

    private let isClient: Bool
    private let isSecure: Bool
    private let limits: LinkLimits
    private var stage: Stage
    private var proxy: ProxyStage?
    private var clientUpgrade: ClientUpgrade?
    private var serverUpgrade: ServerUpgrade?
    /// A client's request, until the stages before the upgrade are done.
    private var request: [UInt8] = []
    private var reader: FrameReader
    private let compression: LinkCompression?
    /// One once permessage-deflate is agreed on, with `reader.inflater`, else none.
    private var deflater: [MessageDeflater] = []
    private var output = OutputBuffer()
    /// The answer to the latest ping, kept back while the output is congested.
    private var latePong: (payload: [UInt8], key: UInt32?)?
    /// A fault of the peer that came behind good messages, which the owner may answer before the close frame: it is told
    /// when `deadline`, which is now, has come.
    private var heldFault: (fault: FrameFault, key: UInt32?)?
    private var endReceived = false
    /// When `timerFired` wants to be called; nil while nothing is waited for.
    package private(set) var deadline: Instant?

    /// A client's link.
    ///
    /// Its output begins with the request, once it is `secured()` if it is to be secured.
    ///
    /// `deadline` ends the opening handshakes, whatever part of the time limit went into connecting before.
    ///
    /// With `compression` permessage-deflate is offered; then copies of an open link share its streams, and only one of
    /// them may go on.
    package init(
        client request: UpgradeRequest, key: HandshakeKey, limits: LinkLimits = LinkLimits(),
        compression: LinkCompression? = nil, proxy: ProxyStage? = nil, isSecure: Bool = false,
        deadline: Instant
    ) {
        isClient = true
        self.isSecure = isSecure
        self.limits = limits
        self.compression = compression
        stage = .securing
        let offer = compression.map { DeflateParameters(offering: $0.policy) }
        clientUpgrade = ClientUpgrade(request, key: key, compression: compression, limits: limits)
        reader = FrameReader(masked: false, limit: limits.message.incoming)
        self.deadline = deadline
        self.request = request.bytes(key: key, offering: offer)
        if let proxy {
            stage = .proxying
            self.proxy = proxy
            output.append(proxy.opening)
        } else if !isSecure {
            upgrade()
        }
    }

    /// A server's link on a connection that was accepted at `now`.
    package init(
        server limits: LinkLimits = LinkLimits(), compression: LinkCompression? = nil, isSecure: Bool = false,
        at now: Instant
    ) {
        isClient = false
        self.isSecure = isSecure
        self.limits = limits
        self.compression = compression
        stage = isSecure ? .securing : .serving
        serverUpgrade = ServerUpgrade(limits: limits)
        reader = FrameReader(masked: true, limit: limits.message.incoming)
        deadline = now.advanced(by: limits.handshake)
    }

    // MARK: - State

    /// Whether messages may be sent.
    package var isOpen: Bool { stage == .open }

    /// Whether TCP may be closed now.
    package var isOver: Bool { stage == .over }

    /// Whether a server has said its last word, so that the owner shuts down writing and reads on until
    /// `isOver`: closing TCP with bytes unread would reset it and could destroy what the client has not read
    /// yet.
    package var mayShutDownWriting: Bool { !isClient && stage == .ending && !hasOutput }

    package var hasOutput: Bool { output.count > 0 }

    /// Bytes queued for the socket, framing included.
    package var unwrittenBytes: Int { output.count }

    /// How much of a data frame's payload has not come.
    ///
    /// When large, `fill` spares a copy.
    package var missingBytes: Int { heldFault == nil ? reader.missing : 0 }

    /// What a link wants of its owner, all in one look.
    package struct Wants: Sendable {
        /// The filter for TLS belongs between socket and link now; `secured()` ends that.
        package let isSecuring: Bool
        package let isOpen: Bool
        package let isOver: Bool
        package let mayShutDownWriting: Bool
        package let hasOutput: Bool
        package let missingBytes: Int
        package let deadline: Instant?
    }

    /// `mutating`, though it changes nothing: to call a getter of another module, a caller copies the whole link first.
    package mutating func look() -> Wants {
        Wants(
            isSecuring: stage == .securing, isOpen: isOpen, isOver: isOver,
            mayShutDownWriting: mayShutDownWriting, hasOutput: hasOutput,
            missingBytes: missingBytes, deadline: deadline)
    }

    // MARK: - Input

    /// The owner's filter has made its handshake; bytes that came behind it are received from now on.
    package mutating func secured() {
        guard stage == .securing else { return }
        if isClient { upgrade() } else { stage = .serving }
    }

    /// Takes everything one read brought.
    package mutating func receive(
        _ bytes: UnsafeRawBufferPointer, at now: Instant, masks: inout MaskKeys,
        into events: inout [LinkEvent]
    ) {
        var rest = bytes
        if stage == .proxying { readProxy(&rest, into: &events) }
        if stage == .upgrading { readAnswer(&rest, at: now, into: &events) }
        if stage == .serving { readRequest(&rest, at: now, into: &events) }
        readFrames(&rest, at: now, masks: &masks, into: &events)
    }

    /// Lets `body` receive what is missing of a data frame (`missingBytes` > 0) straight into its place.
    ///
    /// `body` gets the whole missing region and returns how many bytes it wrote to its front, 0 for none. The
    /// same count comes back.
    @discardableResult
    package mutating func fill(
        at now: Instant, masks: inout MaskKeys, into events: inout [LinkEvent],
        _ body: (UnsafeMutableRawBufferPointer) throws -> Int
    ) rethrows -> Int {
        let (count, outcome) = try reader.fill(body)
        switch outcome {
        case .success(let piece?): take(piece, at: now, masks: &masks, into: &events)
        case .success(nil): break
        case .failure(let fault): fail(fault, at: now, masks: &masks, into: &events)
        }
        return count
    }

    /// The peer ended its half of TCP.
    package mutating func receivedEnd(at now: Instant, into events: inout [LinkEvent]) {
        endReceived = true
        if let (fault, key) = heldFault { fail(fault, key: key, at: now, into: &events) }
        switch stage {
        case .proxying: finish(proxy.map { .closed(.failed($0.ended)) }, into: &events)
        case .securing:
            finish(.lost, "The peer ended the connection during the TLS handshake.", into: &events)
        case .upgrading:
            if case .refused(let refusal) = clientUpgrade?.end() {
                finish(.refused(refusal), into: &events)
            } else {
                finish(
                    .lost, "The server ended the connection before it answered the handshake.", into: &events)
            }
        case .serving:
            // A client that asked for a page may have shut down its writing half; it still gets its answer.
            guard let request = serverUpgrade?.request, !request.isUpgrade else {
                finish(.lost, "The client ended the connection during the handshake.", into: &events)
                return
            }
        case .open, .closing:
            finish(.lost, "The connection ended without a close frame.", into: &events)
        case .ending:
            settle()
        case .over: break
        }
    }

    /// The connection failed: nothing more can be read or written.
    package mutating func failed(_ failure: LinkFailure, into events: inout [LinkEvent]) {
        switch stage {
        case .ending, .over: finish(nil, into: &events)
        case .proxying: finish(proxy.map { .closed(.failed($0.ended)) }, into: &events)
        case .securing, .upgrading, .serving, .open, .closing:
            // Servers that close with our bytes unread reset the connection behind their answer.
            if case .refused(let refusal) = clientUpgrade?.end() {
                finish(.refused(refusal), into: &events)
            } else {
                finish(.closed(.failed(failure)), into: &events)
            }
        }
    }

    /// The clock reached `deadline`.
    ///
    /// Early or twice does nothing.
    package mutating func timerFired(at now: Instant, into events: inout [LinkEvent]) {
        guard let deadline, now >= deadline else { return }
        if let (fault, key) = heldFault { return fail(fault, key: key, at: now, into: &events) }
        switch stage {
        case .proxying: finish(proxy.map { .closed(.failed($0.timedOut)) }, into: &events)
        case .securing: finish(.timedOut, "The TLS handshake took too long.", into: &events)
        case .upgrading:
            if case .refused(let refusal) = clientUpgrade?.end() {
                finish(.refused(refusal), into: &events)
            } else {
                finish(.timedOut, "The server did not answer the WebSocket handshake in time.", into: &events)
            }
        case .serving: finish(.timedOut, "The opening handshake took too long.", into: &events)
        case .closing: finish(.lost, "The peer did not answer our close frame in time.", into: &events)
        case .open: sweepCompression(at: now)
        case .ending, .over: finish(nil, into: &events)
        }
    }

    // MARK: - Servers: answering the request

    /// Accepts the upgrade that was requested; false, changing nothing, when there is none or the answer
    /// would be wrong (a subprotocol that was not offered, a header that cannot be written).
    package mutating func accept(
        subprotocol: String? = nil, headers: [HTTPHeader] = [], at now: Instant, masks: inout MaskKeys,
        into events: inout [LinkEvent]
    ) -> Bool {
        guard stage == .serving, let upgrade = serverUpgrade,
            let (answer, terms) = upgrade.accept(
                subprotocol: subprotocol, headers: headers, compression: compression?.policy)
        else { return false }
        output.append(answer)
        serverUpgrade = nil
        open(LinkOpening(subprotocol: subprotocol), terms, into: &events)
        upgrade.leftover.withUnsafeBytes { bytes in
            var rest = bytes
            readFrames(&rest, at: now, masks: &masks, into: &events)
        }
        return true
    }

    /// Answers the request with plain HTTP, which ends the link; false, changing nothing, when no request
    /// waits or the answer cannot be written (a status outside 200–599, a wrong header).
    package mutating func respond(
        status: Int, headers: [HTTPHeader] = [], body: [UInt8] = [], at now: Instant
    ) -> Bool {
        guard stage == .serving, let upgrade = serverUpgrade, upgrade.request != nil,
            let answer = upgrade.respond(status: status, headers: headers, body: body)
        else { return false }
        output.append(answer)
        linger(at: now)
        return true
    }

    // MARK: - Sending

    /// What became of a message that was to be sent.
    package enum Verdict: Hashable, Sendable {
        case queued
        /// The link is not open, or no longer: after a close frame nothing is sent (RFC 6455 §5.5.1).
        case notOpen
        /// The message is larger than the limit, or a ping's payload than 125 bytes.
        case tooBig
    }

    /// Queues a message as one frame.
    ///
    /// `id` is reported by `withOutput` once its last byte was written.
    package mutating func send(_ message: Message, id: SendID? = nil, masks: inout MaskKeys) -> Verdict {
        guard stage == .open else { return .notOpen }
        guard message.bytes.count <= limits.message.outgoing else { return .tooBig }
        let key = isClient ? masks.next() : nil
        let opcode = message.kind == .text ? FrameHeader.Opcode.text : .binary
        message.bytes.withUnsafeBytes { bytes in
            if !deflater.isEmpty, let payload = deflater[0].deflate(bytes) {
                payload.withUnsafeBytes { output.append(frame: opcode, isCompressed: true, $0, key: key) }
                watchCompression()
            } else {
                output.append(frame: opcode, bytes, key: key)
            }
        }
        if let id { output.mark(id) }
        return .queued
    }

    /// Queues a ping.
    package mutating func ping(_ payload: [UInt8] = [], masks: inout MaskKeys) -> Verdict {
        control(.ping, payload, masks: &masks)
    }

    /// Queues a pong nobody asked for, which peers ignore (RFC 6455 §5.5.3).
    package mutating func pong(_ payload: [UInt8] = [], masks: inout MaskKeys) -> Verdict {
        control(.pong, payload, masks: &masks)
    }

    /// Starts the closing handshake; before the link is open, ends it.
    ///
    /// False, changing nothing, for a code that must not be on the wire. A reason is cut to what fits, at the
    /// border of a scalar.
    package mutating func close(
        _ code: CloseCode, reason: String = "", at now: Instant, masks: inout MaskKeys,
        into events: inout [LinkEvent]
    ) -> Bool {
        guard code.isAllowedOnWire else { return false }
        switch stage {
        case .proxying, .securing, .upgrading, .serving:
            finish(.lost, "The link was closed before it was open.", into: &events)
        case .open:
            sendClose(ClosePayload.encode(code, reason: reason), masks: &masks)
            stage = .closing
            if heldFault == nil { deadline = now.advanced(by: limits.close) }
        case .closing, .ending, .over: break
        }
        return true
    }

    // MARK: - Output

    /// Offers all output to `body`, which returns how many bytes the socket took (0 for none).
    ///
    /// Messages whose last byte was among them are appended to `wrote`.
    @discardableResult
    package mutating func withOutput(
        wrote: inout [SendID], _ body: (UnsafeRawBufferPointer) throws -> Int
    ) rethrows -> Int {
        let count = try output.drain(into: &wrote, body)
        if let pong = latePong, stage == .open, output.count <= limits.congestion {
            latePong = nil
            pong.payload.withUnsafeBytes { output.append(frame: .pong, $0, key: pong.key) }
        }
        if stage == .ending { settle() }
        return count
    }

    // MARK: - The opening handshake

    /// Nothing stands before the upgrade any more.
    private mutating func upgrade() {
        stage = .upgrading
        output.append(request)
        request = []
    }

    private mutating func readProxy(_ rest: inout UnsafeRawBufferPointer, into events: inout [LinkEvent]) {
        do throws(LinkFailure) {
            while let step = try proxy?.read(&rest) {
                switch step {
                case .write(let bytes): output.append(bytes)
                case .through:
                    // No server speaks before TLS does, and no proxy agrees before it was asked; what is left of either would
                    // be taken for a part of TLS.
                    if isSecure, !rest.isEmpty || hasOutput, let proxy { throw proxy.talkative }
                    proxy = nil
                    if isSecure { stage = .securing } else { upgrade() }
                }
            }
        } catch {
            finish(.closed(.failed(error)), into: &events)
        }
    }

    private mutating func readAnswer(
        _ rest: inout UnsafeRawBufferPointer, at now: Instant, into events: inout [LinkEvent]
    ) {
        do throws(HandshakeFault) {
            switch try clientUpgrade?.read(&rest) {
            case .opened(let opening, let terms):
                clientUpgrade = nil
                open(opening, terms, into: &events)
            case .refused(let refusal): finish(.refused(refusal), into: &events)
            case nil: break
            }
        } catch {
            finish(error.failure, "The handshake failed: \(error.message).", into: &events)
        }
    }

    private mutating func readRequest(
        _ rest: inout UnsafeRawBufferPointer, at now: Instant, into events: inout [LinkEvent]
    ) {
        do throws(HandshakeFault) {
            guard let request = try serverUpgrade?.read(&rest) else { return }
            events.append(.requested(request))
        } catch {
            let answer = serverUpgrade?.respond(
                status: error.status, headers: error.headers + [HTTPHeader("Content-Type", "text/plain")],
                body: Array("\(error.message)\n".utf8))
            if let answer { output.append(answer) }
            let failure = LinkFailure(.badHandshake, "The client's handshake was refused: \(error.message).")
            events.append(.closed(.failed(failure)))
            linger(at: now)
        }
    }

    private mutating func open(
        _ opening: LinkOpening, _ terms: DeflateTerms?, into events: inout [LinkEvent]
    ) {
        stage = .open
        deadline = nil
        if let compression, let terms {
            deflater = [MessageDeflater(compression, terms)]
            reader.inflater = [MessageInflater(compression, terms, limit: limits.message.incoming)]
        }
        events.append(.opened(opening))
    }

    // MARK: - Frames

    private mutating func readFrames(
        _ rest: inout UnsafeRawBufferPointer, at now: Instant, masks: inout MaskKeys,
        into events: inout [LinkEvent]
    ) {
        do throws(FrameFault) {
            while heldFault == nil, stage == .open || stage == .closing, let piece = try reader.read(&rest) {
                if case .message(let message) = piece {
                    events.append(.message(message))
                } else {
                    take(piece, at: now, masks: &masks, into: &events)
                }
            }
        } catch {
            fail(error, at: now, masks: &masks, into: &events)
        }
        if !deflater.isEmpty { watchCompression() }
    }

    private mutating func take(
        _ piece: FrameReader.Piece, at now: Instant, masks: inout MaskKeys, into events: inout [LinkEvent]
    ) {
        switch piece {
        case .message(let message): events.append(.message(message))
        case .pong(let payload): events.append(.pong(payload))
        case .ping(let payload):
            events.append(.pinged)
            answer(payload, masks: &masks)
        case .close(let payload):
            do throws(FrameFault) {
                let (code, reason) = try ClosePayload.decode(payload)
                // RFC 6455 §5.5.1: the answer echoes the code. What was queued before it is still written.
                if stage == .open { sendClose(ClosePayload.encode(code), masks: &masks) }
                events.append(.closed(.closed(code: code, reason: reason)))
                linger(at: now)
            } catch {
                fail(error, at: now, masks: &masks, into: &events)
            }
        }
    }

    /// RFC 6455 §5.5.2 and §5.5.3: each ping is answered, or, when they come faster than the answers go, the
    /// latest.
    private mutating func answer(_ payload: [UInt8], masks: inout MaskKeys) {
        guard stage == .open else { return }
        let key = isClient ? masks.next() : nil
        if output.count > limits.congestion {
            latePong = (payload, key)
        } else {
            payload.withUnsafeBytes { output.append(frame: .pong, $0, key: key) }
        }
    }

    private mutating func control(
        _ opcode: FrameHeader.Opcode, _ payload: [UInt8], masks: inout MaskKeys
    ) -> Verdict {
        guard stage == .open else { return .notOpen }
        guard payload.count <= 125 else { return .tooBig }
        let key = isClient ? masks.next() : nil
        payload.withUnsafeBytes { output.append(frame: opcode, $0, key: key) }
        return .queued
    }

    private mutating func sendClose(_ payload: [UInt8], masks: inout MaskKeys) {
        sendClose(payload, key: isClient ? masks.next() : nil)
    }

    private mutating func sendClose(_ payload: [UInt8], key: UInt32?) {
        payload.withUnsafeBytes { output.append(frame: .close, $0, key: key) }
        latePong = nil
    }

    // MARK: - Compression

    /// Has the owner call `timerFired` at once, which knows the time, if there is a stream to be freed when idle.
    private mutating func watchCompression() {
        guard stage == .open, deadline == nil, holdsCompression else { return }
        deadline = .distantPast
    }

    private var holdsCompression: Bool {
        deflater.contains(where: \.holdsStream) || reader.inflater.contains(where: \.holdsStream)
    }

    private mutating func sweepCompression(at now: Instant) {
        for index in deflater.indices { deflater[index].sweep() }
        for index in reader.inflater.indices { reader.inflater[index].sweep() }
        let idleTime = compression?.policy.idleTime ?? .zero
        deadline = holdsCompression ? now.advanced(by: idleTime) : nil
    }

    // MARK: - Ends

    /// RFC 6455 §7.1.7: the peer is at fault; it is told why, and nothing of it is read any more.
    private mutating func fail(
        _ fault: FrameFault, at now: Instant, masks: inout MaskKeys, into events: inout [LinkEvent]
    ) {
        let key = isClient ? masks.next() : nil
        let followsMessage = events.contains { if case .message = $0 { true } else { false } }
        if stage == .open, followsMessage {
            heldFault = (fault, key)
            deadline = now
        } else {
            fail(fault, key: key, at: now, into: &events)
        }
    }

    private mutating func fail(
        _ fault: FrameFault, key: UInt32?, at now: Instant, into events: inout [LinkEvent]
    ) {
        let failure = fault.failure(isTold: stage == .open)
        if stage == .open {
            sendClose(ClosePayload.encode(fault.code, reason: fault.message), key: key)
        }
        events.append(.closed(.failed(failure)))
        linger(at: now)
    }

    /// The last event is told: what is left is our output and TCP's end, which the server brings about
    /// (§7.1.1).
    private mutating func linger(at now: Instant) {
        stage = .ending
        release()
        deadline = now.advanced(by: limits.close)
        settle()
    }

    private mutating func settle() {
        guard endReceived, !hasOutput else { return }
        stage = .over
        deadline = nil
    }

    private mutating func finish(
        _ kind: LinkFailure.Kind, _ message: String, into events: inout [LinkEvent]
    ) {
        finish(.closed(.failed(LinkFailure(kind, message))), into: &events)
    }

    private mutating func finish(_ event: LinkEvent?, into events: inout [LinkEvent]) {
        if let event { events.append(event) }
        stage = .over
        deadline = nil
        release()
        output.discard()
    }

    /// Gives back what only reading needed.
    private mutating func release() {
        proxy = nil
        request = []
        clientUpgrade = nil
        serverUpgrade = nil
        latePong = nil
        heldFault = nil
        deflater = []
        reader = FrameReader(masked: !isClient, limit: limits.message.incoming)
    }
}
