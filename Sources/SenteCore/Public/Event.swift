// SPDX-License-Identifier: Apache-2.0

public import SenteWire

/// An application event: an id and its data.
///
/// On the vector dialects the id is a namespaced keyword. On `senteLiteMaps` the id is the frame's `type` (without
/// one, `:sente-lite/message`) and the data is the map of the frame's other fields.
public struct Event: Hashable, Sendable {
    /// What the event is.
    public var id: Keyword
    /// What it carries; `.null` for nothing.
    public var data: Value

    /// Makes an event.
    public init(id: Keyword, data: Value = .null) {
        self.id = id
        self.data = data
    }
}
