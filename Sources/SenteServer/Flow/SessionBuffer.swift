// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// The messages that were sent to a client, by their numbers, until it says that it has them.
///
/// With too many of them deliveries go first, the oldest first; the client is told how many it missed. An answer that is
/// let go before the client has it ends what can be resumed, for its call would never end.
package struct SessionBuffer: Sendable {
    package struct Kept: Sendable {
        package enum Content: Hashable, Sendable {
            case written(Message)
            /// This work writes it; what the message weighs until then.
            case underWay(UInt64, size: Int)
        }

        fileprivate var number: Int
        package fileprivate(set) var content: Content
        package let isAnswer: Bool

        fileprivate var size: Int {
            switch content {
            case .written(let message): message.bytes.count + SessionBuffer.overhead
            case .underWay(_, let size): size + SessionBuffer.overhead
            }
        }
    }

    /// What a kept message costs beside its bytes.
    private static let overhead = 64

    private let messageLimit: Int
    private let byteLimit: Int
    private var deliveries = Queue<Kept>()
    private var answers = Queue<Kept>()
    private var lastAnswerLetGo = 0
    package private(set) var bytes = 0
    /// The number of the last message.
    package private(set) var sent = 0
    /// The last count that the client told.
    package private(set) var acknowledged = 0

    package init(messages: Int, bytes: Int) {
        messageLimit = max(0, messages)
        byteLimit = max(0, bytes)
    }

    package mutating func append(_ message: Message, isAnswer: Bool) {
        append(.written(message), isAnswer: isAnswer)
    }

    package mutating func append(_ content: Kept.Content, isAnswer: Bool) {
        sent += 1
        let kept = Kept(number: sent, content: content, isAnswer: isAnswer)
        bytes += kept.size
        if isAnswer { answers.append(kept) } else { deliveries.append(kept) }
        letGo()
    }

    /// A message that was being written is there.
    package mutating func fill(_ work: UInt64, with message: Message) {
        Self.fill(&deliveries, work, message, &bytes)
        Self.fill(&answers, work, message, &bytes)
        letGo()
    }

    private static func fill(
        _ queue: inout Queue<Kept>, _ work: UInt64, _ message: Message, _ bytes: inout Int
    ) {
        let index = queue.firstIndex {
            if case .underWay(work, _) = $0.content { true } else { false }
        }
        guard let index else { return }
        bytes -= queue[index].size
        queue[index].content = .written(message)
        bytes += queue[index].size
    }

    private mutating func letGo() {
        while deliveries.count > messageLimit || bytes > byteLimit {
            if let oldest = deliveries.popFirst() {
                bytes -= oldest.size
            } else if let oldest = answers.popFirst() {
                bytes -= oldest.size
                lastAnswerLetGo = oldest.number
            } else {
                return
            }
        }
    }

    /// Messages that are not kept: a client that lacks one of them cannot come back.
    mutating func pass(_ count: Int) {
        sent += count
        lastAnswerLetGo = sent
    }

    /// Lets go of what the client has; false for a count that goes back or is from the future.
    package mutating func acknowledge(_ count: Int) -> Bool {
        guard count >= acknowledged, count <= sent else { return false }
        acknowledged = count
        Self.drop(&deliveries, count, &bytes)
        Self.drop(&answers, count, &bytes)
        return true
    }

    private static func drop(_ queue: inout Queue<Kept>, _ count: Int, _ bytes: inout Int) {
        while let first = queue.first, first.number <= count {
            bytes -= first.size
            _ = queue.popFirst()
        }
    }

    /// Goes on where the client is: how many messages it missed, and those it has still to get, in order.
    ///
    /// Nil when that cannot be: its count is wrong, or an answer was let go. The client counts what it missed as had, so
    /// what was kept gets the numbers behind it.
    package mutating func resume(after count: Int) -> (missed: Int, messages: [Kept])? {
        guard lastAnswerLetGo <= count, acknowledge(count) else { return nil }
        let missed = sent - count - deliveries.count - answers.count
        var number = count + missed
        var messages: [Kept] = []
        var (waiting, others) = (deliveries, answers)
        deliveries = Queue()
        answers = Queue()
        while let isAnswer = Self.isAnswerNext(waiting, others),
            var next = isAnswer ? others.popFirst() : waiting.popFirst()
        {
            number += 1
            next.number = number
            if isAnswer { answers.append(next) } else { deliveries.append(next) }
            messages.append(next)
        }
        return (missed, messages)
    }

    private static func isAnswerNext(_ deliveries: Queue<Kept>, _ answers: Queue<Kept>) -> Bool? {
        guard let answer = answers.first else { return deliveries.isEmpty ? nil : false }
        return deliveries.first.map { answer.number < $0.number } ?? true
    }
}
