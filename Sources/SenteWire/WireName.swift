// SPDX-License-Identifier: Apache-2.0

/// A name that goes over the wire: a channel, a request, a callback, a connection, a user.
///
/// Names compare by their UTF-8, as servers compare them; Swift's own `String` takes "é" in its composed and its
/// decomposed form for equal (Unicode's canonical equivalence). So a `WireName` is what stands as a key wherever text
/// from or for the wire is looked up.
package struct WireName: Hashable, Sendable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package static func == (left: WireName, right: WireName) -> Bool {
        left.text.isSameText(as: right.text)
    }

    package func hash(into hasher: inout Hasher) {
        text.hashText(into: &hasher)
    }
}

extension WireName: ExpressibleByStringInterpolation, CustomStringConvertible {
    package init(stringLiteral text: String) {
        self.init(text)
    }

    package var description: String { text }
}
