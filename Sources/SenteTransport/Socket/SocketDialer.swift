// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// Whoever has something dialed.
///
/// Called on the loop.
protocol SocketDialerOwner: AnyObject {
    /// The dialing is over: a connected socket, adopted by the loop and now the owner's, or why there is none.
    func dialed(_ result: Result<(descriptor: Int32, address: Dialer.Address), LinkFailure>)

    /// The loop stops; nothing is told any more.
    func loopStopped()
}

/// Does what a `Dialer` decides: looks a name up, connects sockets, and hands the first connected one over.
///
/// Used on the loop only. It lives by its lookups and sockets, and keeps its owner until the dialing is over or abandoned.
final class SocketDialer: LoopMember, @unchecked Sendable {
    private let host: String
    private let port: UInt16
    private let loop: EventLoop
    private let lookup: NameLookup
    private var owner: (any SocketDialerOwner)?
    private var dialer: Dialer
    private var sockets: [Int: Int32] = [:]
    private var lookups: [NameLookup.Ticket] = []
    private var timer: (any HostTimer)?

    /// Will dial a name or an address.
    init(
        _ host: String, port: UInt16, avoiding avoided: [Dialer.Address], until deadline: Instant,
        on loop: EventLoop, lookup: NameLookup, owner: any SocketDialerOwner
    ) {
        self.host = host
        self.port = port
        self.loop = loop
        self.lookup = lookup
        self.owner = owner
        dialer =
            Dialer.Address.known(host, port: port).map {
                Dialer($0, avoiding: avoided, deadline: deadline)
            }
            ?? Dialer(
                lookingUp: host, Set(Dialer.Family.allCases), avoiding: avoided, deadline: deadline)
    }

    /// Begins; the owner may be told from inside.
    func start() {
        timer = loop.makeTimer { [unowned self] in drive { $0.timerFired(at: self.loop.instant) } }
        if dialer.isLookingUp {
            // Strong on purpose: an unanswered lookup is bounded by the resolver, and `abandon` takes it back.
            lookups = Dialer.Family.allCases.map { family in
                lookup.begin(host, port: port, family) { answer in
                    self.loop.post { self.drive { $0.found(answer, family, at: self.loop.instant) } }
                }
            }
        }
        drive { $0.start(at: self.loop.instant) }
    }

    /// Gives up; the owner hears nothing.
    func abandon() {
        for descriptor in sockets.values { loop.close(descriptor) }
        release()
    }

    private func release() {
        owner = nil
        timer = nil
        sockets = [:]
        for ticket in lookups { lookup.abandon(ticket) }
        lookups = []
    }

    /// Lets the dialer decide, and does what it wants until it has no more to say.
    private func drive(_ decide: (inout Dialer) -> [Dialer.Effect]) {
        guard owner != nil else { return }
        var effects = decide(&dialer)
        var result: Result<(descriptor: Int32, address: Dialer.Address), LinkFailure>?
        while !effects.isEmpty {
            switch effects.removeFirst() {
            case .connect(let attempt, let address):
                do throws(LinkFailure) {
                    sockets[attempt] = try connect(to: address)
                } catch {
                    effects += dialer.failed(attempt, error.message, at: loop.instant)
                    // Without descriptors every address would fail, and not for its own sake.
                    if error.kind == .unavailable { result = .failure(error) }
                }
            case .abandon(let attempt):
                if let descriptor = sockets.removeValue(forKey: attempt) { loop.close(descriptor) }
            case .chosen(let attempt, let address):
                if let descriptor = sockets.removeValue(forKey: attempt) {
                    result = .success((descriptor, address))
                }
            case .failed(let reason): result = result ?? .failure(reason)
            }
        }
        timer?.arm(at: dialer.deadline)
        guard let result else { return }
        let owner = owner
        abandon()
        owner?.dialed(result)
    }

    private func connect(to address: Dialer.Address) throws(LinkFailure) -> Int32 {
        let descriptor = try TCPSocket.open(family: address.family)
        do throws(LinkFailure) {
            try TCPSocket.connect(descriptor, to: address)
            try loop.adopt(descriptor, .write, self)
        } catch {
            Descriptor.close(descriptor)
            throw error
        }
        return descriptor
    }

    // MARK: - LoopMember

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        guard let attempt = sockets.first(where: { $0.value == descriptor })?.key else { return }
        let code = TCPSocket.pendingError(descriptor)
        if code == 0, TCPSocket.isConnected(descriptor) {
            drive { $0.connected(attempt, at: self.loop.instant) }
        } else if code != 0 {
            let address = dialer.address(of: attempt).map { " to \($0)" } ?? ""
            sockets[attempt] = nil
            loop.close(descriptor)
            let problem = Platform.failure(code, "Connecting\(address)", kind: .unreachable)
            drive { $0.failed(attempt, problem.message, at: self.loop.instant) }
        }
    }

    func turnEnds() {}

    func loopStopped() {
        let owner = owner
        release()
        owner?.loopStopped()
    }
}
