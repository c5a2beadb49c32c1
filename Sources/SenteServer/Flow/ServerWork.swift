// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Writing or reading a large value, which takes longer than the other clients of a loop may have to wait.
///
/// It holds all that it needs and changes nothing, so that it can be done anywhere. What comes of it goes back by
/// `ServerInput.worked`; a link has one value being read at most.
package struct ServerWork: Sendable {
    enum Job: Sendable {
        case writing(Writing)
        /// What has come from a connection.
        case reading(ConnectionID, Reading)
    }

    /// A message that is to leave.
    struct Writing: Sendable {
        enum Content: Sendable {
            case spelled(Value)
            /// It was before, and is to be compressed again.
            case written(Message)
        }

        var content: Content
        var said: ServerMessage
        var dialect: any ServerDialect
        var compression: Compression?
    }

    struct Compression: Sendable {
        var algorithm: FlowCapabilities.Algorithm
        var compressor: Compressor
        var minimumBytes: Int
    }

    /// A message that has come.
    struct Reading: Sendable {
        var bytes: ArraySlice<UInt8>
        /// What it is as its format wrote it.
        var kind: Message.Kind
        var dialect: any ServerDialect
        /// What unfolds it, and to how many bytes at most; nil where nothing was compressed.
        var unfolding: (compressor: Compressor, limit: Int)?
        /// Whether it came in an envelope, which holds no other.
        var isEnveloped: Bool
    }

    /// What came of it.
    package struct Done: Sendable {
        enum Outcome: Sendable {
            /// Nil when the format cannot say the value.
            case written(Written?)
            case read(ConnectionID, Read)
        }

        let number: UInt64
        let outcome: Outcome
    }

    struct Written: Sendable {
        var message: Message
        /// Nil where nothing was compressed.
        var folded: ServerSession.Folded?
    }

    /// What a message says, and how many bytes it has as its format wrote it.
    enum Read: Sendable {
        case said(ClientMessage, bytes: Int, wasCompressed: Bool)
        case unreadable(Message)
        case tooBig
    }

    let number: UInt64
    let job: Job

    /// Does it.
    package func done() -> Done {
        switch job {
        case .writing(let writing): Done(number: number, outcome: .written(writing.written))
        case .reading(let link, let reading): Done(number: number, outcome: .read(link, reading.read))
        }
    }
}

extension ServerWork: Hashable {
    package static func == (a: ServerWork, b: ServerWork) -> Bool { a.number == b.number }
    package func hash(into hasher: inout Hasher) { hasher.combine(number) }
}

extension ServerWork.Done: Hashable {
    package static func == (a: Self, b: Self) -> Bool { a.number == b.number }
    package func hash(into hasher: inout Hasher) { hasher.combine(number) }
}

extension ServerWork.Writing {
    fileprivate var written: ServerWork.Written? {
        let message: Message? =
            switch content {
            case .spelled(let value): dialect.encode(value, of: said)
            case .written(let message): message
            }
        guard let message else { return nil }
        return ServerWork.Written(message: message, folded: compression?.folded(message))
    }
}

extension ServerWork.Compression {
    /// Nil for what is too small to be tried, or cannot be compressed.
    func folded(_ message: Message) -> ServerSession.Folded? {
        guard message.bytes.count >= minimumBytes else { return nil }
        var compressed: [UInt8] = []
        let worked: Void? = try? message.bytes.withUnsafeBufferPointer { bytes throws(WireError) in
            try compressor.compress(UnsafeRawBufferPointer(bytes), &compressed)
        }
        guard worked != nil else { return nil }
        return ServerSession.Folded(plain: message.bytes, compressed: compressed, algorithm: algorithm)
    }
}

extension ServerWork.Reading {
    var read: ServerWork.Read {
        guard let unfolding else { return read(Array(bytes)) }
        var plain: [UInt8] = []
        do throws(WireError) {
            try bytes.withUnsafeBufferPointer { bytes throws(WireError) in
                try unfolding.compressor.decompress(UnsafeRawBufferPointer(bytes), &plain, unfolding.limit)
            }
        } catch {
            return error.kind == .tooLarge ? .tooBig : .unreadable(Message(.binary, Array(bytes)))
        }
        return read(plain)
    }

    private func read(_ bytes: [UInt8]) -> ServerWork.Read {
        let message = Message(kind, bytes)
        // The text of a message that came in no envelope was checked as it came.
        guard !isEnveloped || kind == .binary || UTF8Text.isValid(bytes) else {
            return .unreadable(message)
        }
        let said = dialect.decode(message)
        guard said != .unreadable else { return .unreadable(message) }
        return .said(said, bytes: bytes.count, wasCompressed: unfolding != nil)
    }

    /// What it says, if that is found out with no more bytes than these; nil for what has more, or likely has.
    func read(within size: Int) -> ServerWork.Read? {
        guard likelySize < size else { return nil }
        guard let unfolding, unfolding.limit > size else { return read }
        var bounded = self
        bounded.unfolding?.limit = size
        let read = bounded.read
        if case .tooBig = read { return nil }
        return read
    }

    /// How large it likely is unfolded: what messages say becomes some eight times smaller.
    private var likelySize: Int { bytes.count &* (unfolding == nil ? 1 : 8) }
}
