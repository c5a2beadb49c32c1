// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// What became of one connection, in its order.
enum ConnectionOutput: Equatable, CustomStringConvertible {
    case value(Value)
    case close(Int)
    case drop

    var description: String {
        switch self {
        case .value(let value): value.description
        case .close(let code): "close \(code)"
        case .drop: "drop"
        }
    }
}
