// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What the other end says of a stream.
extension StreamMachine {
    package mutating func heard(_ word: StreamWord, at now: Instant) {
        guard ending == nil, attachment != .none else { return }
        heardAt = now
        do throws(StreamFault) {
            try take(word, at: now)
        } catch {
            fail(error, at: now)
        }
        settle(at: now)
    }

    mutating func take(_ word: StreamWord, at now: Instant) throws(StreamFault) {
        switch word {
        case .failed(let fault): return endByServer(.failed(fault), at: now)
        case .cancel(let reason): return endByServer(.cancelled(isRemote: true, reason: reason), at: now)
        case .end: throw StreamFault(.unknownStream, "The server has forgotten the stream.", isRemote: true)
        case .control(let data): return effects.append(.control(data))
        case .accept(let reception): return try accepted(reception, at: now)
        // Where both ask at once the client's number holds, and the server will see that.
        case .open: return
        case .credits, .rewind, .pause, .resume, .sent, .received: break
        }
        guard case .attached = attachment else {
            // What the server says of a stream it has completed comes instead of an answer.
            if case .received(let receipt) = word, sender != nil { return confirmed(receipt, at: now) }
            throw .violation("`\(word.name)` came before the stream was accepted")
        }
        switch word {
        case .credits(let reception):
            guard sender != nil else { throw .violation("credits came for a stream that sends nothing") }
            try sender?.receive(reception)
        case .rewind(let reception):
            guard sender != nil else { throw .violation("a rewind came for a stream that sends nothing") }
            meter.rewinds += 1
            if let place = try sender?.goOn(reception) { effects.append(.seek(to: place)) }
        case .pause: isPausedThere = true
        case .resume(let point):
            isPausedThere = false
            guard let point else { break }
            guard opening.kind == .broadcast else {
                throw .violation("what is no broadcast left something out")
            }
            try receiver?.skip(to: point)
            sayCredits(at: now)
        case .sent(let totals):
            guard receiver != nil else { throw .violation("the end came of a stream that receives nothing") }
            try receiver?.end(totals, at: now)
            if receiver?.isWhole == true, receiver?.hasPieces == false { effects.append(.hasPieces) }
        case .received(let receipt):
            guard sender?.isDone == true, receipt.end == sender?.next else {
                throw .violation("it has everything, and that is not all that was sent")
            }
            confirmed(receipt, at: now)
        case .open, .accept, .control, .failed, .cancel, .end: break
        }
    }

    mutating func accepted(_ reception: StreamReception?, at now: Instant) throws(StreamFault) {
        guard case .asked(let number) = attachment else {
            throw .violation("it was accepted without having been offered")
        }
        attachment = .attached(number: number)
        isKnown = true
        let isFirst = start()
        if sender != nil {
            guard let reception else { throw .violation("it was accepted without credits") }
            if let place = try sender?.goOn(reception) { effects.append(.seek(to: place)) }
            if isFirst { meter.begin(at: reception.next.bytes) }
        }
        if isPausedHere { say(.pause(reason: nil), at: now) }
        if let confirmation { say(.received(confirmation), at: now) }
    }

    mutating func confirmed(_ receipt: StreamReceipt, at now: Instant) {
        self.receipt = receipt
        sender?.stop()
        endIfDone(at: now)
    }

    package mutating func heard(_ chunk: StreamChunk, at now: Instant) {
        guard ending == nil, case .attached = attachment else { return }
        heardAt = now
        do throws(StreamFault) {
            guard receiver != nil else { throw .violation("bytes came for a stream that receives none") }
            let isFirst = try receiver?.receive(chunk, at: now) ?? false
            if isFirst { effects.append(.hasPieces) }
            if sender == nil { meter.moved(at: now) }
        } catch {
            fail(error, at: now)
        }
        settle(at: now)
    }

    /// A word that names the stream and is malformed, or a stream of that name that cannot be.
    package mutating func broken(_ reason: String, at now: Instant) {
        guard ending == nil else { return }
        fail(.violation(reason), at: now)
        settle(at: now)
    }
}
