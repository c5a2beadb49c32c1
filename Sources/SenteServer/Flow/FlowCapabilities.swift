// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What one end can do beyond plain messages, or what both have agreed on.
package struct FlowCapabilities: Hashable, Sendable {
    /// What an end keeps for a session that survives its connections.
    package struct Resumption: Hashable, Sendable {
        /// How long a session waits; nil where it is not said.
        package var window: Duration?
        package var messages: Int
        package var bytes: Int
    }

    package var resumption: Resumption?

    /// Nothing.
    package init() {}

    /// What a server says of itself.
    init(_ flow: ServerConfiguration.Flow) {
        resumption = flow.resumption.map {
            Resumption(window: $0.window, messages: $0.messages, bytes: $0.bytes)
        }
    }

    /// What a client says of itself; a wrong value turns off its feature alone, and its key is added to `wrong`.
    init(_ map: ValueMap, wrong: inout [String]) {
        if let value = map.value(named: "resume"), !value.isNull {
            resumption = Self.resumption(value)
            if resumption == nil { wrong.append("resume") }
        }
    }

    private static func resumption(_ value: Value) -> Resumption? {
        guard let map = value.mapValue, let messages = map.count(named: "messages"), messages > 0,
            let bytes = map.count(named: "bytes"), bytes > 0
        else { return nil }
        guard let window = map.value(named: "window-ms") else {
            return Resumption(window: nil, messages: messages, bytes: bytes)
        }
        guard let milliseconds = window.integerValue, milliseconds > 0 else { return nil }
        return Resumption(window: .milliseconds(milliseconds), messages: messages, bytes: bytes)
    }

    /// What holds between a server that says this and a client.
    func agreed(with client: FlowCapabilities) -> FlowCapabilities {
        var features = FlowCapabilities()
        if var resumption, let theirs = client.resumption {
            if let window = resumption.window { resumption.window = min(window, theirs.window ?? window) }
            features.resumption = resumption
        }
        return features
    }

    /// Its fields, under names that `key` makes.
    func value(_ key: (String) -> Value) -> Value {
        var map = ValueMap()
        if let resumption {
            var fields = ValueMap()
            if let window = resumption.window {
                fields[key("window-ms")] = .integer(window.wholeMilliseconds)
            }
            fields[key("messages")] = Value(resumption.messages)
            fields[key("bytes")] = Value(resumption.bytes)
            map[key("resume")] = .map(fields)
        }
        return .map(map)
    }
}

extension ValueMap {
    /// A number of things: an integer that is not negative.
    func count(named name: String) -> Int? {
        guard let number = value(named: name)?.integerValue, number >= 0 else { return nil }
        return Int(exactly: number)
    }
}
