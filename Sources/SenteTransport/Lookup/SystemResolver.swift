// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// The system's resolver.
///
/// It blocks.
enum SystemResolver {
    static func resolve(_ host: String, _ port: UInt16, _ family: Dialer.Family) -> NameLookup.Answer {
        var hints = addrinfo()
        hints.ai_family = family == .v4 ? AF_INET : AF_INET6
        hints.ai_socktype = Platform.streamSocket
        // The service by number only: no look into a table of services.
        hints.ai_flags = Int32(AI_NUMERICSERV)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0 else { return .failure(failure(code, errno, host)) }
        var addresses: [Dialer.Address] = []
        var entry = list
        while let info = entry?.pointee {
            if let pointer = info.ai_addr, let address = Dialer.Address(pointer, length: info.ai_addrlen) {
                addresses.append(address)
            }
            entry = info.ai_next
        }
        guard !addresses.isEmpty else {
            return .failure(LinkFailure(.nameNotFound, "The name \(host) has no address."))
        }
        return .success(addresses)
    }

    private static func failure(_ code: Int32, _ systemCode: Int32, _ host: String) -> LinkFailure {
        let action = "Looking up the name \(host)"
        if code == EAI_SYSTEM { return Platform.failure(systemCode, action) }
        if code == EAI_MEMORY { return Platform.failure(ENOMEM, action) }
        do throws(LinkFailure) {
            // Without descriptors it reads no file and asks no server, and says that there is no such name.
            try Platform.needDescriptor(for: action)
        } catch {
            return error
        }
        let text = String(cString: gai_strerror(code))
        return LinkFailure(.nameNotFound, "Looking up the name \(host) failed: \(text).")
    }
}
