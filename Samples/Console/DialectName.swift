// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// The families of servers by the names they have on the command line.
enum DialectName: String, CaseIterable {
    case auto, v1
    case senteLite = "sente-lite"
    case sente, nats

    /// Nil takes what the first frame shows, which is never NATS.
    var dialect: Dialect? {
        switch self {
        case .auto: nil
        case .v1: .senteLiteMaps
        case .senteLite: .senteLiteVectors
        case .sente: .sente
        case .nats: .nats
        }
    }
}
