// SPDX-License-Identifier: Apache-2.0

extension Dialer {
    /// A place to connect to.
    package enum Address: Hashable, Sendable {
        /// The address in the order of its bytes on the wire, read as big-endian.
        case v4(UInt32, port: UInt16)
        /// The address likewise, in two halves; the scope is that of a link-local address, else 0.
        case v6(UInt64, UInt64, port: UInt16, scope: UInt32)

        package var family: Family {
            switch self {
            case .v4: .v4
            case .v6: .v6
            }
        }
    }

    /// A kind of address, looked up by itself.
    package enum Family: Hashable, Sendable, CaseIterable {
        case v6
        case v4

        var other: Family { self == .v4 ? .v6 : .v4 }
    }
}

extension Dialer.Address: CustomStringConvertible {
    /// The address as it stands in a URL: "127.0.0.1:80", "[::1]:80".
    package var description: String {
        switch self {
        case .v4(let bits, let port):
            return [24, 16, 8, 0].map { String(bits >> $0 & 255) }.joined(separator: ".") + ":\(port)"
        case .v6(let high, let low, let port, let scope):
            let groups = [high, low].flatMap { half in
                [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> $0) }
            }
            return "[\(Self.text(of: groups))\(scope == 0 ? "" : "%\(scope)")]:\(port)"
        }
    }

    /// RFC 5952: lower case, no leading zeros, the longest run of two zero groups or more as "::".
    private static func text(of groups: [UInt16]) -> String {
        var best = 0..<0
        var start: Int?
        for index in 0...groups.count {
            if index < groups.count, groups[index] == 0 {
                start = start ?? index
            } else if let from = start {
                if index - from > max(best.count, 1) { best = from..<index }
                start = nil
            }
        }
        func joined(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !best.isEmpty else { return joined(groups[...]) }
        return joined(groups[..<best.lowerBound]) + "::" + joined(groups[best.upperBound...])
    }
}

extension Dialer.Address {
    /// Reads an address as a URL has it, an IPv6 address without its brackets ("127.0.0.1", "::1"); nil for a name.
    package init?(literal text: String, port: UInt16) {
        if let bits = Self.v4(text.utf8[...]) {
            self = .v4(bits, port: port)
        } else if let (high, low) = Self.v6(text) {
            self = .v6(high, low, port: port, scope: 0)
        } else {
            return nil
        }
    }

    /// Where a host is that nobody needs to be asked about: an address, or a name of this machine, which is never looked
    /// up (RFC 6761 §6.3); nil for all other names.
    package static func known(_ host: String, port: UInt16) -> [Dialer.Address]? {
        if let address = Dialer.Address(literal: host, port: port) { return [address] }
        let labels = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        // The root's dot may end a name.
        let last = labels.last?.isEmpty == true ? labels.dropLast().last : labels.last
        guard let last, String(Substring(last)).lowercased() == "localhost" else { return nil }
        return [.v6(0, 1, port: port, scope: 0), .v4(0x7F00_0001, port: port)]
    }

    /// Four decimal numbers without leading zeros, which some would read as octal (RFC 6943 §3.1.1).
    private static func v4(_ text: Substring.UTF8View) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }),
                part.count == 1 || part.first != 0x30, let byte = UInt8(Substring(part))
            else { return nil }
            bits = bits << 8 | UInt32(byte)
        }
        return bits
    }

    /// RFC 4291 §2.2: eight groups, "::" for a run of zeros, the last two perhaps an IPv4 address.
    private static func v6(_ text: String) -> (UInt64, UInt64)? {
        guard text.utf8.count <= 45 else { return nil }
        let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2, let front = groups(halves[0], isLast: halves.count == 1),
            let back = halves.count == 2 ? groups(halves[1], isLast: true) : []
        else { return nil }
        let zeros = 8 - front.count - back.count
        guard halves.count == 2 ? zeros >= 1 : zeros == 0 else { return nil }
        let all = front + Array(repeating: 0, count: zeros) + back
        return (all[..<4].reduce(0) { $0 << 16 | UInt64($1) }, all[4...].reduce(0) { $0 << 16 | UInt64($1) })
    }

    private static func groups(_ text: Substring, isLast: Bool) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count <= 8 else { return nil }
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if isLast, index == parts.count - 1, let bits = v4(part) {
                groups += [UInt16(bits >> 16), UInt16(bits & 0xFFFF)]
                continue
            }
            guard (1...4).contains(part.count),
                part.allSatisfy({ "0123456789abcdefABCDEF".utf8.contains($0) }),
                let group = UInt16(Substring(part), radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups
    }
}
