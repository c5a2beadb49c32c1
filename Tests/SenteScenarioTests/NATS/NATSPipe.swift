// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// One connection to a node: two streams of bytes, which arrive in order, in pieces cut anywhere, or up to some byte.
///
/// WebSocket frames are left out: over a link that hands on a stream their boundaries mean nothing.
final class NATSPipe {
    private struct Direction {
        /// What has not arrived.
        var bytes: [UInt8] = []
        /// How many bytes have.
        var arrived = 0
        var lastArrival = Instant.distantPast
        /// Nothing arrives behind this byte.
        var end: Int?

        var written: Int { arrived + bytes.count }

        mutating func take(upTo place: Int) -> ArraySlice<UInt8> {
            let count = min(max(0, min(place, end ?? .max) - arrived), bytes.count)
            defer {
                bytes.removeFirst(count)
                arrived += count
            }
            return bytes[..<count]
        }
    }

    unowned let world: NATSWorld
    let app: NATSApp
    let link: LinkID
    let node: Int
    /// The cluster's name for the client on it.
    let client: Int
    private var up = Direction()
    private var down = Direction()
    /// What the node said, by where it ends.
    private var words: [(end: Int, word: NATSServerWord)] = []
    private(set) var isSilent = false
    private(set) var isOverForClient = false
    private(set) var isOverForNode = false
    private var isPaused = false
    private var held: [(NATSPipe) -> Void] = []
    private var stalledUntil = Instant.distantPast

    init(_ app: NATSApp, _ link: LinkID, node: Int, client: Int, in world: NATSWorld) {
        self.app = app
        self.link = link
        self.node = node
        self.client = client
        self.world = world
    }

    private func later(_ last: inout Instant, _ act: @escaping (NATSPipe) -> Void) {
        let drawn = max(world.soon(), stalledUntil)
        last = max(drawn, last)
        world.at(last) { _ in act(self) }
    }

    // MARK: Towards the node

    func send(_ batch: [Transmission]) {
        guard !isOverForClient else { return }
        for one in batch { up.bytes += one.message.bytes }
        let ids = batch.map(\.id)
        let end = up.written
        // Now and then it goes in two pieces, cut anywhere.
        let middle = world.chance(0.3) ? Int.random(in: up.arrived...end, using: &world.random) : end
        for place in middle == end ? [end] : [middle, end] {
            later(&up.lastArrival) { $0.arriveAtNode(upTo: place) }
        }
        world.at(max(world.now.instant, stalledUntil)) { _ in self.report([.wrote(ids)]) }
    }

    private func arriveAtNode(upTo place: Int) {
        guard !isSilent, !isOverForNode else { return }
        let piece = up.take(upTo: place)
        if !piece.isEmpty { world.received(Array(piece), from: self) }
    }

    /// The client's kernel takes nothing for a while.
    func stall(for duration: Duration) { stalledUntil = world.now.instant.advanced(by: duration) }

    // MARK: Towards the client

    func opened() { report([.opened(LinkOpening())]) }

    func say(_ word: NATSServerWord) {
        guard !isOverForNode else { return }
        down.bytes += word.bytes
        words.append((down.written, word))
        let end = down.written
        let middle = world.chance(0.2) ? Int.random(in: down.arrived...end, using: &world.random) : end
        for place in middle == end ? [end] : [middle, end] {
            later(&down.lastArrival) { $0.arriveAtClient(upTo: place) }
        }
    }

    /// Says something behind all that has arrived; false when there is more on its way.
    func sayAtOnce(_ word: NATSServerWord) -> Bool {
        guard down.bytes.isEmpty, !isSilent, !isOverForClient, !isOverForNode, !isPaused else { return false }
        app.receive(Message(.binary, word.bytes), [word], on: link)
        return true
    }

    private func arriveAtClient(upTo place: Int) {
        guard !isSilent, !isOverForClient else { return }
        guard !isPaused else { return held.append { $0.arriveAtClient(upTo: place) } }
        let piece = down.take(upTo: place)
        guard !piece.isEmpty else { return }
        var whole: [NATSServerWord] = []
        while let first = words.first, first.end <= down.arrived { whole.append(words.removeFirst().word) }
        app.receive(Message(.binary, Array(piece)), whole, on: link)
    }

    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        let acts = held
        held = []
        for act in acts { world.at(world.now.instant) { _ in act(self) } }
    }

    // MARK: Ends

    /// Nobody took the connection.
    func fail() {
        isOverForClient = true
        isOverForNode = true
        report([.closed(.failed(LinkFailure(.unreachable, "Connection refused.")))])
    }

    /// The node is done with it; the client reads what was said before.
    func ended(_ code: CloseCode?) {
        guard !isOverForNode else { return }
        isOverForNode = true
        notice(
            code.map { .closed(code: $0, reason: "") }
                ?? .failed(LinkFailure(.lost, "The connection ended without a close frame.")))
    }

    private func notice(_ end: LinkEnd) {
        later(&down.lastArrival) { $0.tell(end) }
    }

    private func tell(_ end: LinkEnd) {
        guard !isSilent, !isOverForClient else { return }
        guard !isPaused else { return held.append { $0.tell(end) } }
        isOverForClient = true
        report([.closed(end)])
    }

    /// The connection breaks: in each direction what was written arrives up to some byte.
    func cut() {
        guard !isOverForClient, !isOverForNode else { return }
        up.end = Int.random(in: up.arrived...up.written, using: &world.random)
        down.end = Int.random(in: down.arrived...down.written, using: &world.random)
        notice(.failed(LinkFailure(.lost, "The line went dead.")))
        later(&up.lastArrival) { $0.tellNode() }
    }

    /// Nothing arrives any more, not even an end.
    func silence() { isSilent = true }

    private func tellNode() {
        guard !isOverForNode else { return }
        isOverForNode = true
        world.ended(self)
    }

    /// The client closes; what it said before arrives before.
    func close() {
        guard !isOverForClient else { return }
        isOverForClient = true
        haunt()
        later(&up.lastArrival) { $0.tellNode() }
        let end = LinkEnd.closed(code: .normal, reason: "")
        later(&down.lastArrival) { $0.report([.closed(end)]) }
    }

    /// The client lets go of it, and of what had not left.
    func abandon() {
        guard !isOverForClient else { return }
        isOverForClient = true
        up.end = Int.random(in: up.arrived...up.written, using: &world.random)
        haunt()
        later(&up.lastArrival) { $0.tellNode() }
    }

    /// Now and then a link that is given up says something still.
    private func haunt() {
        guard world.chance(0.3) else { return }
        let rest = down.bytes.isEmpty ? NATSServerWord.pong.bytes : down.bytes
        world.at(world.soon()) { [self] _ in
            report([.progress, .received([Message(.binary, rest)]), .wrote([SendID(.max)])])
        }
    }

    private func report(_ reports: [LinkReport]) { app.report(reports, of: link) }
}
