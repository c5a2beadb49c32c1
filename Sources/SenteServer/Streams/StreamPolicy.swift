// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What the server allows its clients' streams.
///
/// A name in the metadata is a name and nothing else: no path is made of it here.
package struct StreamPolicy: Hashable, Sendable {
    /// How far a sender may run ahead of whoever takes its bytes.
    package enum Window: Hashable, Sendable {
        case chunks(Int)
        case bytes(Int)
    }

    /// Streams of one client at once; the default is 50.
    package var streams = 50
    /// The largest chunk; the default is 64 KiB.
    package var chunkSize = 65_536
    /// The most that one upload may be; the default is no limit.
    package var uploadBytes: UInt64?
    /// The weight of metadata; the default is 16 KiB.
    package var metadata = 16_384
    /// The default is 10 chunks.
    package var window = Window.chunks(10)
    /// How long a client may be silent about a stream while there is a link; the default is a minute.
    package var idle: Duration = .seconds(60)
    /// How long a stream without link is kept, and how long is known how one ended; the default is an hour.
    package var positionLife: Duration = .seconds(3_600)
    /// How many ends are known of one client; the default is 1,024.
    package var ends = 1_024
    /// How many clients without link have streams that wait for them; with more, those of the longest away go.
    ///
    /// The default is 1,000.
    package var parkedClients = 1_000
    /// What these keep together; the default is 64 MiB.
    package var parkedBytes = 64 << 20
    package var retries = 3
    package var retryDelay: Duration = .seconds(1)

    package init() {}

    /// Why a stream cannot be; nil if it can.
    func objection(to offer: StreamOffer, beside count: Int) -> ServerStreamWord? {
        func refusal(_ message: String) -> ServerStreamWord {
            .error(code: "quota-exceeded", message: message)
        }
        if count >= streams { return refusal("there are \(streams) streams already") }
        if offer.chunkSize > chunkSize { return refusal("a chunk may have \(chunkSize) bytes") }
        if offer.metadata.weight + (offer.channel?.utf8.count ?? 0) > metadata {
            return refusal("the metadata is too large")
        }
        if offer.serverReceives, let total = offer.totalSize, total > uploadBytes ?? total {
            return refusal("an upload may have \(uploadBytes ?? 0) bytes")
        }
        return nil
    }
}
