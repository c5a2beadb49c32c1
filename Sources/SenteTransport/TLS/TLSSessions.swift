// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Whom a client connects to: what its certificate must name, and whose sessions may be resumed.
struct TLSTarget: Hashable, Sendable {
    var host: String
    var port: Int
}

/// Sessions that servers gave, to be resumed with the next connection to the same server.
///
/// Each is used once, so that nobody on the way can tell by it that two connections are one client's
/// (RFC 8446 §C.4).
final class TLSSessions: @unchecked Sendable {
    /// A server gives two for a connection.
    private static let perServer = 16
    private static let servers = 128

    private let library: TLSLibrary
    private let lock = Lock()
    private var sessions: [TLSTarget: [OpaquePointer]] = [:]

    init(_ library: TLSLibrary) {
        self.library = library
    }

    deinit {
        for session in sessions.values.joined() { library.SSL_SESSION_free(session) }
    }

    /// The latest session with a server; the caller owns it.
    func take(for target: TLSTarget) -> OpaquePointer? {
        lock.withLock {
            let session = sessions[target]?.popLast()
            if sessions[target]?.isEmpty == true { sessions[target] = nil }
            return session
        }
    }

    /// Takes a session over.
    func put(_ session: OpaquePointer, for target: TLSTarget) {
        let dropped: [OpaquePointer] = lock.withLock {
            var dropped: [OpaquePointer] = []
            if sessions[target] == nil, sessions.count >= Self.servers,
                let victim = sessions.keys.first
            {
                dropped = sessions.removeValue(forKey: victim) ?? []
            }
            sessions[target, default: []].append(session)
            if let count = sessions[target]?.count, count > Self.perServer,
                let oldest = sessions[target]?.removeFirst()
            {
                dropped.append(oldest)
            }
            return dropped
        }
        for session in dropped { library.SSL_SESSION_free(session) }
    }
}
