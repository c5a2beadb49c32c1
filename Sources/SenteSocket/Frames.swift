// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// An open link's frames, both ways (RFC 6455 §5): messages, pings and the closing handshake, with permessage-deflate
/// where it was agreed on (RFC 7692).
///
///     open ─close()─▶ closing ─their close or a fault of theirs─▶ end
///       └─their close, or a fault of theirs────────────────────────▲
///       └─their fault behind good messages─▶ failing ─the owner had its turn─┘
///
/// Between messages it owns no memory but what compression keeps, whose idle streams are freed at `deadline`.
struct Frames: Sendable {
    private enum State: Sendable {
        /// Can move to: failing, closing.
        case open
        /// The peer is at fault, and nothing of it is read any more; but the owner may answer the good messages that came
        /// in the same read, so that what it says leaves before the close frame.
        case failing(FrameError, key: UInt32?, since: Instant)
        /// We sent a close frame, the peer's has not come.
        case closing(until: Instant)
    }

    let isClient: Bool
    let limits: LinkLimits
    let mode: PayloadMode
    private var state = State.open
    private var reader: FrameReader
    private var deflater: MessageDeflater?
    private let idleTime: Duration
    /// When streams of compression that were not used are freed; nil while there are none to be freed.
    private var sweep: Instant?
    /// The answer to the latest ping, kept back while the output is congested.
    private var latePong: (payload: [UInt8], key: UInt32?)?

    init(
        isClient: Bool, limits: LinkLimits, mode: PayloadMode = .messages,
        _ compression: LinkCompression? = nil, _ terms: DeflateTerms? = nil
    ) {
        self.isClient = isClient
        self.limits = limits
        self.mode = mode
        reader = FrameReader(masked: !isClient, limit: limits.message.incoming, mode: mode)
        idleTime = compression?.policy.idleTime ?? .zero
        if let compression, let terms {
            deflater = MessageDeflater(compression, terms)
            reader.inflater = MessageInflater(
                compression, terms, limit: mode == .stream ? .max : limits.message.incoming)
        }
    }

    /// Whether messages may be sent: not after a close frame (§5.5.1).
    var isOpen: Bool { if case .closing = state { false } else { true } }

    /// How much of a data frame's payload has not come.
    var missing: Int { if case .failing = state { 0 } else { reader.missing } }

    /// When `expire` is to be called.
    var deadline: Instant? {
        switch state {
        case .open: sweep
        case .failing(_, _, let since): since
        case .closing(let until): until
        }
    }

    // MARK: - Reading

    /// Takes all that came, and answers what is the protocol's own; the end when that came.
    mutating func read(
        _ rest: inout UnsafeRawBufferPointer, at now: Instant, masks: inout MaskKeys,
        output: inout OutputBuffer, into reports: inout [LinkReport]
    ) -> LinkEnd? {
        if case .failing = state { return nil }
        var messages: [Message] = []
        var end: LinkEnd?
        do throws(FrameError) {
            while end == nil, let piece = try reader.read(&rest) {
                switch consume piece {
                case .message(let message):
                    // One message a read is the common case, and a literal the cheapest array; where there are two there are
                    // often many, and the array is not to grow with each few.
                    if messages.isEmpty {
                        messages = [message]
                    } else {
                        if messages.count == 1 { messages.reserveCapacity(16) }
                        messages.append(message)
                    }
                case let piece: end = try answer(piece, masks: &masks, output: &output)
                }
            }
        } catch {
            let isBehind = !messages.isEmpty || reports.holdMessages
            end = fail(error, isBehindMessages: isBehind, at: now, masks: &masks, output: &output)
        }
        if !messages.isEmpty { reports.append(received: messages) }
        watchCompression(at: now)
        return end
    }

    /// Lets `body` receive what is missing of a data frame straight into its place; see `Link.fill`.
    mutating func fill(
        at now: Instant, masks: inout MaskKeys, output: inout OutputBuffer, into reports: inout [LinkReport],
        _ body: (UnsafeMutableRawBufferPointer) throws -> Int
    ) rethrows -> (count: Int, end: LinkEnd?) {
        let (count, outcome) = try reader.fill(body)
        switch outcome {
        case .success(let message?):
            reports.append(received: [message])
            return (count, nil)
        case .success(nil): return (count, nil)
        case .failure(let fault):
            let end = fail(
                fault, isBehindMessages: reports.holdMessages, at: now, masks: &masks, output: &output)
            return (count, end)
        }
    }

    private mutating func answer(
        _ piece: FrameReader.Piece, masks: inout MaskKeys, output: inout OutputBuffer
    ) throws(FrameError) -> LinkEnd? {
        switch piece {
        case .message, .pong: return nil
        case .ping(let payload):
            if isOpen { pong(payload, masks: &masks, output: &output) }
            return nil
        case .close(let payload):
            let (code, reason) = try ClosePayload.decode(payload)
            // RFC 6455 §5.5.1: the answer echoes the code. What was queued before it is still written.
            if isOpen { sendClose(ClosePayload.encode(code), key: key(&masks), &output) }
            return .closed(code: code, reason: reason)
        }
    }

    /// RFC 6455 §5.5.2 and §5.5.3: each ping is answered, or, when they come faster than the answers go, the
    /// latest.
    private mutating func pong(_ payload: [UInt8], masks: inout MaskKeys, output: inout OutputBuffer) {
        let key = key(&masks)
        if output.count > limits.congestion {
            latePong = (payload, key)
        } else {
            payload.withUnsafeBytes { output.append(frame: .pong, $0, key: key) }
        }
    }

    /// The socket took some of the output: the answer that was kept back may find room.
    mutating func wrote(_ output: inout OutputBuffer) {
        guard let (payload, key) = latePong, output.count <= limits.congestion else { return }
        latePong = nil
        payload.withUnsafeBytes { output.append(frame: .pong, $0, key: key) }
    }

    // MARK: - Sending

    /// Queues a message as one frame.
    mutating func send(
        _ message: Message, at now: Instant, masks: inout MaskKeys, output: inout OutputBuffer
    ) {
        let key = key(&masks)
        let opcode =
            switch message.kind {
            case .text: FrameHeader.Opcode.text
            case .binary: FrameHeader.Opcode.binary
            }
        message.bytes.withUnsafeBytes { bytes in
            if let payload = deflater?.deflate(bytes) {
                payload.withUnsafeBytes { output.append(frame: opcode, isCompressed: true, $0, key: key) }
                watchCompression(at: now)
            } else {
                output.append(frame: opcode, bytes, key: key)
            }
        }
    }

    /// Queues a ping.
    mutating func ping(_ payload: [UInt8], masks: inout MaskKeys, output: inout OutputBuffer) {
        let key = key(&masks)
        payload.withUnsafeBytes { output.append(frame: .ping, $0, key: key) }
    }

    /// `mutating`, though it changes nothing: else all of this is copied for the call.
    private mutating func key(_ masks: inout MaskKeys) -> UInt32? { isClient ? masks.next() : nil }

    // MARK: - The end

    /// Starts the closing handshake; the end when the peer's fault had been waiting.
    mutating func close(
        _ code: CloseCode, reason: String, at now: Instant, masks: inout MaskKeys,
        output: inout OutputBuffer
    ) -> LinkEnd? {
        switch state {
        case .closing: return nil
        case .failing(let fault, let key, _): return conclude(fault, key: key, &output)
        case .open:
            sendClose(ClosePayload.encode(code, reason: reason), key: key(&masks), &output)
            state = .closing(until: now.advanced(by: limits.close))
            return nil
        }
    }

    /// Nothing more comes from the peer.
    mutating func ended(_ output: inout OutputBuffer) -> LinkEnd? {
        guard case .failing(let fault, let key, _) = state else { return nil }
        return conclude(fault, key: key, &output)
    }

    private mutating func sendClose(_ payload: [UInt8], key: UInt32?, _ output: inout OutputBuffer) {
        payload.withUnsafeBytes { output.append(frame: .close, $0, key: key) }
        latePong = nil
    }

    /// RFC 6455 §7.1.7: the peer is at fault; it is told why, and nothing of it is read any more.
    private mutating func fail(
        _ fault: FrameError, isBehindMessages: Bool, at now: Instant, masks: inout MaskKeys,
        output: inout OutputBuffer
    ) -> LinkEnd? {
        let key = key(&masks)
        guard isBehindMessages, case .open = state else { return conclude(fault, key: key, &output) }
        state = .failing(fault, key: key, since: now)
        return nil
    }

    private mutating func conclude(
        _ fault: FrameError, key: UInt32?, _ output: inout OutputBuffer
    ) -> LinkEnd {
        let isTold = isOpen
        if isTold { sendClose(ClosePayload.encode(fault.answer, reason: fault.message), key: key, &output) }
        return .failed(fault.failure(isTold: isTold))
    }

    // MARK: - Time

    /// What the deadline meant.
    enum Expiry: Sendable {
        /// Streams of compression were looked after.
        case idle
        case ended(LinkEnd)
        /// The peer did not answer our close frame.
        case unanswered
    }

    /// `deadline` has come.
    mutating func expire(at now: Instant, output: inout OutputBuffer) -> Expiry {
        switch state {
        case .closing: return .unanswered
        case .failing(let fault, let key, _): return .ended(conclude(fault, key: key, &output))
        case .open:
            deflater?.sweep()
            reader.inflater?.sweep()
            sweep = holdsCompression ? now.advanced(by: idleTime) : nil
            return .idle
        }
    }

    private mutating func watchCompression(at now: Instant) {
        guard sweep == nil, holdsCompression else { return }
        sweep = now.advanced(by: idleTime)
    }

    private var holdsCompression: Bool {
        deflater?.holdsStream == true || reader.inflater?.holdsStream == true
    }
}
