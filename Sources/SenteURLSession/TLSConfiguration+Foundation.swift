// SPDX-License-Identifier: Apache-2.0

package import Foundation
package import SenteBase
import SenteTransport

extension TLSConfiguration {
    /// Refuses what Foundation cannot be told, by the setting's name.
    func checkForURLSession() throws(LinkFailure) {
        if identity != nil {
            throw LinkFailure(
                .misconfigured,
                "`tls.identity` cannot be given to Foundation, which knows keychains and not PEM.")
        }
        #if !canImport(Security)
        if self != TLSConfiguration() {
            throw LinkFailure(
                .misconfigured,
                "`tls` cannot be told to Foundation on this system, where `SSL_CERT_FILE` alone counts: use the sockets."
            )
        }
        #endif
    }
}

extension TLSConfiguration.PEM {
    /// The certificates in DER, at least one.
    package func certificates(_ setting: String) throws(LinkFailure) -> [Data] {
        let bytes = try bytes(setting)
        var found: [Data] = []
        var lines: [Substring]?
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            switch line.trimmingCharacters(in: .whitespaces) {
            case "-----BEGIN CERTIFICATE-----": lines = []
            case "-----END CERTIFICATE-----":
                // Nothing that is no certificate has a key in it.
                guard let text = lines?.joined(),
                    let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters),
                    SubjectPublicKeyInfo.bytes(in: Array(data)) != nil
                else { throw Self.none(setting, "a damaged certificate") }
                found.append(data)
                lines = nil
            default: lines?.append(line)
            }
        }
        guard lines == nil else { throw Self.none(setting, "a damaged certificate") }
        guard !found.isEmpty else { throw Self.none(setting, "no certificate") }
        return found
    }

    private static func none(_ setting: String, _ what: String) -> LinkFailure {
        LinkFailure(
            .misconfigured, "`\(setting)` holds \(what): give PEM text with -----BEGIN CERTIFICATE-----.")
    }
}
