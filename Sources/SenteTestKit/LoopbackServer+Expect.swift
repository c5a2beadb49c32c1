// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// What the server has seen, and waiting for it, in real time.
extension LoopbackServer {
    /// The application events of clients so far, in order.
    public var events: [Event] { log.events }

    /// Waits until an event of that id has come since the server was made, and `isWanted` holds for it; the latest.
    ///
    /// - Throws: `timedOut` when none has come within the limit, `cancelled` with the task.
    @discardableResult
    public func expectEvent(
        _ id: Keyword, within limit: Duration = .seconds(60),
        where isWanted: @Sendable (Event) -> Bool = { _ in true }
    ) async throws(TestFailure) -> Event {
        let found = await log.latest(within: limit) { $0.id == id && isWanted($0) }
        if let found { return found }
        guard !Task.isCancelled else {
            throw TestFailure(.cancelled, "The task was cancelled while it waited for an event \(id).")
        }
        throw TestFailure(
            .timedOut,
            "No event \(id) that is wanted came within \(limit). Those that came: \(events.map(\.id)).")
    }
}
