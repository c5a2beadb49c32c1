// SPDX-License-Identifier: Apache-2.0

import SenteBase
public import SenteCore
import SenteTransport

/// One thread that serves the connections of many clients.
///
/// No code of the app runs there unless it asks for it (`executor`).
public final class ClientLoop: Sendable {
    /// nil: the one that all links of the process share.
    private let own: EventLoop?

    /// The one that all clients share unless told otherwise.
    ///
    /// Started when it is first used.
    public static let shared = ClientLoop(shared: ())

    /// Starts a thread of its own, which ends when the loop and the clients that use it are released.
    ///
    /// Throws `unavailable` when the system has no thread or descriptor left.
    public init() throws(SenteError) {
        own = try Self.start { () throws(LinkFailure) in try EventLoop() }
    }

    private init(shared: Void) {
        own = nil
    }

    deinit {
        own?.shutDown()
    }

    /// Lets tasks run on the loop's thread: `withTaskExecutorPreference(loop.executor) { … }`.
    ///
    /// It saves the change of thread with each answer and message. Whatever runs there must not block: it
    /// would hold up every connection of the loop. nil when the loop could not be started.
    @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
    public var executor: (any TaskExecutor)? {
        try? host()
    }

    func host() throws(SenteError) -> EventLoop {
        if let own { return own }
        return try Self.start { () throws(LinkFailure) in try EventLoop.shared() }
    }

    private static func start(_ make: () throws(LinkFailure) -> EventLoop) throws(SenteError) -> EventLoop {
        do throws(LinkFailure) {
            return try make()
        } catch {
            throw SenteError(.unavailable, "The client's thread could not be started. \(error.message)")
        }
    }
}
