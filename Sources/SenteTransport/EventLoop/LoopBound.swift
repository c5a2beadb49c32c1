// SPDX-License-Identifier: Apache-2.0

/// Something that lives on one loop, wrapped so that what is Sendable can hold it.
///
/// Only the loop's thread may open it.
package final class LoopBound<Content>: @unchecked Sendable {
    package let loop: EventLoop
    private let stored: Content

    package init(_ content: sending Content, on loop: EventLoop) {
        self.loop = loop
        stored = content
    }

    /// What is inside.
    ///
    /// Reaching for it from another thread is a fault of the program and stops it.
    package var content: Content {
        precondition(loop.isCurrent, "what is bound to a loop is reached on that loop only")
        return stored
    }
}
