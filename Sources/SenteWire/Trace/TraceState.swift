// SPDX-License-Identifier: Apache-2.0

/// What a `tracestate` may be (W3C Trace Context, §3.3): members `key=value` between commas, with blanks around them.
enum TraceState {
    private static let maximumMembers = 32
    private static let comma = UInt8(ascii: ",")

    /// Whether it may be handed on; one that may not is dropped as a whole (§3.3.1.5).
    static func isValid(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            let members = bytes.split(separator: comma, omittingEmptySubsequences: false).map(trimmed)
            let given = members.filter { !$0.isEmpty }
            return !given.isEmpty && members.count <= maximumMembers && given.allSatisfy(isMember)
        }
    }

    private typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

    private static func trimmed(_ bytes: Bytes) -> Bytes {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return bytes.prefix(0) }
        return bytes[first...last]
    }

    private static func isMember(_ member: Bytes) -> Bool {
        guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else { return false }
        return isKey(member[..<equals]) && isValue(member[(equals + 1)...])
    }

    /// A name, or a tenant's within a system: `name`, `tenant@system`.
    private static func isKey(_ key: Bytes) -> Bool {
        guard let at = key.firstIndex(of: UInt8(ascii: "@")) else { return isName(key, atMost: 256) }
        let (tenant, system) = (key[..<at], key[(at + 1)...])
        let beginsWithDigit = tenant.first.map(isDigit) ?? false
        return isName(system, atMost: 14)
            && (beginsWithDigit
                ? tenant.count <= 241 && tenant.allSatisfy(isNameByte) : isName(tenant, atMost: 241))
    }

    private static func isName(_ name: Bytes, atMost count: Int) -> Bool {
        guard let first = name.first, isLetter(first) else { return false }
        return name.count <= count && name.allSatisfy(isNameByte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || "_-*/".utf8.contains(byte)
    }

    private static func isValue(_ value: Bytes) -> Bool {
        (1...256).contains(value.count)
            && value.allSatisfy { (0x20...0x7E).contains($0) && $0 != comma && $0 != UInt8(ascii: "=") }
    }
}
