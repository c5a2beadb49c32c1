// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Tells news from repetition.
///
/// The kernel repeats what it said: an IPv6 router renews its addresses every few seconds or minutes, a wireless interface
/// reports each scan. What was there before the table was begun counts as news when it is first heard of.
package struct NetlinkTable: Sendable {
    /// More than this is forgotten, so that a machine full of containers costs no memory; then things are heard of anew.
    package static let limit = 1_024

    private var links: [Int32: Bool] = [:]
    private var addresses: Set<NetlinkMessage.Address> = []
    private var routes: Set<NetlinkMessage.Route> = []

    package init() {}

    /// What a message means for connections; nil when nothing.
    package mutating func take(_ message: NetlinkMessage) -> NetworkChange? {
        switch message {
        case .link(let index, let isRunning, let isNew):
            if links.count >= Self.limit { links = [:] }
            // One that was just made and is not up yet changes nothing.
            let was = links.updateValue(isRunning, forKey: index) ?? (isNew ? false : !isRunning)
            guard was != isRunning else { return nil }
            return isRunning ? .available : .lost
        case .linkGone(let index):
            return links.removeValue(forKey: index) == false ? nil : .lost
        case .address(let address):
            if addresses.count >= Self.limit { addresses = [] }
            return addresses.insert(address).inserted ? .available : nil
        case .addressGone(let address):
            addresses.remove(address)
            return .lost
        case .defaultRoute(let route):
            if routes.count >= Self.limit { routes = [] }
            return routes.insert(route).inserted ? .available : nil
        case .defaultRouteGone(let route):
            routes.remove(route)
            return .lost
        }
    }
}
