// SPDX-License-Identifier: Apache-2.0

import Foundation
package import SenteBase

/// Certificates of every kind a test needs, right and wrong, made anew for each process with the `openssl` command.
package struct Certificates: Sendable {
    /// One certificate and its key.
    package struct Pair: Sendable {
        package let certificate: TLSConfiguration.PEM
        package let key: TLSConfiguration.PEM
    }

    /// The certificates, or why there are none.
    package static let made: Result<Certificates, Missing> = {
        do {
            return .success(try Certificates())
        } catch {
            return .failure(Missing(description: "no certificates could be made with openssl: \(error)"))
        }
    }()

    /// Why no certificates are there; nil when they are.
    package static var problem: String? {
        if case .failure(let missing) = made { missing.description } else { nil }
    }

    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    private static let names = "DNS:localhost,DNS:*.example.test,IP:127.0.0.1,IP:::1"
    private let folder: String

    private init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("certificates-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        folder = url.path
        Self.removed.folder = folder
        atexit { try? FileManager.default.removeItem(atPath: Certificates.removed.folder) }
        try Self.configuration.write(
            toFile: "\(folder)/ca.cnf", atomically: true, encoding: .utf8)
        try Data().write(to: URL(fileURLWithPath: "\(folder)/index.txt"))
        try makeAuthority("ca")
        try makeAuthority("stranger-ca")
        try make("server", by: "ca")
        try make("localhost", by: "ca", names: nil)
        try make("elsewhere", by: "ca", names: "DNS:elsewhere.example,IP:127.9.9.9")
        try make("expired", by: "ca", from: "20200101000000Z", until: "20200201000000Z")
        try make("future", by: "ca", from: "20450101000000Z", until: "20450201000000Z")
        try make("stranger", by: "stranger-ca")
        try make("client", by: "ca", usage: "clientAuth")
        try make("stranger-client", by: "stranger-ca", usage: "clientAuth")
        try openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout self.key -out self.pem "
                + "-days 30 -subj /CN=self -addext subjectAltName=\(Self.names)")
        try openssl("ec -in client.key -aes128 -passout pass:secret -out client-locked.key")
    }

    /// The only one that changes: written once, before anyone reads it.
    private final class Removed: @unchecked Sendable {
        var folder = ""
    }
    private static let removed = Removed()

    // MARK: What there is

    /// The authority of all but the strangers.
    package var authority: TLSConfiguration.PEM { file("ca.pem") }
    package var authorityPath: String { "\(folder)/ca.pem" }
    package var strangersAuthority: TLSConfiguration.PEM { file("stranger-ca.pem") }
    /// For localhost, *.example.test, 127.0.0.1 and ::1.
    package var server: Pair { pair("server") }
    /// For localhost, as the subject's common name alone.
    package var nameless: Pair { pair("localhost") }
    package var elsewhere: Pair { pair("elsewhere") }
    package var expired: Pair { pair("expired") }
    package var future: Pair { pair("future") }
    package var selfSigned: Pair { pair("self") }
    package var stranger: Pair { pair("stranger") }
    package var client: Pair { pair("client") }
    package var strangersClient: Pair { pair("stranger-client") }
    /// The client's key, encrypted with “secret”.
    package var lockedClientKey: TLSConfiguration.PEM { file("client-locked.key") }

    /// The SHA-256 of the public key of a certificate in base64, as the command computes it.
    package func pin(_ certificate: TLSConfiguration.PEM) throws -> String {
        guard case .file(let path) = certificate else { return "" }
        // Tests run side by side.
        let name = "key-\(UUID())"
        try openssl("x509 -in \(path) -pubkey -noout -out \(name).pub")
        try openssl("pkey -pubin -in \(name).pub -outform DER -out \(name).der")
        try openssl("dgst -sha256 -binary -out \(name).sha \(name).der")
        return try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).sha")).base64EncodedString()
    }

    /// A folder that holds the authority as OpenSSL looks it up, under the hash of its name.
    package func folderOfAuthority() throws -> String {
        let folder = "\(self.folder)/authorities"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try openssl("x509 -in ca.pem -out authorities/ca.pem")
        try openssl("rehash authorities")
        return folder
    }

    /// The bytes of a file.
    package func bytes(_ source: TLSConfiguration.PEM) throws -> [UInt8] {
        switch source {
        case .bytes(let bytes): bytes
        case .file(let path): Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        }
    }

    private func pair(_ name: String) -> Pair {
        Pair(certificate: file("\(name).pem"), key: file("\(name).key"))
    }

    private func file(_ name: String) -> TLSConfiguration.PEM {
        .file("\(folder)/\(name)")
    }

    // MARK: Making them

    private static let configuration = """
        [ca]
        default_ca = one
        [one]
        database = index.txt
        new_certs_dir = .
        rand_serial = yes
        default_md = sha256
        policy = any
        unique_subject = no
        [any]
        commonName = supplied
        """

    private func makeAuthority(_ name: String) throws {
        try openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout \(name).key "
                + "-out \(name).pem -days 30 -subj /CN=\(name)")
    }

    private func make(
        _ name: String, by authority: String, names: String? = names, usage: String = "serverAuth",
        from: String = "20200101000000Z", until: String = "20491231000000Z"
    ) throws {
        let names = names.map { "subjectAltName=\($0)\n" } ?? ""
        try "\(names)extendedKeyUsage=\(usage)\n".write(
            toFile: "\(folder)/\(name).ext", atomically: true, encoding: .utf8)
        try openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout \(name).key -out \(name).csr "
                + "-subj /CN=\(name)")
        try openssl(
            "ca -batch -config ca.cnf -cert \(authority).pem -keyfile \(authority).key -in \(name).csr "
                + "-out \(name).pem -notext -extfile \(name).ext -startdate \(from) -enddate \(until)")
    }

    private func openssl(_ words: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + words.split(separator: " ").map(String.init)
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let said = Pipe()
        process.standardError = said
        try process.run()
        let text = said.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Missing(
                description: "openssl \(words): \(String(decoding: text, as: UTF8.self).suffix(300))")
        }
    }
}
