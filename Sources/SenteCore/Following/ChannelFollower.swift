// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// One handle's way along the stream that keeps its channel: nothing is missed but what it says, and nothing comes twice.
///
/// It asks which stream that is, has it hand over the channel from where it stands, and checks that the stream is the one it
/// knew. Then it counts what comes. Where the count breaks, or nothing comes, not even a sign of life, or the link is lost, it
/// asks anew from behind the last message that it handed on, without end (the ordered consumer of ADR-17).
///
/// ```
/// idle ─▶ naming ─▶ creating ─▶ checking ─▶ following
///           ▲ ▲        │            │            │ count breaks, silence
///           │ └──── resting ◀───────┴────────────┤
///           └──────── full ◀─────────────────────┘ no room in the inbox
/// ```
package struct ChannelFollower: Sendable {
    /// What it wants done, in order.
    package enum Action: Equatable, Sendable {
        case say(JetStreamOutbound)
        case deliver(ChannelMessage, size: Int)
        /// Messages are missing before the next one.
        case tell(ChannelGap)
        case confirm(Bool)
        /// It is over: it will never follow.
        case reject(SenteError)
    }

    /// How much more the handle's inbox takes.
    package struct Room: Sendable {
        package var messages: Int
        package var bytes: Int
        /// Nothing waits in it: a message of any size has its place then.
        package var isEmpty: Bool
        private let half: (messages: Int, bytes: Int)

        /// What is left of so much.
        package init(messages: Int, bytes: Int, isEmpty: Bool, of whole: (messages: Int, bytes: Int)) {
            self.messages = messages
            self.bytes = bytes
            self.isEmpty = isEmpty
            half = (whole.messages - whole.messages / 2, whole.bytes - whole.bytes / 2)
        }

        /// At least half of it is free, so that more may be asked for.
        var isPlenty: Bool { messages >= half.messages && bytes >= half.bytes }

        func fits(_ size: Int) -> Bool { messages > 0 && (bytes >= size || isEmpty) }

        mutating func take(_ size: Int) {
            messages -= 1
            bytes -= size
            isEmpty = false
        }
    }

    /// How long an answer may take before all is asked anew.
    static let patience: Duration = .seconds(2)
    /// How often a consumer gives a sign of life.
    static let heartbeat: Duration = .seconds(1)
    /// How long it may give none.
    static let silence: Duration = .milliseconds(2_500)
    /// How long a stream may take to have again what it had.
    static let catchUp: Duration = .seconds(30)
    /// How much is held that the stream's check or the inbox's room has to come for: more than a consumer hands over before it is
    /// answered for the first time.
    static let maximumHeld = (messages: 65_536, bytes: 8 << 20)

    struct Held: Sendable {
        let message: ChannelMessage
        let place: ConsumerPlace
        let size: Int
    }

    /// Where a consumer begins.
    struct Beginning: Sendable {
        /// The stream's sequence right before its first message.
        let delivered: UInt64
        /// How many messages wait for it.
        let pending: UInt64
    }

    /// What a consumer has handed over.
    struct Consumer: Sendable {
        /// Of its last message, among what it handed over.
        var delivery: UInt64 = 0
        /// What waits for the check, or for room.
        var held = Queue<Held>()
        var bytes = 0
        /// The subject that it waits to have answered.
        var withheld: String?
    }

    enum Phase: Sendable {
        /// There is no link.
        case idle
        /// More came than is held: it goes on when the app has consumed.
        case full
        /// Until the deadline.
        case resting
        case naming
        case creating
        case checking(Beginning)
        case following
        case over
    }

    package let channel: String
    let id: UInt32
    var tries: UInt32 = 0
    let start: ChannelStart
    var phase = Phase.idle
    /// Of the current try.
    var consumer = Consumer()
    package internal(set) var deadline: Instant?
    /// The last sign of life.
    var heardAt: Instant

    // Where it stands
    var stream: String?
    /// Of the stream that `last` is of.
    var created: String?
    /// The last sequence that was handed on, or is known to be no message of the channel.
    var last: UInt64?
    /// Since when the stream has had less than `last`.
    var behindSince: Instant?
    /// The stream's last sequence when it was checked: up to it messages had been kept.
    var keptUpTo: UInt64 = 0
    /// The last of each subject are still being told; once they are, never again.
    var isSweeping: Bool
    /// What the stream holds is this channel alone, so that a hole in its sequence is one of the channel.
    var isWhole = false
    var isConfirmed = false
    /// It has followed once, so that what goes wrong may pass.
    var hasFollowed = false
    /// The server has the current try's subscription.
    var isListening = false
    var pending: ChannelGap?

    package init(_ channel: String, from start: ChannelStart, id: UInt32, at now: Instant) {
        self.channel = channel
        self.start = start
        self.id = id
        heardAt = now
        isSweeping = start == .lastOfEach
        switch start {
        case .cursor(let cursor):
            stream = cursor.stream
            created = cursor.created
            last = cursor.sequence
        case .sequence(let first): last = first - min(first, 1)
        case .now, .next, .time, .lastOfEach: break
        }
    }

    /// The name of the current try, of this follower's alone.
    package var number: UInt64 { Self.number(of: id, try: tries) }

    package static func number(of id: UInt32, try count: UInt32) -> UInt64 {
        UInt64(id) << 32 | UInt64(count)
    }

    /// Whose try a number names.
    package static func id(of number: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: number >> 32) }

    /// Whether it goes on only when the app has consumed.
    var awaitsRoom: Bool {
        switch phase {
        case .full: true
        case .following: consumer.withheld != nil || !consumer.held.isEmpty
        case .idle, .resting, .naming, .creating, .checking, .over: false
        }
    }

    // MARK: What happens

    /// A link is open.
    package mutating func linkOpened(at now: Instant, into actions: inout [Action]) {
        guard case .idle = phase else { return }
        begin(at: now, into: &actions)
    }

    package mutating func linkEnded(into actions: inout [Action]) {
        isListening = false
        consumer = Consumer()
        if case .over = phase { return }
        phase = .idle
        deadline = nil
        confirm(false, into: &actions)
    }

    /// The handle is gone.
    package mutating func end(into actions: inout [Action]) {
        stopListening(into: &actions)
        phase = .over
        deadline = nil
    }

    package mutating func expire(at now: Instant, into actions: inout [Action]) {
        guard let time = deadline, time <= now else { return }
        deadline = nil
        switch phase {
        case .idle, .full, .over: break
        case .resting: begin(at: now, into: &actions)
        case .naming, .creating, .checking, .following:
            stopListening(into: &actions)
            begin(at: now, into: &actions)
        }
    }

    /// The app has consumed.
    package mutating func roomGrew(to room: Room, at now: Instant, into actions: inout [Action]) {
        switch phase {
        case .full: if room.isPlenty { begin(at: now, into: &actions) }
        case .following: handOn(room, at: now, into: &actions)
        case .idle, .resting, .naming, .creating, .checking, .over: break
        }
    }

    // MARK: Ends

    /// The first time the app is told; later the stream may come back.
    mutating func fail(
        _ error: SenteError, at now: Instant, using random: inout Generator, into actions: inout [Action]
    ) {
        guard !hasFollowed else { return rest(at: now, using: &random, into: &actions) }
        stopListening(into: &actions)
        phase = .over
        deadline = nil
        actions.append(.reject(error))
    }

    /// Asks anew after 1 to 2 s.
    mutating func rest(
        at now: Instant, using random: inout Generator, into actions: inout [Action]
    ) {
        stopListening(into: &actions)
        phase = .resting
        deadline = now.advanced(by: .milliseconds(Int64.random(in: 1_000..<2_000, using: &random)))
        confirm(false, into: &actions)
    }

    /// What is not held stays in the stream.
    mutating func stop(into actions: inout [Action]) {
        stopListening(into: &actions)
        phase = .full
        deadline = nil
    }

    mutating func stopListening(into actions: inout [Action]) {
        if isListening { actions.append(.say(.unlisten(number))) }
        isListening = false
        consumer = Consumer()
    }

    mutating func heard(at now: Instant) {
        heardAt = now
        deadline = now.advanced(by: Self.silence)
    }

    mutating func confirm(_ isConfirmed: Bool, into actions: inout [Action]) {
        guard isConfirmed != self.isConfirmed else { return }
        self.isConfirmed = isConfirmed
        actions.append(.confirm(isConfirmed))
    }
}
