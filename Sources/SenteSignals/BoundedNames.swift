// SPDX-License-Identifier: Apache-2.0

/// The values of a label that others choose, such as the names of channels: the first so many pass, all others become one.
///
///     var channels = BoundedNames(100)
///     page.gauge("app_subscribers", "Subscribers.", n, labels: ["channel": channels.name(for: channel)])
public struct BoundedNames: Hashable, Sendable {
    /// How many different names pass.
    public let limit: Int
    /// What all others become.
    public let rest: String
    private var names: Set<String> = []

    /// Makes one that has not seen a name yet.
    public init(_ limit: Int, rest: String = "other") {
        self.limit = limit
        self.rest = rest
    }

    /// The name itself, or `rest`.
    public mutating func name(for name: String) -> String {
        if names.contains(name) { return name }
        guard names.count < limit else { return rest }
        names.insert(name)
        return name
    }
}
