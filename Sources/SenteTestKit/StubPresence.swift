// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteTransport
import SenteWire

/// One presence of a stub: its own member among those that the test shows.
final class StubPresence: PresenceSource {
    private struct State {
        var snapshot: PresenceSnapshot
        var lastRevision: UInt64 = 0
        var isClosed = false

        /// A member comes, or says something else of itself.
        mutating func set(_ id: String, _ data: Value) {
            lastRevision += 1
            let member = PresenceSnapshot.Member(
                id: id, data: data, revision: lastRevision, isSelf: id == StubPresence.own)
            guard let index = index(of: id) else { return snapshot.members.append(member) }
            if snapshot.members[index].data != data { snapshot.members[index] = member }
        }

        func index(of id: String) -> Int? { snapshot.members.firstIndex { $0.id == id } }
    }

    private static let own = "self"

    let channel: String
    private let client: StubClient
    private let state: LockedValue<State>
    private let snapshots: Broadcast<PresenceSnapshot>

    init(_ channel: String, _ client: StubClient, isCurrent: Bool) {
        self.channel = channel
        self.client = client
        let snapshot = PresenceSnapshot(isCurrent: isCurrent)
        state = LockedValue(State(snapshot: snapshot))
        snapshots = Broadcast(BoundedQueue(latest: 1), current: snapshot)
    }

    // MARK: What the test shows

    func shows(_ others: KeyValuePairs<String, Value>) {
        change { state in
            let names = Set(others.map(\.key))
            state.snapshot.members.removeAll { !$0.isSelf && !names.contains($0.id) }
            for (name, data) in others where name != Self.own { state.set(name, data) }
        }
    }

    func shows(isCurrent: Bool) { change { $0.snapshot.isCurrent = isCurrent } }

    private func change(_ body: (inout State) -> Void) {
        let snapshot = state.withLock { state -> PresenceSnapshot? in
            let before = state.snapshot
            guard !state.isClosed else { return nil }
            body(&state)
            return state.snapshot == before ? nil : state.snapshot
        }
        if let snapshot { snapshots.send([snapshot]) }
    }

    // MARK: What the app does

    var snapshot: PresenceSnapshot { state.withLock { $0.snapshot } }
    func makeIterator() -> MailboxIterator<PresenceSnapshot> { snapshots.makeIterator() }

    func enter(_ data: Value) {
        client.notes(.enter(data, in: channel))
        change { $0.set(Self.own, data) }
    }

    func update(_ data: Value) {
        client.notes(.update(data, in: channel))
        change { if $0.index(of: Self.own) != nil { $0.set(Self.own, data) } }
    }

    func leave() async {
        client.notes(.leave(channel))
        change { $0.snapshot.members.removeAll(where: \.isSelf) }
    }

    func close() {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard isFirst else { return }
        client.ended(self)
        snapshots.finish()
    }

    func refused(_ error: SenteError) {}
}
