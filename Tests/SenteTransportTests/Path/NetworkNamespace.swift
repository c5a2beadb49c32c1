// SPDX-License-Identifier: Apache-2.0

#if os(Linux)

import Foundation
import SenteTestSupport
import SenteTransport

/// A network of its own for a loop's thread, with nothing in it but a loopback that is down (network_namespaces(7)).
enum NetworkNamespace {
    static let isAllowed = probe()
    static let reason = "needs the right to make a network namespace, and the program `ip`"

    /// A loop in a namespace of its own.
    static func makeLoop(_ polling: EventLoop.Polling) async throws -> EventLoop {
        try await withCheckedThrowingContinuation { continuation in
            // The loop's thread gets the namespace of the thread that starts it.
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        guard leave() else { throw POSIXError(.EPERM) }
                        return try EventLoop(polling: polling)
                    })
            }
        }
    }

    /// Runs a command of the shell in the namespace of the calling thread; whether it succeeded.
    static func run(_ command: String) -> Bool {
        system("(\(command)) >/dev/null 2>&1") == 0
    }

    private static func leave() -> Bool {
        typealias Unshare = @convention(c) (Int32) -> Int32
        guard let symbol = dlsym(nil, "unshare") else { return false }
        let newNetwork: Int32 = 0x4000_0000
        return unsafeBitCast(symbol, to: Unshare.self)(newNetwork) == 0
    }

    private static func probe() -> Bool {
        let done = DispatchSemaphore(value: 0)
        let answer = Box(false)
        Thread.detachNewThread {
            answer.value = leave() && run("ip link add probe type veth peer name other")
            done.signal()
        }
        done.wait()
        return answer.value
    }
}

extension EventLoop {
    /// Runs commands of the shell in the namespace of the loop's thread, which they hold up.
    func shell(_ commands: String...) async -> Bool {
        await run { commands.allSatisfy(NetworkNamespace.run) }
    }
}

#endif
