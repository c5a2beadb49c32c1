// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What closures noted, on any thread.
final class Noted<Element: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var elements: [Element] = []

    func append(_ element: Element) { lock.withLock { elements.append(element) } }
    var all: [Element] { lock.withLock { elements } }
}
