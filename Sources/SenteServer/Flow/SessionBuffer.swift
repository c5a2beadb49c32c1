// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// The messages that were sent to a client, by their numbers, until it says that it has them.
///
/// With too many of them deliveries go first, the oldest first; the client is told how many it missed. An answer that is
/// let go before the client has it ends what can be resumed, for its call would never end.
package struct SessionBuffer: Sendable {
    private struct Kept: Sendable {
        var number: Int
        var message: Message
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
        sent += 1
        bytes += message.bytes.count + Self.overhead
        let kept = Kept(number: sent, message: message)
        if isAnswer { answers.append(kept) } else { deliveries.append(kept) }
        while deliveries.count > messageLimit || bytes > byteLimit {
            if let oldest = deliveries.popFirst() {
                bytes -= oldest.message.bytes.count + Self.overhead
            } else if let oldest = answers.popFirst() {
                bytes -= oldest.message.bytes.count + Self.overhead
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
            bytes -= first.message.bytes.count + overhead
            _ = queue.popFirst()
        }
    }

    /// Goes on where the client is: how many messages it missed, and those it has still to get, in order.
    ///
    /// Nil when that cannot be: its count is wrong, or an answer was let go. The client counts what it missed as had, so
    /// what was kept gets the numbers behind it.
    package mutating func resume(after count: Int) -> (missed: Int, messages: [Message])? {
        guard lastAnswerLetGo <= count, acknowledge(count) else { return nil }
        let missed = sent - count - deliveries.count - answers.count
        var number = count + missed
        var messages: [Message] = []
        var (waiting, others) = (deliveries, answers)
        deliveries = Queue()
        answers = Queue()
        while let isAnswer = Self.isAnswerNext(waiting, others),
            var next = isAnswer ? others.popFirst() : waiting.popFirst()
        {
            number += 1
            next.number = number
            if isAnswer { answers.append(next) } else { deliveries.append(next) }
            messages.append(next.message)
        }
        return (missed, messages)
    }

    private static func isAnswerNext(_ deliveries: Queue<Kept>, _ answers: Queue<Kept>) -> Bool? {
        guard let answer = answers.first else { return deliveries.isEmpty ? nil : false }
        return deliveries.first.map { answer.number < $0.number } ?? true
    }
}
