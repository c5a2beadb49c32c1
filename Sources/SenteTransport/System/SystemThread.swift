// SPDX-License-Identifier: Apache-2.0

import CSenteSystem
import SenteBase

/// A thread of the operating system.
struct SystemThread: @unchecked Sendable {
    private let handle: pthread_t

    /// Starts a thread.
    ///
    /// All signals stay with the app's own threads.
    init(name: String, _ body: @escaping @Sendable () -> Void) throws(LinkFailure) {
        let start = Unmanaged.passRetained(Start(name, body))
        var everything = sigset_t()
        var before = sigset_t()
        sigfillset(&everything)
        pthread_sigmask(SIG_SETMASK, &everything, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        #if canImport(Darwin) || canImport(Musl)
        var created: pthread_t?
        #else
        var created = pthread_t()
        #endif
        let code = pthread_create(&created, nil, { Start.run($0) }, start.toOpaque())
        #if canImport(Darwin) || canImport(Musl)
        let handle = created
        #else
        let handle: pthread_t? = created
        #endif
        guard code == 0, let handle else {
            start.release()
            throw Platform.failure(code, "Starting the thread \(name)")
        }
        self.handle = handle
    }

    /// Waits until the thread's body has returned.
    func join() {
        pthread_join(handle, nil)
    }

    /// Lets the thread end by itself; it must not be joined afterwards.
    func detach() {
        pthread_detach(handle)
    }

    var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }

    /// Lets other threads go first.
    static func yield() {
        sched_yield()
    }

    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }

        static func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
            guard let argument else { return nil }
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
            #if canImport(Darwin)
            pthread_setname_np(start.name)
            #else
            pthread_setname_np(pthread_self(), start.name)
            #endif
            start.body()
            return nil
        }
    }
}
