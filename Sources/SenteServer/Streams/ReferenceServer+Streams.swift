// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// The streams that the server opens; `ServerService.onStream` decides of those that clients open.
///
/// Nothing happens while the server does not run.
extension ReferenceServer {
    /// Opens a stream to each client that is meant and has agreed on streams, with ends of its own; those that were opened.
    @discardableResult
    package func openStream(
        _ offer: StreamOffer, to audience: StreamAudience, _ makeEnds: @escaping @Sendable () -> StreamEnds
    ) async -> [StreamName] {
        await withStreams { desk, session, now, effects in
            desk.open(offer, to: audience, in: &session, at: now, into: &effects, makeEnds)
        } ?? []
    }

    /// Asks the sources and the sinks of all streams again.
    package func wakeStreams() async {
        await withStreams { desk, session, now, effects in
            desk.wakeAll(in: &session, at: now, into: &effects)
        }
    }

    /// Does something with a stream, `hold`, `control` or `cancel`; nil when there is none.
    @discardableResult
    package func changeStream<R: Sendable>(
        _ name: StreamName, _ body: @escaping @Sendable (inout ServerStream, Instant) -> R
    ) async -> R? {
        await withStreams { _, session, now, effects in
            session.changeStream(name, at: now, into: &effects) { body(&$0, now.instant) }
        } ?? nil
    }

    /// Begins a broadcast to the subscribers of a channel, now and later; nil while the server does not run.
    package func beginBroadcast(
        of source: any StreamSource, on channel: String, metadata: Value = .null,
        _ stream: BroadcastStream = BroadcastStream()
    ) async -> StreamDesk.BroadcastName? {
        await withStreams { desk, session, now, effects in
            desk.beginBroadcast(
                of: source, on: channel, metadata: metadata, stream, in: &session, at: now, into: &effects)
        }
    }

    /// Asks the source of a broadcast again.
    package func wake(_ broadcast: StreamDesk.BroadcastName) async {
        await withStreams { desk, session, now, effects in
            desk.wake(broadcast, in: &session, at: now, into: &effects)
        }
    }
}
