// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// What comes on a stream, and whoever takes it.
extension ServerStream {
    mutating func add(_ part: StreamPart, at now: Instant) {
        guard var inbound else { return breach("a chunk came for a stream that only sends", at: now) }
        if let mismatch = inbound.mismatch, mismatch != .asked || part.index != inbound.has.index { return }
        let size = part.bytes.count
        guard part.index == inbound.has.index, !inbound.isWhole else {
            return breach("chunk \(part.index) came, and \(inbound.has.index) was due", at: now)
        }
        guard (1...offer.chunkSize).contains(size) else {
            return breach("a chunk has \(size) bytes", at: now)
        }
        let isAllowed =
            switch inbound.limit {
            case .chunk(let until): part.index < until
            case .byte(let until): inbound.has.bytes + UInt64(size) <= until
            }
        guard isAllowed, inbound.parts.count < Self.largestQueue else {
            return breach("chunk \(part.index) came without credit", at: now)
        }
        guard inbound.has.bytes + UInt64(size) <= offer.totalSize ?? .max else {
            return breach("more came than was to come", at: now)
        }
        if let most = policy.uploadBytes, inbound.has.bytes + UInt64(size) > most {
            return fail("quota-exceeded", "an upload may have \(most) bytes", at: now)
        }
        if offer.checksChunks {
            guard let checksum = part.checksum else { return breach("a chunk lacks its checksum", at: now) }
            guard checksum == digests.digest(of: part.bytes) else {
                return mismatched(part.index, at: now)
            }
        }
        inbound.mismatch = nil
        inbound.mismatches = 0
        part.bytes.withUnsafeBytes { inbound.digest?.update($0) }
        inbound.has.advance(by: size)
        inbound.parts.append(part)
        self.inbound = inbound
        if inbound.parts.count == 1 { events.append(.hasParts) }
    }

    mutating func mismatched(_ index: UInt64, at now: Instant) {
        inbound?.mismatches += 1
        guard inbound?.mismatches ?? 0 <= policy.retries else {
            return fail("checksum-mismatch", "Chunk \(index) checksum failed", at: now)
        }
        let due = now.advanced(by: policy.retryDelay)
        inbound?.mismatch = .askAt(due)
    }

    mutating func close(at place: StreamPlace, _ checksum: [UInt8]?, at now: Instant) {
        guard var inbound else { return breach("the end came of a stream that only sends", at: now) }
        guard inbound.mismatch == nil, !inbound.isWhole else { return }
        guard place == inbound.has, place.bytes == offer.totalSize ?? place.bytes else {
            return breach("it ended where it did not stand", at: now)
        }
        if var digest = inbound.digest {
            let own = digest.finish()
            guard let checksum else { return breach("the end lacks its checksum", at: now) }
            guard checksum == own else {
                return fail("checksum-mismatch", "the checksum of the whole failed", at: now)
            }
            inbound.checksum = own
        }
        inbound.isWhole = true
        self.inbound = inbound
        if inbound.parts.isEmpty { events.append(.hasParts) }
    }

    // MARK: Whoever takes

    /// The next part; nil when there is none now.
    package mutating func take(at now: Instant) -> ArraySlice<UInt8>? {
        guard outcome == nil, let part = inbound?.parts.popFirst() else { return nil }
        inbound?.taken.advance(by: part.bytes.count)
        if let inbound, !inbound.isWhole, isLow(inbound) {
            let limit = Self.limit(policy.window, beyond: inbound.taken)
            self.inbound?.limit = limit
            self.inbound?.told = inbound.taken.index
            if isAccepted, let grant { say(.credits(grant), at: now) }
        }
        if inbound?.parts.isEmpty == true, inbound?.isWhole == true { events.append(.hasParts) }
        return part.bytes
    }

    /// Whether all has come and was taken.
    package var isTaken: Bool { inbound?.isWhole == true && inbound?.parts.isEmpty == true }

    /// All was taken, and is kept.
    package mutating func confirm(_ receipt: Value = .null, at now: Instant) {
        guard outcome == nil, isTaken, let inbound, inbound.receipt == nil else { return }
        let word = ServerStreamWord.received(
            inbound.has, milliseconds: begun.duration(to: now).wholeMilliseconds, checksum: inbound.checksum,
            receipt: receipt)
        self.inbound?.receipt = word
        say(word, at: now)
        finishIfDone()
    }

    static func limit(_ window: StreamPolicy.Window, beyond place: StreamPlace) -> StreamGrant.Limit {
        switch window {
        case .chunks(let count): .chunk(place.index + UInt64(count))
        case .bytes(let count): .byte(place.bytes + UInt64(count))
        }
    }

    /// Whether three tenths of the window, or less, lie before the client, or it has not heard of 32 chunks: it keeps those, and
    /// no more than 64.
    private func isLow(_ inbound: Inbound) -> Bool {
        let taken = inbound.taken
        if taken.index - inbound.told >= 32 { return true }
        let (left, width): (UInt64, Int) =
            switch (inbound.limit, policy.window) {
            case (.chunk(let until), .chunks(let count)): (until - taken.index, count)
            case (.byte(let until), .bytes(let count)): (until - taken.bytes, count)
            default: (0, 0)
            }
        // A window may be as wide as an integer.
        return left <= UInt64(width) / 10 * 3 + UInt64(width) % 10 * 3 / 10
    }

    var grant: StreamGrant? { inbound.map { StreamGrant(has: $0.has, limit: $0.limit) } }
}
