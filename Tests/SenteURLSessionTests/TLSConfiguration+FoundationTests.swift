// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteTestSupport
import SenteURLSession
import Testing

@Suite("Certificates for Foundation")
struct TLSConfigurationFoundationTests {
    private static func problem(_ pem: TLSConfiguration.PEM) -> String? {
        do throws(LinkFailure) {
            _ = try pem.certificates("tls.roots")
            return nil
        } catch {
            #expect(error.kind == .misconfigured)
            return error.message
        }
    }

    /// The public key of a certificate, as the command writes it.
    private static func key(_ pem: TLSConfiguration.PEM) throws -> [UInt8] {
        guard case .file(let path) = pem else { return [] }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "openssl x509 -in \(path) -pubkey -noout | openssl pkey -pubin -outform DER",
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Array(bytes)
    }

    @Test(
        "A certificate's public key is found, as OpenSSL finds it",
        .enabled(if: Certificates.problem == nil, "openssl is needed"))
    func keys() throws {
        let made = try Certificates.made.get()
        for pem in [
            made.authority, made.server.certificate, made.selfSigned.certificate, made.expired.certificate,
        ] {
            let certificate = try #require(try pem.certificates("tls.roots").first)
            let key = try #require(SubjectPublicKeyInfo.bytes(in: Array(certificate)))
            #expect(try Array(key) == Self.key(pem))
        }
    }

    @Test(
        "PEM gives all its certificates, whatever stands between them, from a file or as text",
        .enabled(if: Certificates.problem == nil, "openssl is needed"))
    func pem() throws {
        let made = try Certificates.made.get()
        let one = try made.bytes(made.authority)
        let two = try made.bytes(made.strangersAuthority)
        let all = Array("Subject: one\r\n".utf8) + one + Array("\n\n# another\n".utf8) + two
        let found = try TLSConfiguration.PEM.bytes(all).certificates("tls.roots")
        #expect(found.count == 2)
        #expect(try made.authority.certificates("tls.roots") == [found[0]])
        #expect(try made.strangersAuthority.certificates("tls.roots") == [found[1]])
        let cut = Array(one.prefix(one.count / 2))
        #expect(Self.problem(.bytes(cut))?.contains("damaged") == true)
        #expect(Self.problem(.bytes(one + cut))?.contains("damaged") == true)
        #expect(Self.problem(made.server.key)?.contains("no certificate") == true)
    }

    @Test("What holds no certificate says so, and names the setting")
    func none() {
        #expect(Self.problem(.bytes([]))?.contains("`tls.roots` holds no certificate") == true)
        #expect(Self.problem(.bytes([255, 0, 10]))?.contains("no certificate") == true)
        #expect(Self.problem(.file("/nowhere/at-all.pem"))?.contains("/nowhere/at-all.pem") == true)
        for body in ["", "AAAA", "MIIB!", "MAA="] {
            let text = "-----BEGIN CERTIFICATE-----\n\(body)\n-----END CERTIFICATE-----\n"
            #expect(Self.problem(.bytes(Array(text.utf8)))?.contains("damaged") == true)
        }
        #expect(Self.problem(.bytes(Array("-----END CERTIFICATE-----".utf8)))?.contains("damaged") == true)
    }

    @Test(
        "A certificate cut or changed anywhere gives a key or none, and never stops the program",
        .enabled(if: Certificates.problem == nil, "openssl is needed"))
    func damage() throws {
        let certificate = Array(try #require(try Certificates.made.get().authority.certificates("").first))
        var random = Generator(seed: 3)
        for count in certificate.indices {
            #expect(SubjectPublicKeyInfo.bytes(in: Array(certificate.prefix(count))) == nil)
        }
        for _ in 0..<20_000 {
            var bytes = certificate
            for _ in 0...Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
            }
            if let key = SubjectPublicKeyInfo.bytes(in: bytes) { #expect(key.count < bytes.count) }
        }
    }
}
