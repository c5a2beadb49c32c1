// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSocket

/// Looks names up on a few threads of its own, because the system's resolver blocks.
///
/// Callers who ask for the same name share one lookup. A resolver that hangs holds one thread; the others go on,
/// and when all hang, further names wait for the first to give up (the system's resolver always does).
package final class NameLookup: @unchecked Sendable {
    /// Names one caller's wish, to take it back.
    package struct Ticket: Hashable, Sendable {
        fileprivate var name: Name
        fileprivate var number: UInt64
    }

    fileprivate struct Name: Hashable, Sendable {
        var host: String
        var port: UInt16
        var family: Dialer.Family
    }

    package typealias Answer = Result<[Dialer.Address], LinkFailure>
    package typealias Resolve = @Sendable (_ host: String, _ port: UInt16, _ family: Dialer.Family) -> Answer

    package static let shared = NameLookup(threads: 16, resolve: SystemResolver.resolve)

    private let lock = Lock()
    private let threads: Int
    private let resolve: Resolve
    private var running = 0
    private var queue: [Name] = []
    private var waiters: [Name: [(number: UInt64, deliver: @Sendable (Answer) -> Void)]] = [:]
    private var tickets: UInt64 = 0

    package init(threads: Int, resolve: @escaping Resolve) {
        self.threads = threads
        self.resolve = resolve
    }

    /// Begins a lookup; `deliver` is called once, on some thread, unless the lookup is abandoned first.
    package func begin(
        _ host: String, port: UInt16, _ family: Dialer.Family, _ deliver: @escaping @Sendable (Answer) -> Void
    ) -> Ticket {
        let name = Name(host: host, port: port, family: family)
        lock.lock()
        tickets += 1
        let ticket = Ticket(name: name, number: tickets)
        let isNew = waiters[name] == nil
        waiters[name, default: []].append((ticket.number, deliver))
        if isNew { queue.append(name) }
        let starts = isNew && running < threads
        if starts { running += 1 }
        lock.unlock()
        if starts { startThread() }
        return ticket
    }

    /// Takes a wish back; a delivery that is under way may still come.
    package func abandon(_ ticket: Ticket) {
        lock.withLock {
            // The name stays as long as its lookup runs, so that asking again joins it.
            waiters[ticket.name]?.removeAll { $0.number == ticket.number }
        }
    }

    private func startThread() {
        do throws(LinkFailure) {
            try SystemThread(name: "sente-lookup") { self.work() }.detach()
        } catch {
            let failed = lock.withLock {
                running -= 1
                guard running == 0 else { return [Name]() }
                defer { queue = [] }
                return queue
            }
            // With no thread at all nobody else would answer these.
            for name in failed { finish(name, .failure(error)) }
        }
    }

    private func work() {
        while let name = next() { finish(name, resolve(name.host, name.port, name.family)) }
    }

    private func next() -> Name? {
        lock.withLock {
            while !queue.isEmpty {
                let name = queue.removeFirst()
                if waiters[name]?.isEmpty == false { return name }
                waiters[name] = nil
            }
            running -= 1
            return nil
        }
    }

    private func finish(_ name: Name, _ answer: Answer) {
        let waiting = lock.withLock { waiters.removeValue(forKey: name) ?? [] }
        for waiter in waiting { waiter.deliver(answer) }
    }
}
