// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// What came so far, and what was wrong with it.
actor Numbers {
    private(set) var followed = 0
    private(set) var faults: [String] = []
    private(set) var isOver = false
    private var lastPosition: UInt64 = 0
    private var waiting: (count: Int, continuation: CheckedContinuation<Void, Never>)?

    /// The next message; it must be the next number, at the next place.
    func came(_ message: ChannelMessage) {
        if message.data.integerValue != Int64(followed) {
            faults.append("\(message.data) came where \(followed) was due")
        }
        if let position = message.position, position != lastPosition + 1, message.gap == nil {
            faults.append("the place \(position) follows \(lastPosition), and no gap was told")
        }
        lastPosition = message.position ?? lastPosition
        followed += 1
        guard let waiting, followed >= waiting.count else { return }
        self.waiting = nil
        waiting.continuation.resume()
    }

    /// Waits until so many have come; one at a time waits.
    func reach(_ count: Int) async {
        guard followed < count else { return }
        await withCheckedContinuation { waiting = (count, $0) }
    }

    /// No more are wanted.
    func stop() { isOver = true }
}
