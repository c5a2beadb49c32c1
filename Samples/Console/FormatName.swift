// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// The wire formats by the names they have on the command line.
enum FormatName: String, CaseIterable {
    case json, edn, transit, msgpack
    case transitVerbose = "transit-verbose"
    case transitMessagePack = "transit-msgpack"
    case gzipEDN = "gzip-edn"
    case gzipTransit = "gzip-transit"
    case gzipTransitVerbose = "gzip-transit-verbose"
    case gzipTransitMessagePack = "gzip-transit-msgpack"
    case gzipMessagePack = "gzip-msgpack"

    var format: WireFormat {
        switch self {
        case .json: .json
        case .edn: .edn
        case .transit: .transitJSON
        case .transitVerbose: .transitJSONVerbose
        case .transitMessagePack: .transitMessagePack
        case .msgpack: .senteMessagePack
        case .gzipEDN: .gzip(over: .edn)
        case .gzipTransit: .gzip(over: .transitJSON)
        case .gzipTransitVerbose: .gzip(over: .transitJSONVerbose)
        case .gzipTransitMessagePack: .gzip(over: .transitMessagePack)
        case .gzipMessagePack: .gzip(over: .senteMessagePack)
        }
    }
}
