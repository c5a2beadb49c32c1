// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSocket

/// Takes connections on a port and makes a `ServerConnection` of each.
///
/// For the reference server, tests and samples.
package final class Listener: LoopMember, @unchecked Sendable {
    /// Named on the loop for each connection; what it returns is told of everything the connection does.
    package typealias Welcome = @Sendable (ServerConnection) -> any ServerConnectionObserver

    /// The port, also when 0 was asked for.
    package let port: UInt16

    private let loop: EventLoop
    private let limits: LinkLimits
    private let compression: CompressionPolicy?
    private let security: TLSContext?
    private let welcome: Welcome
    private var descriptor: Int32
    private var connections: UInt64 = 0
    private var retry: (any HostTimer)?
    private var isAdopted = false
    private var stopped = false

    /// How many connections one turn takes before others have their say.
    private static let batch = 512

    /// Listens at once.
    ///
    /// Callable from any thread. `host` is an address, not a name; port 0 takes a free one. With `compression`
    /// clients that offer permessage-deflate get it; with `tls` it takes secure connections only.
    package init(
        loop: EventLoop, host: String = "127.0.0.1", port: UInt16 = 0, limits: LinkLimits = LinkLimits(),
        compression: CompressionPolicy? = nil, tls: ServerTLS? = nil, welcome: @escaping Welcome
    ) throws(LinkFailure) {
        guard let address = Dialer.Address(literal: host, port: port) else {
            throw LinkFailure(
                .unavailable, "\(host) is no address to listen on; give one such as 127.0.0.1 or ::1.")
        }
        self.loop = loop
        self.limits = limits
        self.compression = compression
        security = if let tls { try TLSContext.server(tls) } else { nil }
        self.welcome = welcome
        descriptor = try TCPSocket.listen(on: address, backlog: 4096)
        self.port = TCPSocket.local(of: descriptor)?.port ?? port
        if loop.isCurrent { start() } else { loop.post { self.start() } }
    }

    /// Takes no more connections; those there are stay.
    ///
    /// Callable from any thread.
    package func stop() {
        if loop.isCurrent { end() } else { loop.post { self.end() } }
    }

    private func start() {
        guard !stopped else { return }
        do throws(LinkFailure) {
            try loop.adopt(descriptor, .read, self)
        } catch {
            return retryLater()
        }
        isAdopted = true
    }

    private func end() {
        guard !stopped else { return }
        stopped = true
        retry = nil
        if isAdopted { loop.close(descriptor) } else { Descriptor.close(descriptor) }
    }

    // MARK: LoopMember

    package func ready(_ descriptor: Int32, _ readiness: Readiness) {
        for _ in 0..<Self.batch where !stopped {
            switch TCPSocket.accept(descriptor) {
            case .connection(let connection): begin(connection)
            case .again: continue
            case .wouldBlock: return
            case .failed: return pause()
            }
        }
    }

    package func turnEnds() {}

    package func loopStopped() {
        stopped = true
        retry = nil
    }

    /// No descriptor is left: the connection waits in the backlog.
    ///
    /// Accepting again at once would only turn in circles.
    private func pause() {
        loop.watch(descriptor, for: [])
        retryLater()
    }

    private func retryLater() {
        let timer =
            retry
            ?? loop.makeTimer { [unowned self] in
                if isAdopted { loop.watch(descriptor, for: .read) } else { start() }
            }
        retry = timer
        timer.arm(at: loop.instant.advanced(by: .milliseconds(100)))
    }

    private func begin(_ descriptor: Int32) {
        connections += 1
        let connection = ServerConnection(
            LinkID(connections), remoteAddress: TCPSocket.peer(of: descriptor)?.description)
        let link = Link(
            server: limits, compression: .system(compression), isSecure: security != nil, at: loop.instant)
        let stream = LinkStream(
            descriptor, link, security.map { .accepting($0) }, on: loop, owner: connection)
        do throws(LinkFailure) {
            try loop.adopt(descriptor, .read, stream)
        } catch {
            return Descriptor.close(descriptor)
        }
        connection.begin(on: stream, welcome)
        stream.askToFinish()
    }
}
