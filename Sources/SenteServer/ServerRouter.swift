// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// Handles one event; it may wait.
///
/// An error that it throws is dropped: an event that wanted a reply gets none.
package typealias ServerEventHandler = @Sendable (ServerEventMessage) async throws -> Void

/// Calls a handler for each event that comes, one after the other, Sente's `start-server-chsk-router!`.
///
/// It runs until `stop()`; dropping it changes nothing.
@discardableResult
package func startRouter(
    _ chRecv: ServerReceiveChannel, _ handler: @escaping ServerEventHandler
) -> ServerRouter {
    ServerRouter(chRecv, handler)
}

/// The same with a handler for each id, and one for every other.
@discardableResult
package func startRouter(
    _ chRecv: ServerReceiveChannel, _ handlers: [Keyword: ServerEventHandler],
    default fallback: ServerEventHandler? = nil
) -> ServerRouter {
    ServerRouter(chRecv) { message in try await (handlers[message.id] ?? fallback)?(message) }
}

/// A running router.
package final class ServerRouter: Sendable {
    private let task: Task<Void, Never>

    fileprivate init(_ chRecv: ServerReceiveChannel, _ handler: @escaping ServerEventHandler) {
        let messages = chRecv.messages
        task = Task {
            for await message in messages {
                do { try await handler(message) } catch { continue }
            }
        }
    }

    /// Stops: no handler is started any more.
    package func stop() { task.cancel() }
}
