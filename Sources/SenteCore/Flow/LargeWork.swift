// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Writing or reading a large value, which takes longer than what else happens on a loop may have to wait.
///
/// It holds all that it needs and changes nothing, so that it can be done anywhere. What comes of it goes back by
/// `Input.worked`; a link has one value being written and one being read at most.
package struct LargeWork: Sendable, Equatable {
    /// Which piece of work it is, of which link.
    struct ID: Hashable, Sendable {
        var link: LinkID
        var number: UInt64
    }

    enum Job: Sendable {
        case writing(Writing)
        case reading(Reading)
    }

    /// A message that is to leave.
    struct Writing: Sendable {
        var outbound: Outbound
        var time: Moment
        var coder: any DialectCoder
        var packing: TimedPacking
        /// Whether no compression makes it smaller.
        var isCompressedAlready: Bool
    }

    /// A message that has come.
    enum Reading: Sendable {
        case message(Message, WireFormat, SizeLimits)
        /// It came compressed or in parts.
        case assembled(Assembled, Unfolding, WireFormat, SizeLimits)
    }

    /// What came of it.
    package struct Done: Sendable {
        enum Outcome: Sendable {
            case written(Result<Written, SenteError>)
            case read(Result<Read, UnreadableError>)
        }

        var id: ID
        var outcome: Outcome
    }

    struct Written: Sendable {
        var packed: Packing.Packed
        var compressed: Packing.Compressed
        /// How long compressing took.
        var time: Duration
    }

    struct Read: Sendable {
        var value: Value
        /// How many bytes it has as the format wrote it.
        var size: Int
    }

    let id: ID
    let job: Job

    package static func == (a: LargeWork, b: LargeWork) -> Bool { a.id == b.id }

    /// Does it.
    package func done() -> Done {
        switch job {
        case .writing(let writing): Done(id: id, outcome: .written(writing.result))
        case .reading(let reading): Done(id: id, outcome: .read(reading.result))
        }
    }
}

extension LargeWork.Writing {
    fileprivate var result: Result<LargeWork.Written, SenteError> {
        Result { () throws(SenteError) in try done() }
    }

    private func done() throws(SenteError) -> LargeWork.Written {
        var coder = coder
        let message = try coder.encode(outbound, at: time)
        let (packed, compressed, time) = packing.pack(message, isCompressedAlready: isCompressedAlready)
        return LargeWork.Written(packed: packed, compressed: compressed, time: time)
    }
}

extension LargeWork.Reading {
    var result: Result<LargeWork.Read, UnreadableError> {
        Result { () throws(UnreadableError) in try done() }
    }

    private func done() throws(UnreadableError) -> LargeWork.Read {
        let (message, format, limits): (Message, WireFormat, SizeLimits)
        switch self {
        case .message(let whole, let itsFormat, let itsLimits):
            (message, format, limits) = (whole, itsFormat, itsLimits)
        case .assembled(let assembled, let unfolding, let itsFormat, let itsLimits):
            (message, format, limits) = (try unfolding.message(of: assembled), itsFormat, itsLimits)
        }
        return LargeWork.Read(
            value: try format.value(of: message, limits: limits), size: message.bytes.count)
    }

    /// The same, if that is found out with no more bytes than these; nil for what has more, or likely has.
    func result(within size: Int) -> Result<LargeWork.Read, UnreadableError>? {
        guard likelySize < size else { return nil }
        guard case .assembled(let assembled, var unfolding, let format, let limits) = self,
            unfolding.limit > size
        else { return result }
        unfolding.limit = size
        let result = Self.assembled(assembled, unfolding, format, limits).result
        if case .failure(let error) = result, error.isTooLarge { return nil }
        return result
    }

    /// How large it likely is unfolded: what messages say becomes some eight times smaller.
    private var likelySize: Int {
        guard case .assembled(let assembled, _, _, _) = self, assembled.algorithm != nil else { return size }
        return size &* 8
    }

    /// How many bytes of it have come.
    var size: Int {
        switch self {
        case .message(let message, _, _): message.bytes.count
        case .assembled(let assembled, _, _, _): assembled.bytes.count
        }
    }

    /// Whether it came in an envelope, which holds no other.
    var isEnveloped: Bool {
        if case .assembled = self { true } else { false }
    }
}
