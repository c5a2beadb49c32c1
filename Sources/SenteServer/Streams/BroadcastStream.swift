// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What is sent to many at once: each has a stream and credits of its own, and takes its chunks from here.
///
/// The producer goes at the pace of the fastest. Some chunks are kept for those that are behind; who is further behind than that
/// is slow, and by policy goes on with the next chunk when it can, or is dropped. The others notice nothing of it. Who comes
/// later begins with the next chunk.
package struct BroadcastStream: Sendable {
    package enum Slowness: Hashable, Sendable {
        /// A slow one is paused, and told where it goes on.
        case leavesOut
        case drops
    }

    package typealias Listener = Int

    package enum Action: Hashable, Sendable {
        case give(Listener, ArraySlice<UInt8>, at: UInt64)
        case skip(Listener, to: StreamPlace)
        case drop(Listener)
        case end(Listener, at: UInt64)
    }

    private struct Subscription: Sendable {
        var next: StreamPlace
        /// It wants the chunk that is not there yet.
        var isWaiting = false
        var isBehind = false
    }

    package let chunkSize: Int
    private let capacity: Int
    private let slowness: Slowness
    private var kept = Queue<ArraySlice<UInt8>>()
    private var first = StreamPlace()
    package private(set) var end = StreamPlace()
    package private(set) var isFinished = false
    private var listeners: [Listener: Subscription] = [:]
    private var lastListener = 0

    package init(chunkSize: Int = 65_536, capacity: Int = 20, slowness: Slowness = .leavesOut) {
        self.chunkSize = chunkSize
        self.capacity = capacity
        self.slowness = slowness
    }

    package var count: Int { listeners.count }
    package var keptChunks: Int { kept.count }

    /// Whether somebody has taken everything: only then more is to be written, or when nobody listens.
    package var wantsBytes: Bool {
        !isFinished && (listeners.isEmpty || listeners.values.contains(where: \.isWaiting))
    }

    /// One who hears everything from the next chunk on.
    package mutating func join() -> (listener: Listener, first: StreamPlace) {
        lastListener += 1
        listeners[lastListener] = Subscription(next: end)
        return (lastListener, end)
    }

    package mutating func leave(_ listener: Listener) {
        listeners[listener] = nil
    }

    /// Adds bytes behind what there is.
    package mutating func write(_ bytes: ArraySlice<UInt8>) -> [Action] {
        guard !isFinished else { return [] }
        var actions: [Action] = []
        var rest = bytes
        while !rest.isEmpty {
            let chunk = rest.prefix(chunkSize)
            rest = rest.dropFirst(chunk.count)
            kept.append(chunk)
            end.advance(by: chunk.count)
            if kept.count > capacity, let oldest = kept.popFirst() { first.advance(by: oldest.count) }
            for listener in listeners.keys.sorted() { actions += serve(listener) }
        }
        return actions
    }

    /// There is no more.
    package mutating func finish() -> [Action] {
        isFinished = true
        return listeners.keys.sorted().flatMap { serve($0) }
    }

    /// A listener has credit for a chunk.
    package mutating func wanted(by listener: Listener) -> [Action] {
        guard let subscription = listeners[listener] else { return [] }
        if subscription.isBehind {
            listeners[listener]?.isBehind = false
            listeners[listener]?.next = end
            return [.skip(listener, to: end)]
        }
        listeners[listener]?.isWaiting = true
        return serve(listener)
    }

    private mutating func serve(_ listener: Listener) -> [Action] {
        guard let subscription = listeners[listener], !subscription.isBehind else { return [] }
        if subscription.next.index < first.index {
            if slowness == .drops {
                listeners[listener] = nil
                return [.drop(listener)]
            }
            listeners[listener]?.isBehind = true
            return []
        }
        guard subscription.isWaiting else { return [] }
        let place = subscription.next
        guard place.index < end.index else { return isFinished ? [.end(listener, at: place.bytes)] : [] }
        let chunk = kept[Int(place.index - first.index)]
        listeners[listener]?.isWaiting = false
        listeners[listener]?.next.advance(by: chunk.count)
        return [.give(listener, chunk, at: place.bytes)]
    }
}
