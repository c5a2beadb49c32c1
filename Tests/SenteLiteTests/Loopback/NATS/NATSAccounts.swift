// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteWire

/// An operator, an account and a user of NATS, made anew with the `openssl` command: their names are keys, and what they
/// may is said by JWTs that the one above signs (docs.nats.io, *JWT*).
struct NATSAccounts {
    private struct Failure: Error {
        let words: String
    }

    /// A key pair, and the name that its public half is.
    private struct Key {
        let file: String
        let name: String
    }

    private let folder: URL
    private let head: Key
    private let account: Key
    private let user: Key

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("accounts-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // The first byte makes the name begin with O, A or U.
        head = try Self.key("head", 14 << 3, in: folder)
        account = try Self.key("account", 0, in: folder)
        user = try Self.key("user", 20 << 3, in: folder)
    }

    func remove() {
        try? FileManager.default.removeItem(at: folder)
    }

    /// For the configuration of a server.
    func lines() throws -> String {
        let unlimited: Value = [
            "subs": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1,
            "wildcards": true,
        ]
        let root = try token(of: head, by: head, ["type": "operator", "version": 2])
        let accounts = try token(
            of: account, by: head, ["type": "account", "version": 2, "limits": unlimited])
        return """
            operator: \(root)
            resolver: MEMORY
            resolver_preload: { \(account.name): \(accounts) }
            """
    }

    /// The JWT of the user; a bearer needs no signature.
    func token(isBearer: Bool, expiringIn time: TimeInterval? = nil) throws -> String {
        var rights: ValueMap = [
            "type": "user", "version": 2, "pub": [:], "sub": [:], "subs": -1, "data": -1, "payload": -1,
        ]
        if isBearer { rights["bearer_token"] = true }
        return try token(of: user, by: account, .map(rights), expiringIn: time)
    }

    /// By the user's key; by another's where that is wrong.
    func signature(of bytes: [UInt8], isWrong: Bool = false) throws -> [UInt8] {
        try signature(of: bytes, by: isWrong ? account : user)
    }

    // MARK: Making them

    private func token(
        of subject: Key, by issuer: Key, _ rights: Value, expiringIn time: TimeInterval? = nil
    ) throws -> String {
        let now = Date().timeIntervalSince1970
        var claims: ValueMap = [
            "jti": Value(UUID().uuidString), "iat": Value(Int(now)), "iss": Value(issuer.name),
            "name": "test", "sub": Value(subject.name), "nats": rights,
        ]
        if let time { claims["exp"] = Value(Int(now + time)) }
        let header = try WireFormat.json.encode(["typ": "JWT", "alg": "ed25519-nkey"])
        let said = Self.base64(header) + "." + Self.base64(try WireFormat.json.encode(.map(claims)))
        return said + "." + Self.base64(try signature(of: Array(said.utf8), by: issuer))
    }

    private func signature(of bytes: [UInt8], by key: Key) throws -> [UInt8] {
        let name = UUID().uuidString
        try Data(bytes).write(to: folder.appendingPathComponent(name))
        try Self.openssl("pkeyutl -sign -inkey \(key.file) -rawin -in \(name) -out \(name).sig", in: folder)
        return Array(try Data(contentsOf: folder.appendingPathComponent("\(name).sig")))
    }

    private static func key(_ name: String, _ prefix: UInt8, in folder: URL) throws -> Key {
        try openssl("genpkey -algorithm ed25519 -out \(name).pem", in: folder)
        try openssl("pkey -in \(name).pem -pubout -outform DER -out \(name).der", in: folder)
        let der = try Data(contentsOf: folder.appendingPathComponent("\(name).der"))
        let bytes = [prefix] + der.suffix(32)
        let sum = checksum(bytes)
        return Key(
            file: "\(name).pem", name: base32(bytes + [UInt8(sum & 0xFF), UInt8(sum >> 8)]))
    }

    /// CRC-16 of XMODEM.
    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        bytes.reduce(0) { sum, byte in
            (0..<8).reduce(sum ^ UInt16(byte) << 8) { sum, _ in
                sum & 0x8000 == 0 ? sum << 1 : sum << 1 ^ 0x1021
            }
        }
    }

    /// RFC 4648 §6, without padding.
    private static func base32(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        let bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
        return String(
            stride(from: 0, to: bits.count, by: 5).map { start in
                digits[(0..<5).reduce(0) { $0 << 1 | Int(start + $1 < bits.count ? bits[start + $1] : 0) }]
            })
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    private static func openssl(_ words: String, in folder: URL) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + words.split(separator: " ").map(String.init)
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(words: words) }
    }
}
