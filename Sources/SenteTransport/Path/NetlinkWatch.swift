// SPDX-License-Identifier: Apache-2.0

#if os(Linux) || os(Android)

import CSenteSystem
import SenteBase

/// Hears what the kernel says of interfaces, addresses and routes, on a loop (netlink(7)).
final class NetlinkWatch: PathWatch, LoopMember {
    /// Datagrams read in one turn.
    private static let reads = 16
    // NETLINK_ROUTE
    private static let route: Int32 = 0
    // RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE
    private static let groups: UInt32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400

    /// Which keeps the watch.
    private unowned let loop: EventLoop
    private let report: (NetworkChange) -> Void
    private var table = NetlinkTable()
    /// -1 once closed.
    private var descriptor: Int32

    /// Nil where the system does not allow it, as Android does not for apps: then only silence tells.
    init?(on loop: EventLoop, report: @escaping (NetworkChange) -> Void) {
        guard let descriptor = Self.open() else { return nil }
        self.loop = loop
        self.report = report
        self.descriptor = descriptor
        do throws(LinkFailure) {
            try loop.adopt(descriptor, .read, self)
        } catch {
            Descriptor.close(descriptor)
            return nil
        }
    }

    private static func open() -> Int32? {
        let descriptor = socket(AF_NETLINK, Platform.rawSocket, Self.route)
        guard descriptor >= 0 else { return nil }
        Descriptor.makeNonBlocking(descriptor)
        var address = sente_sockaddr_nl()
        address.nl_family = UInt16(AF_NETLINK)
        address.nl_groups = groups
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sente_sockaddr_nl>.size))
            }
        }
        guard bound == 0 else {
            Descriptor.close(descriptor)
            return nil
        }
        return descriptor
    }

    func stop() {
        guard descriptor >= 0 else { return }
        loop.close(descriptor)
        descriptor = -1
    }

    // MARK: LoopMember

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        var changes: Set<NetworkChange> = []
        for _ in 0..<Self.reads {
            guard let heard = hear() else { break }
            changes.formUnion(heard)
        }
        for change in [NetworkChange.lost, .available] where changes.contains(change) { report(change) }
    }

    /// What the next datagram means; nil when there is none.
    private func hear() -> [NetworkChange]? {
        var sender = sente_sockaddr_nl()
        var length = socklen_t(MemoryLayout<sente_sockaddr_nl>.size)
        let count = withUnsafeMutablePointer(to: &sender) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, loop.scratch.baseAddress, loop.scratch.count, 0, $0, &length)
            }
        }
        guard count >= 0 else {
            switch errno {
            case EAGAIN, EWOULDBLOCK: return nil
            case EINTR: return []
            case ENOBUFS:
                // More happened than the kernel could keep for us: what is known may be wrong.
                table = NetlinkTable()
                return [.available]
            default:
                stop()
                return nil
            }
        }
        // Only the kernel's word counts; its number is 0.
        guard sender.nl_pid == 0 else { return [] }
        return NetlinkMessage.read(UnsafeRawBufferPointer(rebasing: loop.scratch[..<count]))
            .compactMap { table.take($0) }
    }

    func turnEnds() {}

    func loopStopped() {
        descriptor = -1
    }
}

#endif
