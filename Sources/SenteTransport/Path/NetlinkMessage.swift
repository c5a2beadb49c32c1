// SPDX-License-Identifier: Apache-2.0

/// What one message of the kernel's routing socket says, as far as it can matter to a connection (rtnetlink(7)).
package enum NetlinkMessage: Hashable, Sendable {
    /// An interface: `isRunning` when it is up and has a carrier.
    case link(index: Int32, isRunning: Bool, isNew: Bool)
    case linkGone(index: Int32)
    /// An address that other machines can reach.
    case address(Address)
    case addressGone(Address)
    /// A way to everywhere.
    case defaultRoute(Route)
    case defaultRouteGone(Route)

    package struct Address: Hashable, Sendable {
        package var interface: UInt32
        package var bytes: [UInt8]

        package init(interface: UInt32, bytes: [UInt8]) {
            self.interface = interface
            self.bytes = bytes
        }
    }

    package struct Route: Hashable, Sendable {
        package var family: UInt8
        package var interface: UInt32?
        package var gateway: [UInt8]
        package var priority: UInt32?

        package init(family: UInt8, interface: UInt32?, gateway: [UInt8] = [], priority: UInt32? = nil) {
            self.family = family
            self.interface = interface
            self.gateway = gateway
            self.priority = priority
        }
    }

    /// Reads what one datagram holds, up to the first thing that is malformed.
    package static func read(_ datagram: UnsafeRawBufferPointer) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var rest = NetlinkBytes(datagram)
        while let (type, body) = rest.nextMessage() {
            if let message = NetlinkMessage(type, body) { messages.append(message) }
        }
        return messages
    }

    private init?(_ type: UInt16, _ body: NetlinkBytes) {
        switch type {
        case Number.newLink: self.init(link: body, isGone: false)
        case Number.linkGone: self.init(link: body, isGone: true)
        case Number.newAddress: self.init(address: body, isGone: false)
        case Number.addressGone: self.init(address: body, isGone: true)
        case Number.newRoute: self.init(route: body, isGone: false)
        case Number.routeGone: self.init(route: body, isGone: true)
        default: return nil
        }
    }

    /// `struct ifinfomsg`: family, padding, type, index, flags, changed flags.
    private init?(link body: NetlinkBytes, isGone: Bool) {
        // A bridge speaks of its ports in a family of its own; "gone" means there that one has left the bridge.
        guard let family = body.byte(at: 0), family == 0, let index = body.word(at: 4),
            let flags = body.word(at: 8), let changed = body.word(at: 12), flags & Number.loopback == 0
        else { return nil }
        // A port of a bridge or a bond carries nothing of its own: what it belongs to does, and has its say.
        if body.attributes(from: 16).contains(where: { $0.type == Number.master }) { return nil }
        let number = Int32(bitPattern: index)
        let running = flags & Number.upAndRunning == Number.upAndRunning
        self =
            isGone
            ? .linkGone(index: number) : .link(index: number, isRunning: running, isNew: changed == .max)
    }

    /// `struct ifaddrmsg`: family, prefix, flags, scope, interface.
    private init?(address body: NetlinkBytes, isGone: Bool) {
        guard var flags = body.byte(at: 2).map(UInt32.init), let scope = body.byte(at: 3),
            let interface = body.word(at: 4), scope == Number.everywhere
        else { return nil }
        var bytes: [UInt8] = []
        for attribute in body.attributes(from: 8) {
            switch attribute.type {
            // Of a link between two points IFA_ADDRESS is the other one's.
            case Number.localAddress: bytes = attribute.value.bytes
            case Number.address: if bytes.isEmpty { bytes = attribute.value.bytes }
            case Number.addressFlags: flags = attribute.value.word(at: 0) ?? flags
            default: break
            }
        }
        // Not usable before the kernel has made sure that nobody else has it (RFC 4862 §5.4).
        guard !bytes.isEmpty, flags & Number.tentative == 0 else { return nil }
        let address = Address(interface: interface, bytes: bytes)
        self = isGone ? .addressGone(address) : .address(address)
    }

    /// `struct rtmsg`: family, destination's length, source's length, TOS, table, protocol, scope, type, flags.
    private init?(route body: NetlinkBytes, isGone: Bool) {
        guard let family = body.byte(at: 0), body.byte(at: 1) == 0, body.byte(at: 2) == 0,
            body.byte(at: 4) == Number.mainTable, body.byte(at: 7) == Number.unicast,
            let flags = body.word(at: 8), flags & Number.cloned == 0
        else { return nil }
        var route = Route(family: family, interface: nil)
        for attribute in body.attributes(from: 12) {
            switch attribute.type {
            case Number.interface: route.interface = attribute.value.word(at: 0)
            case Number.gateway: route.gateway = attribute.value.bytes
            case Number.priority: route.priority = attribute.value.word(at: 0)
            default: break
            }
        }
        self = isGone ? .defaultRouteGone(route) : .defaultRoute(route)
    }

    /// The names in linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h and linux/if.h stand beside them.
    private enum Number {
        static let newLink: UInt16 = 16  // RTM_NEWLINK
        static let linkGone: UInt16 = 17  // RTM_DELLINK
        static let newAddress: UInt16 = 20  // RTM_NEWADDR
        static let addressGone: UInt16 = 21  // RTM_DELADDR
        static let newRoute: UInt16 = 24  // RTM_NEWROUTE
        static let routeGone: UInt16 = 25  // RTM_DELROUTE

        static let loopback: UInt32 = 0x8  // IFF_LOOPBACK
        static let upAndRunning: UInt32 = 0x41  // IFF_UP | IFF_RUNNING
        static let master: UInt16 = 10  // IFLA_MASTER

        static let everywhere: UInt8 = 0  // RT_SCOPE_UNIVERSE
        static let tentative: UInt32 = 0x40  // IFA_F_TENTATIVE
        static let address: UInt16 = 1  // IFA_ADDRESS
        static let localAddress: UInt16 = 2  // IFA_LOCAL
        static let addressFlags: UInt16 = 8  // IFA_FLAGS

        static let mainTable: UInt8 = 254  // RT_TABLE_MAIN
        static let unicast: UInt8 = 1  // RTN_UNICAST
        static let cloned: UInt32 = 0x200  // RTM_F_CLONED
        static let interface: UInt16 = 4  // RTA_OIF
        static let gateway: UInt16 = 5  // RTA_GATEWAY
        static let priority: UInt16 = 6  // RTA_PRIORITY
    }
}

/// Bytes of the kernel's, in this machine's order, read without trust in any length.
struct NetlinkBytes {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    var bytes: [UInt8] { Array(rest) }

    func byte(at offset: Int) -> UInt8? {
        offset < rest.count ? rest[offset] : nil
    }

    func word(at offset: Int) -> UInt32? {
        offset + 4 <= rest.count ? rest.loadUnaligned(fromByteOffset: offset, as: UInt32.self) : nil
    }

    private func half(at offset: Int) -> UInt16? {
        offset + 2 <= rest.count ? rest.loadUnaligned(fromByteOffset: offset, as: UInt16.self) : nil
    }

    /// `struct nlmsghdr`: length with the header, type, flags, sequence, sender.
    mutating func nextMessage() -> (type: UInt16, body: NetlinkBytes)? {
        guard let length = word(at: 0).map(Int.init), length >= 16, length <= rest.count,
            let type = half(at: 4)
        else { return nil }
        return (type, take(length, header: 16))
    }

    /// Those that stand from `offset` on, up to the first that is malformed.
    func attributes(from offset: Int) -> [(type: UInt16, value: NetlinkBytes)] {
        guard offset <= rest.count else { return [] }
        var left = NetlinkBytes(UnsafeRawBufferPointer(rebasing: rest[offset...]))
        var attributes: [(type: UInt16, value: NetlinkBytes)] = []
        // `struct rtattr`: length with the header, type. The two highest bits of the type are flags.
        while let length = left.half(at: 0).map(Int.init), length >= 4, length <= left.rest.count,
            let type = left.half(at: 2)
        {
            attributes.append((type & 0x3FFF, left.take(length, header: 4)))
        }
        return attributes
    }

    /// Cuts off so many bytes, and what fills them up to a multiple of four.
    private mutating func take(_ length: Int, header: Int) -> NetlinkBytes {
        let body = NetlinkBytes(UnsafeRawBufferPointer(rebasing: rest[header..<length]))
        rest = UnsafeRawBufferPointer(rebasing: rest[min(rest.count, (length + 3) & ~3)...])
        return body
    }
}
