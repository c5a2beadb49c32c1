// SPDX-License-Identifier: Apache-2.0

package import SenteLite

/// How a server is reached: options that the samples have in common.
extension Option {
    package typealias Place = WritableKeyPath<Settings, SenteClient.Configuration>

    /// All of them.
    package static func network(_ place: Place) -> [Option] {
        endpoints(place) + identity(place) + way(place) + compression(place) + flow(place)
    }

    private static func endpoints(_ place: Place) -> [Option] {
        [
            .option("endpoint", "URL", "another URL of the same server, tried after the others; repeatable") {
                $0[keyPath: place].endpoints.append($1)
            },
            .flag("shuffle-endpoints", "tries the URLs in any order") {
                $0[keyPath: place].endpointOrder = .shuffled
            },
            .option("parameter", "NAME=VALUE", "added to the URL's query; repeatable") {
                (settings, text) throws(UsageError) in
                let pair = try Reading.pair(text)
                settings[keyPath: place].parameters[pair.name] = pair.value
            },
            .option("param", "NAME=VALUE", "the same") { (settings, text) throws(UsageError) in
                let pair = try Reading.pair(text)
                settings[keyPath: place].parameters[pair.name] = pair.value
            },
        ]
    }

    /// Who is there.
    package static func identity(_ place: Place) -> [Option] {
        [
            .option("header", "NAME=VALUE", "sent with the opening handshake; repeatable") {
                (settings, text) throws(UsageError) in
                let pair = try Reading.pair(text)
                settings[keyPath: place].headers[pair.name] = pair.value
            },
            .option("cookie", "NAME=VALUE", "sent as the header Cookie; repeatable") {
                (settings, text) throws(UsageError) in
                let pair = try Reading.pair(text)
                settings[keyPath: place].cookies[pair.name] = pair.value
            },
            .option("token", "TEXT", "sent as Authorization: Bearer TEXT") { settings, text in
                settings[keyPath: place].tokenProvider = { _ in text }
            },
        ]
    }

    /// Proxies and TLS.
    package static func way(_ place: Place) -> [Option] {
        [
            .option("proxy", "URL|none", "http:// or socks5://, login included (what the environment says)") {
                settings, text in
                settings[keyPath: place].proxy = text == "none" ? .none : .url(text)
            },
            .option("ca", "FILE", "for wss:, authorities to trust instead of the system's, in PEM") {
                $0[keyPath: place].tls.roots = .only(.file($1))
            },
            .option("pin", "BASE64", "SHA-256 of a public key the server must have; repeatable") {
                $0[keyPath: place].tls.pinnedKeys.append($1)
            },
            .option("cert", "FILE", "the client's certificate, in PEM") {
                let key = $0[keyPath: place].tls.identity?.key ?? .file($1)
                $0[keyPath: place].tls.identity = .init(certificates: .file($1), key: key)
            },
            .option("key", "FILE", "… and its key, unless it is in the same file") {
                let certificates = $0[keyPath: place].tls.identity?.certificates ?? .file($1)
                $0[keyPath: place].tls.identity = .init(certificates: certificates, key: .file($1))
            },
            .flag("dangerously-trust-anyone", "takes any certificate: everyone on the way can read and forge")
            {
                $0[keyPath: place].tls.verification = .dangerouslyDisabled
            },
        ]
    }

    package static func compression(_ place: Place) -> [Option] {
        [
            .flag("no-compression", "offers none") { $0[keyPath: place].compression = nil },
            .option("compression-level", "N", "1 (fastest) to 9 (smallest) (6)") {
                (settings, text) throws(UsageError) in
                settings[keyPath: place].compression?.level = try Reading.count(text, 1...9)
            },
            .option("compression-threshold", "BYTES", "shorter messages go as they are (256)") {
                (settings, text) throws(UsageError) in
                settings[keyPath: place].compression?.threshold = try Reading.count(text)
            },
            .option("outgoing-window", "BITS", "how far back a message may refer, 9 to 15 (15)") {
                (settings, text) throws(UsageError) in
                settings[keyPath: place].compression?.outgoingWindowBits = try Reading.count(text, 9...15)
            },
            .option("incoming-window", "BITS", "… and one of the server's; it must agree (15)") {
                (settings, text) throws(UsageError) in
                settings[keyPath: place].compression?.incomingWindowBits = try Reading.count(text, 9...15)
            },
            .flag("forget-outgoing", "no message refers to an earlier one") {
                $0[keyPath: place].compression?.keepsOutgoingContext = false
            },
            .flag("forget-incoming", "… and none of the server's; it must agree") {
                $0[keyPath: place].compression?.keepsIncomingContext = false
            },
        ]
    }
}
