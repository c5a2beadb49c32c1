// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteWire

/// How messages leave and come on a link whose ends agreed on more than plain ones; it dies with the link.
struct LinkPacking: Sendable {
    /// A message that is about to leave.
    struct Leaving: Sendable {
        var call: CallID
        var outbound: Outbound
        var priority: SendOptions.Priority
        var weight: Int
        var queuedAt: Instant
        /// It waits for no company.
        var isHurried: Bool

        init(
            call: CallID, outbound: Outbound, priority: SendOptions.Priority, weight: Int, queuedAt: Instant
        ) {
            self.call = call
            self.outbound = outbound
            self.priority = priority
            isHurried = priority == .urgent
            self.weight = weight
            self.queuedAt = queuedAt
        }

        init(_ item: Outbox.Item) {
            self.init(
                call: item.call, outbound: item.outbound, priority: item.priority, weight: item.weight,
                queuedAt: item.queuedAt)
        }
    }

    /// A large message that others of its channel must not overtake.
    struct Ahead: Sendable {
        var place: WireName
        var priority: SendOptions.Priority
    }

    /// A message that leaves in parts.
    struct Sending: Sendable {
        var message: Leaving
        var chunker: Chunker
        var size: Int
    }

    let format: WireFormat
    /// Whether envelopes come and go as binary messages.
    let takesBinary: Bool
    /// How large messages may be, however they travel.
    let limits: SizeLimits
    private let features: FlowFeatures
    private let policy: FlowPolicy
    private let makeCompressor: CompressorMaker?
    private let stopwatch: (@Sendable () -> Instant)?
    let unfolding: Unfolding?
    /// Nil where nothing goes in parts.
    var reassembly: Reassembly?
    /// Nil where nothing goes in batches.
    var gathering: BatchGathering<Leaving>?
    private var delay: BatchDelay
    /// Since when the oldest message that is gathered waits, and until when.
    private(set) var held: (since: Instant, until: Instant)?
    /// How long those had waited that left last, where messages may wait.
    private var waited: Duration?
    var quality = LinkQuality()

    /// The large messages that are to be written elsewhere than on the loop.
    private var unwritten: [Leaving] = []
    /// The one that is being written; without a message when that was given up.
    private var writing: (number: UInt64, message: Leaving?)?
    /// The messages that leave in parts, in turns.
    private var sendings = Queue<Sending>()
    /// Those of all these that have a place to keep.
    private(set) var ahead: [Ahead] = []
    /// What came and waits to be heard.
    var arrivals = HeldArrivals()
    private var lastWork: UInt64 = 0
    /// How much of others went since the last part.
    private var passed = 0
    private var lastNumber: UInt64 = 0
    /// Messages in parts and streams take turns.
    private(set) var isStreamsTurn = false

    /// Nil when all messages go plain.
    init?(
        _ features: FlowFeatures, policy: FlowPolicy, format: WireFormat, sizes: SizeLimits,
        losesNothing: Bool, compressor: CompressorMaker?, stopwatch: (@Sendable () -> Instant)? = nil
    ) {
        guard
            features.batching || features.chunking || features.streaming || !features.compression.isEmpty
        else { return nil }
        self.format = format
        takesBinary = features.binaryEnvelope
        self.features = features
        self.policy = policy
        makeCompressor = compressor
        self.stopwatch = stopwatch
        var limits = sizes
        if features.chunking, let chunking = policy.chunking {
            limits.incomingMessage = max(
                sizes.incomingMessage, min(chunking.largestMessage, features.maximumIncomingBytes ?? .max))
            limits.outgoingMessage = max(
                sizes.outgoingMessage,
                min(chunking.largestMessage(in: features), features.maximumOutgoingBytes ?? .max))
            reassembly = Reassembly(
                limits: .init(
                    messageBytes: limits.incomingMessage,
                    // Parts may be smaller than this client's own.
                    parts: max(chunking.maximumChunks, limits.incomingMessage >> 12),
                    timeout: chunking.timeout,
                    losesNothing: losesNothing))
        }
        self.limits = limits
        let limit = limits.incomingMessage
        unfolding =
            features.chunking || !features.compression.isEmpty
            ? Unfolding(format: format, limit: limit) { algorithm in
                compressor?(algorithm, nil) ?? .missing
            } : nil
        if features.batching, let batching = policy.batching {
            gathering = BatchGathering(
                limits: .init(messages: batching.maximumMessages, bytes: batching.maximumBytes))
        }
        delay = BatchDelay(
            linger: policy.batching?.linger ?? .zero,
            flushesWhenIdle: policy.batching?.flushesOnIdle ?? true)
    }

    /// The shape of a message, and how long compressing it took; what is small is not even looked at.
    func pack(
        _ message: Message, of outbound: Outbound?
    ) -> (packed: Packing.Packed, Packing.Compressed, Duration) {
        let isSmall = message.bytes.count < policy.compression?.minimumBytes ?? 0
        if isSmall, message.bytes.count <= partBytes ?? .max { return (.plain(message), .off, .zero) }
        let timed = TimedPacking(packing: packing(compresses: !isSmall), stopwatch: stopwatch)
        return timed.pack(message, isCompressedAlready: isSmall ? false : outbound.map(skips) ?? false)
    }

    private func packing(compresses: Bool) -> Packing {
        Packing(
            compression: compresses ? compression : nil, partBytes: partBytes,
            isBinary: features.binaryEnvelope, writesBytes: format.writesBytes)
    }

    private var partBytes: Int? {
        guard features.chunking, let chunking = policy.chunking else { return nil }
        return max(1, min(chunking.size, features.maximumChunkBytes))
    }

    private var compression: Packing.Compression? {
        guard let policy = policy.compression,
            let algorithm = policy.algorithms.first(where: features.compression.contains),
            let compressor = makeCompressor?(algorithm, level(of: policy))
        else { return nil }
        return Packing.Compression(
            algorithm: algorithm, minimumBytes: policy.minimumBytes, compressor: compressor)
    }

    private func level(of policy: MessageCompression) -> Int {
        switch policy.level {
        case .fixed(let level): level
        case .adaptive: quality.level
        }
    }

    private func skips(_ outbound: Outbound) -> Bool {
        let (name, data): (String, Value)
        switch outbound {
        case .publish(let channel, let value, _), .request(let channel, let value, _):
            (name, data) = (channel, value)
        case .event(let event, _): (name, data) = (event.id.text, event.data)
        case .answer(_, let value, _): (name, data) = ("", value)
        default: return false
        }
        return policy.compression?.skips?(name, data) ?? data.isCompressedAlready
    }

    // MARK: Company

    /// Whether a message that leaves now finds no company, and waits for none.
    var isAlone: Bool { gathering?.isEmpty != false && delay.linger == .zero }

    /// Adds a message to those that wait for company, and returns what goes now.
    mutating func gather(
        _ message: Leaving, holds: Bool, at now: Instant
    ) -> [BatchGathering<Leaving>.Batch] {
        let batches =
            gathering?.add(message, bytes: message.weight, goesAlone: message.isHurried)
            ?? [.init(items: [message], reason: .urgent)]
        if !batches.isEmpty { left(at: now) }
        guard gathering?.isEmpty == false else { return batches }
        if held == nil {
            held = (now, delay.end(oldest: now, isFull: false, at: now) ?? now)
        }
        guard !holds, held.map({ $0.until <= now }) ?? true else { return batches }
        return batches + flush(.idle, at: now)
    }

    /// What waits for company goes.
    mutating func flush(_ reason: FlushReason, at now: Instant) -> [BatchGathering<Leaving>.Batch] {
        let batches = gathering?.flush(reason) ?? []
        if !batches.isEmpty { left(at: now) }
        return batches
    }

    private mutating func left(at now: Instant) {
        if delay.linger > .zero { waited = max(waited ?? .zero, held?.since.duration(to: now) ?? .zero) }
        held = nil
        delay.left(at: now)
    }

    /// How long the oldest of those that left since had waited; nil where none waits.
    mutating func takeWaited() -> Duration? {
        defer { waited = nil }
        return waited
    }

    // MARK: Large ones, written elsewhere

    /// Whether a message would overtake a large one of its channel.
    func mustFollow(_ outbound: Outbound, _ priority: SendOptions.Priority) -> Bool {
        !ahead.isEmpty && ahead.hold(outbound, priority)
    }

    /// A large message is to be written.
    mutating func write(_ message: Leaving) {
        unwritten.append(message)
        noteAhead()
    }

    /// The next large message to be written, the most urgent first; nil while another is.
    mutating func nextWriting(
        on link: LinkID, by coder: any DialectCoder, at now: Moment
    ) -> LargeWork? {
        guard writing == nil,
            let index = unwritten.indices.min(by: {
                unwritten[$0].priority.lane < unwritten[$1].priority.lane
            })
        else { return nil }
        let message = unwritten.remove(at: index)
        let number = nextWork()
        writing = (number, message)
        return LargeWork(
            id: LargeWork.ID(link: link, number: number),
            job: .writing(
                LargeWork.Writing(
                    outbound: message.outbound, time: now, coder: coder, limits: limits,
                    packing: TimedPacking(packing: packing(compresses: true), stopwatch: stopwatch),
                    isCompressedAlready: skips(message.outbound))))
    }

    /// The message that was being written; nil when it was given up meanwhile.
    mutating func endWriting(_ number: UInt64) -> Leaving? {
        guard writing?.number == number else { return nil }
        defer {
            writing = nil
            noteAhead()
        }
        return writing?.message
    }

    mutating func nextWork() -> UInt64 {
        lastWork += 1
        return lastWork
    }

    /// The large messages that have not left whole.
    private var large: [Leaving] {
        sendings.map(\.message) + [writing?.message].compactMap(\.self) + unwritten
    }

    /// Whether nothing is here that has not left.
    var isIdle: Bool { sendings.isEmpty && unwritten.isEmpty && gathering?.isEmpty != false }

    /// When it wants to be woken: parts stay away, or what was gathered has waited long enough; while more is gathered, that waits.
    func deadline(isGathering: Bool) -> Instant? {
        let expiry = reassembly?.deadline
        guard !isGathering, let until = held?.until else { return expiry }
        return expiry.map { min($0, until) } ?? until
    }

    /// How much these are.
    var leaving: OutboxPolicy.Load {
        let large = large
        return OutboxPolicy.Load(messages: large.count, bytes: large.reduce(0) { $0 + $1.weight })
    }

    private mutating func noteAhead() {
        ahead = large.compactMap { message in
            message.outbound.orderedPlace.map { Ahead(place: $0, priority: message.priority) }
        }
    }

    // MARK: Parts

    mutating func begin(_ message: Leaving, _ folded: Folded, size: Int) {
        lastNumber += 1
        if sendings.isEmpty { passed = 0 }
        let chunker = Chunker(
            folded, number: lastNumber, size: partBytes ?? size, isBinary: features.binaryEnvelope)
        sendings.append(Sending(message: message, chunker: chunker, size: size))
        noteAhead()
    }

    /// What is gathered came later than a message that begins to leave, and would overtake it on its channel.
    mutating func takeOvertaking() -> [Leaving] {
        guard !ahead.isEmpty, gathering?.isEmpty == false else { return [] }
        var overtaking: [Leaving] = []
        for item in gathering?.flush(.idle).flatMap(\.items) ?? [] {
            // Fewer than were there before fill no batch.
            if mustFollow(item.outbound, item.priority) {
                overtaking.append(item)
            } else {
                _ = gathering?.add(item, bytes: item.weight)
            }
        }
        if gathering?.isEmpty != false { held = nil }
        return overtaking
    }

    /// All parts of a message at once, for what goes again.
    mutating func allParts(of folded: Folded, size: Int) -> [Envelope] {
        lastNumber += 1
        var chunker = Chunker(
            folded, number: lastNumber, size: partBytes ?? size, isBinary: features.binaryEnvelope)
        var envelopes: [Envelope] = []
        while !chunker.isDone { envelopes += chunker.next() }
        return envelopes
    }

    mutating func passed(_ bytes: Int) {
        passed &+= bytes
    }

    /// Whether something of what is large goes before anything else, if there is something.
    var isBulkDue: Bool { passed >= Self.stride }

    /// A part, or a chunk of a stream, went.
    mutating func bulkWent() {
        passed = 0
        isStreamsTurn.toggle()
    }

    private static let stride = 65_536

    /// The next part of the message whose turn it is, and the message itself if that is its last.
    mutating func nextPart() -> (envelopes: [Envelope], message: Leaving, size: Int, isLast: Bool)? {
        guard var sending = sendings.popFirst() else { return nil }
        bulkWent()
        let envelopes = sending.chunker.next()
        let isLast = sending.chunker.isDone
        if isLast { noteAhead() } else { sendings.append(sending) }
        return (envelopes, sending.message, sending.size, isLast)
    }

    /// The message of a call goes no further.
    enum GivenUp {
        /// Nothing of it has left.
        case unsent
        /// Parts of the message with this number have.
        case inParts(UInt64)
    }

    mutating func giveUp(_ call: CallID) -> GivenUp? {
        defer { noteAhead() }
        if let index = sendings.firstIndex(where: { $0.message.call == call }) {
            return .inParts(sendings.remove(at: index).chunker.number)
        }
        if let index = unwritten.firstIndex(where: { $0.call == call }) {
            unwritten.remove(at: index)
            return .unsent
        }
        guard writing?.message?.call == call else { return nil }
        writing?.message = nil
        return .unsent
    }

    /// Everything that has not left whole, in order.
    mutating func takeBack() -> [Leaving] {
        let messages = large + (gathering?.flush(.idle).flatMap(\.items) ?? [])
        sendings = Queue()
        writing = nil
        unwritten = []
        ahead = []
        held = nil
        return messages
    }

    // MARK: What comes

    func allows(_ algorithm: MessageCompression.Algorithm) -> Bool {
        features.compression.contains(algorithm)
    }
    var takesBatches: Bool { features.batching }
}

/// Makes what compresses by an algorithm at a level; nil for the usual level, and nothing where the system has no library for it.
package typealias CompressorMaker = @Sendable (MessageCompression.Algorithm, _ level: Int?) -> Compressor?

extension Compressor {
    fileprivate static let missing = Compressor { _, _ throws(WireError) in
        throw WireError(.unavailable, "There is nothing to compress with.")
    } decompress: { _, _, _ throws(WireError) in
        throw WireError(.unavailable, "There is nothing to decompress with.")
    }
}

extension ChunkPolicy {
    /// The largest message that its parts make.
    var largestMessage: Int { size.multipliedReportingOverflow(by: maximumChunks).partialValue }

    /// The same in parts that the other end takes.
    func largestMessage(in features: FlowFeatures) -> Int {
        min(size, features.maximumChunkBytes).multipliedReportingOverflow(by: maximumChunks).partialValue
    }
}

extension WireFormat {
    /// Whether it holds bytes as they are.
    var writesBytes: Bool { self == .senteMessagePack || self == .transitMessagePack }

    /// Whether none of its messages begins like an envelope: one of the app's own might.
    var allowsEnvelopes: Bool {
        guard isBinary else { return true }
        let name = name.hasPrefix("gzip-") ? String(name.dropFirst(5)) : name
        return [
            WireFormat.senteMessagePack, .transitMessagePack, .transitJSON, .transitJSONVerbose, .edn, .json,
        ]
        .contains { $0.name == name }
    }
}

extension [LinkPacking.Ahead] {
    /// Whether a message would overtake one of these on its channel: the more urgent may.
    func hold(_ outbound: Outbound, _ priority: SendOptions.Priority) -> Bool {
        guard let place = outbound.orderedPlace else { return false }
        return contains { $0.place == place && $0.priority.lane <= priority.lane }
    }
}

extension Outbound {
    /// Within what it keeps its order: its channel, or where there are none the events of its name.
    fileprivate var orderedPlace: WireName? { place.map { WireName($0) } }

    private var place: String? {
        switch self {
        case .event(let event, _): event.id.text
        case .identified(_, let outbound), .traced(let outbound, _): outbound.place
        default: channel
        }
    }
}
