// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// The id of a message, by which a server that remembers ids takes one that comes twice for what it is.
///
/// | dialect | where it stands |
/// | --- | --- |
/// | `senteLiteMaps` | the field `message-id` of the message |
/// | `senteLiteVectors`, `sente` | the key `:message-id` of the data, where that is a map |
package enum MessageName {
    package static let field = "message-id"

    /// The map of `senteLiteMaps` with the id in it.
    static func put(_ id: String, intoMap message: Value, asKeyword: Bool) -> Value {
        guard case .map(var map) = message else { return message }
        map[asKeyword ? .keyword(Keyword(field)) : Value(field)] = Value(id)
        return .map(map)
    }

    /// The vector with the id in its event's data; as it is, where the data has no place for one.
    static func put(_ id: String, intoEvent message: Value) -> Value {
        guard case .vector(var items) = message, let first = items.first else { return message }
        if case .vector = first {
            items[0] = put(id, intoEvent: first)
        } else if items.count > 1, case .map(var data) = items[1] {
            data[.keyword(Keyword(field))] = Value(id)
            items[1] = .map(data)
        }
        return .vector(items)
    }
}
