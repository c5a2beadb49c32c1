// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport
package import SenteWire

/// Gives back what comes on a stream; a client that does not take it cannot send more either.
package final class StreamEcho: StreamSource, StreamSink {
    private struct State {
        var pieces = Queue<ArraySlice<UInt8>>()
        var isWhole = false
    }

    private let state = LockedValue(State())

    package init() {}

    package var canGoBack: Bool { false }
    package var takesMore: Bool { state.withLock { $0.pieces.isEmpty } }

    package func bytes(at place: UInt64, most: Int) -> StreamSupply {
        state.withLock { state in
            guard let piece = state.pieces.popFirst() else { return state.isWhole ? .end : .later(nil) }
            guard piece.count > most else { return .bytes(piece) }
            state.pieces = Queue()
            state.pieces.append(piece.dropFirst(most))
            return .bytes(piece.prefix(most))
        }
    }

    package func take(_ bytes: ArraySlice<UInt8>) { state.withLock { $0.pieces.append(bytes) } }

    package func finish() -> Value {
        state.withLock { $0.isWhole = true }
        return .null
    }

    package func abandon() { state.withLock { $0.pieces = Queue() } }
}
