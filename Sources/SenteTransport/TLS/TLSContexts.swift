// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// The contexts of all clients of the process, made on threads of their own: one for each configuration, as its files are.
package final class TLSContexts: @unchecked Sendable {
    package typealias Answer = Result<TLSContext, LinkFailure>

    package static let shared = TLSContexts()

    /// Kept beyond their connections; more are made, and forgotten with these.
    private static let limit = 64

    private let lock = Lock()
    private var contexts: [TLSConfiguration: TLSContext] = [:]
    private var waiters: [TLSConfiguration: [@Sendable (Answer) -> Void]] = [:]
    private let make: @Sendable (TLSConfiguration) -> Answer

    package convenience init() {
        self.init { configuration in
            Answer { () throws(LinkFailure) in try TLSContext.client(configuration) }
        }
    }

    /// Makes contexts with something else, in tests.
    package init(make: @escaping @Sendable (TLSConfiguration) -> Answer) {
        self.make = make
    }

    /// The context, if it was made before and no file need be read to know it.
    package func ready(_ configuration: TLSConfiguration) -> TLSContext? {
        configuration.namesFiles ? nil : lock.withLock { contexts[configuration] }
    }

    /// Makes the context, or finds it by what the configuration's files hold now; `deliver` is called once, on some thread.
    ///
    /// A failure is not remembered: what was missing may be there next time.
    package func begin(_ configuration: TLSConfiguration, _ deliver: @escaping @Sendable (Answer) -> Void) {
        let isFirst = lock.withLock {
            waiters[configuration, default: []].append(deliver)
            return waiters[configuration]?.count == 1
        }
        guard isFirst else { return }
        do throws(LinkFailure) {
            try SystemThread(name: "sente-tls") { self.finish(configuration, self.answer(configuration)) }
                .detach()
        } catch {
            finish(configuration, .failure(error))
        }
    }

    private func answer(_ configuration: TLSConfiguration) -> Answer {
        Answer { () throws(LinkFailure) in
            let read = try configuration.readingFiles()
            if let context = lock.withLock({ contexts[read] }) { return context }
            let made = try make(read).get()
            return lock.withLock {
                // Another name of the same content may have been first: its sessions are kept.
                if let context = contexts[read] { return context }
                if contexts.count >= Self.limit { contexts = [:] }
                contexts[read] = made
                return made
            }
        }
    }

    private func finish(_ configuration: TLSConfiguration, _ answer: Answer) {
        let waiting = lock.withLock { waiters.removeValue(forKey: configuration) ?? [] }
        for deliver in waiting { deliver(answer) }
    }
}
