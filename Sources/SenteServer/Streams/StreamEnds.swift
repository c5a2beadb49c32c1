// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// Gives the bytes of a stream that goes to a client.
///
/// It is asked on the server's loop, for one chunk at a time, and only while the client may be sent one.
package protocol StreamSource: Sendable {
    /// Whether it can give again what it has given.
    var canGoBack: Bool { get }

    /// What stands behind `place` bytes: some, but no more than `most`.
    ///
    /// Places follow one another, but where it can go back.
    mutating func bytes(at place: UInt64, most: Int) throws(StreamRefusal) -> StreamSupply
}

/// What a source has at a place.
package enum StreamSupply: Hashable, Sendable {
    case bytes(ArraySlice<UInt8>)
    /// Nothing yet: it is asked again after this; nil: when it is woken.
    case later(Duration?)
    case end
}

/// Takes the bytes of a stream that comes from a client, on the server's loop.
package protocol StreamSink: Sendable {
    /// Whether it takes more now; one that does not is asked again when it is woken.
    var takesMore: Bool { get }

    /// The next bytes, at most a chunk.
    mutating func take(_ bytes: ArraySlice<UInt8>) throws(StreamRefusal)

    /// All was taken, and its checksum holds; the receipt.
    mutating func finish() throws(StreamRefusal) -> Value

    /// No more will come, and it was not all.
    mutating func abandon()
}

extension StreamSink {
    package var takesMore: Bool { true }
}

/// Why a stream is not taken, or does not go on, as its client is told.
package struct StreamRefusal: Error, Hashable, Sendable {
    /// One of those that streams know: `refused`, `quota-exceeded`, `source-failed`.
    package var code: String
    package var message: String

    package init(_ message: String, code: String = "refused") {
        self.code = code
        self.message = message
    }
}

/// What belongs to one stream at the server: a source where it sends, a sink where it receives.
package struct StreamEnds: Sendable {
    package var source: (any StreamSource)?
    package var sink: (any StreamSink)?
    /// What is answered to the client's control messages; nil answers nothing.
    package var answerControl: (@Sendable (Value) -> Value?)?
    /// Is told how it ended.
    package var onEnd: (@Sendable (ServerStream.Outcome) -> Void)?

    package init(source: (any StreamSource)? = nil, sink: (any StreamSink)? = nil) {
        self.source = source
        self.sink = sink
    }
}

/// A stream that a client asks for.
package struct StreamRequest: Hashable, Sendable {
    package let connection: ConnectionID
    /// The user of the connection.
    package let uid: Value
    /// Kind, channel, size and metadata, as the client says them.
    package let offer: StreamOffer
}
