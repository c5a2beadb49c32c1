// SPDX-License-Identifier: Apache-2.0

extension EndpointList {
    /// The URL of a place, `host:port`, spelled as another of the same server's; nil for what is no place, or cannot be
    /// trusted to be one.
    ///
    /// Certificates are for names: with `wss:` an address proves nothing.
    package static func url(of place: String, like url: String) -> String? {
        guard let colon = place.utf8.lastIndex(of: UInt8(ascii: ":")), colon > place.startIndex,
            let port = UInt16(place[colon...].dropFirst()), port > 0,
            let start = url.firstRange(of: "://")?.upperBound
        else { return nil }
        let host = place[..<colon]
        let isAddress =
            host.hasPrefix("[") || host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || $0 & 0xF0 == 0x30 }
        guard host.utf8.allSatisfy(\.isOfHost), !(isAddress && url.lowercased().hasPrefix("wss:")) else {
            return nil
        }
        let rest = url[start...].drop { !"/?#".contains($0) }
        return "\(url[..<start])\(place)\(rest)"
    }
}

extension UInt8 {
    /// Letters, digits, and what stands in names and addresses.
    fileprivate var isOfHost: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: ".-_[]:".utf8.contains(self)
        }
    }
}
