// SPDX-License-Identifier: Apache-2.0

import CSenteAtomics

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Android)
import Android
#endif

/// Starts threads of the operating system.
enum SystemThread {
    /// Starts a thread that ends by itself; false when the system has none left.
    ///
    /// All of the process's signals stay with the app's own threads.
    @discardableResult
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
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
        guard pthread_create(&created, nil, { Start.run($0) }, start.toOpaque()) == 0 else {
            start.release()
            return false
        }
        #if canImport(Darwin) || canImport(Musl)
        if let created { pthread_detach(created) }
        #else
        pthread_detach(created)
        #endif
        return true
    }

    /// The value of a body that may block, off the task's thread.
    static func value<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            let isStarted = start("sente-telemetry-wait") { continuation.resume(returning: body()) }
            if !isStarted { continuation.resume(returning: body()) }
        }
    }

    static var processID: Int32 { getpid() }

    /// Has a body run when the process ends by itself.
    static func atExit(_ body: @convention(c) () -> Void) { atexit(body) }

    /// Whether this is the process's first thread.
    static var isMain: Bool {
        #if canImport(Darwin)
        pthread_main_np() != 0
        #else
        sente_is_main_thread()
        #endif
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
            sente_name_thread(start.name)
            #endif
            start.body()
            return nil
        }
    }
}
