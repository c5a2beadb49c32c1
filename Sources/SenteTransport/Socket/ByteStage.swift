// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// How bytes pass between the kernel and a link: as they are, or through TLS.
enum ByteStage {
    case plain
    case secured(TLSFilter)

    /// How much of a message must be missing to be received in its place, instead of by way of the loop's scratch memory.
    static let inPlace = 8 << 10

    var filter: TLSFilter? {
        switch self {
        case .plain: nil
        case .secured(let filter): filter
        }
    }

    /// What a fault of the socket's ends, for people.
    private var action: String {
        filter?.isSecured == false ? "The TLS handshake" : "The connection"
    }

    // MARK: From the kernel to the link

    /// Reads once, and gives the link what is inside of what came; how many bytes came, and how many could have.
    func read(
        _ descriptor: Int32, atMost limit: Int, on loop: EventLoop, at now: Instant, to link: inout Link,
        into reports: inout [LinkReport]
    ) -> (count: Int, room: Int) {
        guard let filter else {
            let scratch = UnsafeMutableRawBufferPointer(rebasing: loop.scratch.prefix(limit))
            return Self.pass(by: scratch, on: loop, at: now, to: &link, into: &reports) { region in
                Descriptor.receive(descriptor, into: region, during: action)
            }
        }
        // One half takes what comes, the other what was inside.
        let half = loop.scratch.count / 2
        let outside = UnsafeMutableRawBufferPointer(rebasing: loop.scratch[..<half])
        let inside = UnsafeMutableRawBufferPointer(rebasing: loop.scratch[half...])
        let outcome = Descriptor.receive(descriptor, into: outside, during: action)
        link.hear(outcome, at: now, into: &reports)
        guard outcome.count > 0 else { return (0, half) }
        filter.give(UnsafeRawBufferPointer(rebasing: outside[..<outcome.count]))
        if link.needs.isSecuring { shakeHands(for: &link, at: now, into: &reports) }
        while filter.isSecured, link.needs.isReading {
            let (count, _) = Self.pass(by: inside, on: loop, at: now, to: &link, into: &reports) {
                filter.read(into: $0)
            }
            guard count > 0 else { break }
        }
        // Nobody looks at what a link that is over has left.
        filter.give(UnsafeRawBufferPointer(start: nil, count: 0))
        return (outcome.count, half)
    }

    /// Gives the link what `source` writes, to its place when much of a message is missing.
    private static func pass(
        by scratch: UnsafeMutableRawBufferPointer, on loop: EventLoop, at now: Instant, to link: inout Link,
        into reports: inout [LinkReport], from source: (UnsafeMutableRawBufferPointer) -> Transfer
    ) -> (count: Int, room: Int) {
        var outcome = Transfer.wouldBlock
        var room = scratch.count
        if link.needs.missingBytes >= inPlace {
            link.fill(at: now, masks: &loop.masks.pointee, into: &reports) { region in
                room = region.count
                outcome = source(region)
                return outcome.count
            }
        } else {
            outcome = source(scratch)
            if outcome.count > 0 {
                let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<outcome.count])
                link.receive(bytes, at: now, masks: &loop.masks.pointee, into: &reports)
            }
        }
        link.hear(outcome, at: now, into: &reports)
        return (outcome.count, room)
    }

    /// Goes on with the TLS handshake.
    func shakeHands(for link: inout Link, at now: Instant, into reports: inout [LinkReport]) {
        guard let outcome = filter?.shakeHands() else { return }
        if case .bytes = outcome { link.secured() }
        link.hear(outcome, at: now, into: &reports)
    }

    // MARK: From the link to the kernel

    /// What goes to the kernel next.
    ///
    /// It may be written while the link goes on: meanwhile output is only added to, or all of it dropped because the link is over.
    /// Count with `wrote` how much of it was taken.
    func output(of link: inout Link, into reports: inout [LinkReport]) -> ArraySlice<UInt8> {
        guard let filter else { return link.unwritten }
        if !filter.hasOutput, filter.isSecured {
            var outcome = Transfer.wouldBlock
            link.withOutput(into: &reports) { bytes in
                outcome = filter.write(bytes)
                return 0
            }
            if case .failed(let failure) = outcome { link.failed(failure, into: &reports) }
        }
        return filter.output
    }

    /// Counts what the kernel has taken.
    ///
    /// What is encrypted counts as written by the link only when the kernel has taken all of it.
    func wrote(_ count: Int, of link: inout Link, into reports: inout [LinkReport]) {
        let passed = filter.map { $0.wrote(count) } ?? count
        if passed > 0 { link.withOutput(into: &reports) { _ in passed } }
    }

    /// Writes a piece of output.
    func send(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Transfer {
        bytes.withUnsafeBytes { Descriptor.send(descriptor, $0, during: action) }
    }
}

extension Link {
    /// Hears why no bytes came, or could be written.
    mutating func hear(_ outcome: Transfer, at now: Instant, into reports: inout [LinkReport]) {
        switch outcome {
        case .bytes, .wouldBlock: break
        case .end: receivedEnd(at: now, into: &reports)
        case .failed(let failure): failed(failure, into: &reports)
        }
    }
}
