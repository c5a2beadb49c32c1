// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// What goes on a stream, and whoever gives it.
extension ServerStream {
    /// Where bytes are wanted.
    package var wantedPlace: UInt64? {
        outbound.flatMap { outcome == nil && $0.isWanted ? $0.given : nil }
    }

    /// Bytes for the place that was wanted; all others come too late.
    package mutating func give(_ bytes: ArraySlice<UInt8>, at place: UInt64, now: Instant) {
        guard outcome == nil, var outbound, outbound.isWanted, place == outbound.given, !bytes.isEmpty else {
            return
        }
        outbound.isWanted = false
        outbound.given += UInt64(bytes.count)
        if outbound.hashed >= place, outbound.given > outbound.hashed {
            bytes.dropFirst(Int(outbound.hashed - place)).withUnsafeBytes { outbound.digest?.update($0) }
            outbound.hashed = outbound.given
        }
        outbound.waiting.append(bytes)
        self.outbound = outbound
        settle(at: now)
    }

    /// There are no bytes at this place.
    package mutating func end(at place: UInt64, now: Instant) {
        guard outcome == nil, outbound?.isWanted == true, place == outbound?.given else { return }
        outbound?.isWanted = false
        outbound?.isFinished = true
        settle(at: now)
    }

    mutating func allow(_ grant: StreamGrant, at now: Instant) {
        guard let outbound else { return breach("credits came for a stream that only receives", at: now) }
        guard !outbound.isReceived, let limit = outbound.limit else { return }
        guard stands(grant.has), grant.has.index <= outbound.next.index else {
            return breach("a client has what was not sent", at: now)
        }
        letGo(before: grant.has)
        switch (limit, grant.limit) {
        case (.chunk(let old), .chunk(let new)): self.outbound?.limit = .chunk(max(old, new))
        case (.byte(let old), .byte(let new)): self.outbound?.limit = .byte(max(old, new))
        default: breach("credits are of another kind than before", at: now)
        }
    }

    /// Goes on from what the client has.
    mutating func goBack(to grant: StreamGrant, at now: Instant) {
        guard outbound != nil else { return breach("a rewind came for a stream that only receives", at: now) }
        if case .byte = grant.limit, offer.kind == .broadcast {
            return breach("who hears a broadcast counts chunks", at: now)
        }
        guard outbound?.isReceived == false else { return }
        outbound?.limit = grant.limit
        outbound?.hasSaidEnd = false
        if stands(grant.has) {
            letGo(before: grant.has)
            unsend()
        } else if offer.kind == .broadcast {
            unsend()
            guard let outbound else { return }
            say(.resumption(at: outbound.next), at: now)
        } else if canGoBack, grant.has.bytes <= outbound?.hashed ?? 0 {
            restart(at: grant.has)
        } else {
            fail("not-resumable", "what was sent before cannot be sent again", at: now)
        }
    }

    /// What was sent and has not come goes again.
    mutating func unsend() {
        guard var outbound, !outbound.sent.isEmpty else { return }
        let pieces = outbound.sent.drain() + outbound.waiting.drain()
        for piece in pieces { outbound.waiting.append(piece) }
        outbound.next = outbound.base
        self.outbound = outbound
    }

    mutating func restart(at place: StreamPlace) {
        outbound?.base = place
        outbound?.next = place
        outbound?.given = place.bytes
        outbound?.sent = Queue()
        outbound?.waiting = Queue()
        outbound?.isFinished = false
        outbound?.isWanted = false
    }

    /// In a broadcast: leaves out what lies before a place.
    package mutating func skip(to place: StreamPlace, at now: Instant) {
        guard outcome == nil, outbound != nil else { return }
        restart(at: place)
        guard isAccepted, number != nil else { return }
        say(.resumption(at: place), at: now)
        settle(at: now)
    }

    func stands(_ place: StreamPlace) -> Bool {
        guard let outbound, place.index >= outbound.base.index, place.index <= outbound.next.index else {
            return false
        }
        let before = outbound.sent.prefix(Int(place.index - outbound.base.index))
        return before.reduce(outbound.base.bytes) { $0 + UInt64($1.count) } == place.bytes
    }

    mutating func letGo(before place: StreamPlace) {
        while let base = outbound?.base, base.index < place.index, let part = outbound?.sent.popFirst() {
            outbound?.base.advance(by: part.count)
        }
    }

    /// How many bytes may go in the next chunk.
    var room: Int {
        guard outcome == nil, number != nil, isAccepted, !isPaused, !isHeld, let outbound,
            outbound.sent.count < Self.largestBacklog
        else { return 0 }
        switch outbound.limit {
        case nil: return 0
        case .chunk(let until)?: return outbound.next.index < until ? offer.chunkSize : 0
        case .byte(let until)?:
            guard until > outbound.next.bytes else { return 0 }
            return Int(min(until - outbound.next.bytes, UInt64(offer.chunkSize)))
        }
    }

    /// Whether a chunk can go now.
    package var hasPart: Bool { outbound?.waiting.isEmpty == false && room > 0 }

    package mutating func takePart(at now: Instant) -> (number: UInt64, part: StreamPart)? {
        guard hasPart, let number, var outbound, let first = outbound.waiting.first else { return nil }
        let bytes = first.prefix(room)
        if bytes.count == first.count {
            _ = outbound.waiting.popFirst()
        } else {
            outbound.waiting[0] = first.dropFirst(bytes.count)
        }
        let part = StreamPart(
            index: outbound.next.index,
            checksum: offer.checksChunks ? digests.digest(of: bytes) : nil, bytes: bytes)
        outbound.sent.append(bytes)
        outbound.next.advance(by: bytes.count)
        self.outbound = outbound
        saidAt = now
        settle(at: now)
        return (number, part)
    }

    /// What follows from a step: bytes are wanted, or all have gone.
    mutating func settle(at now: Instant) {
        guard outcome == nil, number != nil, isAccepted, var outbound, outbound.waiting.isEmpty else {
            return
        }
        if outbound.isFinished {
            guard !outbound.hasSaidEnd, outbound.limit != nil else { return }
            outbound.hasSaidEnd = true
            if outbound.checksum == nil {
                var digest = outbound.digest
                outbound.checksum = digest?.finish()
            }
            self.outbound = outbound
            say(.sent(outbound.next, checksum: outbound.checksum), at: now)
        } else if room > 0, !outbound.isWanted {
            self.outbound?.isWanted = true
            events.append(.wants(at: outbound.given))
        }
    }
}
