// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What a stream wants done.
package enum StreamEffect: Hashable, Sendable {
    /// Said to the other end; chunks are taken instead, when a link has room.
    case say(StreamWord)
    /// A stream that the server opened waits for somebody to take it.
    case offered(StreamOpening)
    /// Both ends have it, for the first time in this process.
    case started(StreamOpening)
    /// The source is to give bytes.
    case wantsBytes
    /// The source goes on from there, whatever it was about to give.
    case seek(to: UInt64)
    /// There is something to take, or everything was taken.
    case hasPieces
    /// The consumer throws away what it took: all of it comes again.
    case startsOver
    /// What the app at the other end said.
    case control(Value)
    case changed(StreamState)
    case progress(StreamProgress)
    case ended(StreamEnding)
}

/// How a stream ended.
package enum StreamEnding: Hashable, Sendable {
    /// With what the receiving end said to it.
    case completed(StreamReceipt)
    case failed(StreamFault)
    /// By this end or, with its reason, by the other.
    case cancelled(isRemote: Bool, reason: String?)

    var state: StreamState {
        switch self {
        case .completed: .completed
        case .failed: .failed
        case .cancelled: .cancelled
        }
    }
}
