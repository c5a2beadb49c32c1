// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// How a receiver keeps its sender from running ahead.
///
/// However wide it is, a sender stops at 64 chunks that it does not know to have come; it hears of every 32 that were taken.
public enum StreamFlowControl: Hashable, Sendable {
    /// So many chunks that the consumer has not taken, on the way and waiting together.
    case credits(Int)
    /// So many bytes.
    case window(bytes: Int)
}

/// How files and endless data go between client and server, as streams.
public struct StreamingPolicy: Sendable, Equatable {
    /// How many bytes a chunk has; that a server sends larger ones is refused.
    ///
    /// The default is 65,536.
    public var chunkSize: Int
    /// How far a server may send ahead of whoever takes the bytes.
    ///
    /// The default is ten chunks.
    public var flowControl: StreamFlowControl
    /// How many streams there may be at once.
    ///
    /// The default is 50.
    public var maximumStreams: Int
    /// How long a server may be silent about a stream while there is a connection.
    ///
    /// The default is 60 s.
    public var idleLimit: Duration
    /// Whether each chunk that is sent has a SHA-256 of its own, so that a wrong one is asked for again by itself; the whole
    /// always has one.
    ///
    /// The default is false.
    public var checksChunks: Bool

    /// Makes a policy.
    public init(
        chunkSize: Int = 65_536, flowControl: StreamFlowControl = .credits(10), maximumStreams: Int = 50,
        idleLimit: Duration = .seconds(60), checksChunks: Bool = false
    ) {
        self.chunkSize = chunkSize
        self.flowControl = flowControl
        self.maximumStreams = maximumStreams
        self.idleLimit = idleLimit
        self.checksChunks = checksChunks
    }
}

/// What a client's streams keep to.
package struct StreamSettings: Sendable {
    /// The default is 10 credits, as the seeds have it.
    package var flowControl = StreamFlowControl.credits(10)
    /// How many streams there may be at once; the default is 50.
    package var maximumStreams = 50
    /// The largest chunk that may come, and the size of those that go; the default is 64 KiB.
    package var chunkSize = 65_536
    /// How large the metadata of a stream that is offered may be; the default is 16 KiB.
    package var maximumMetadata = 16_384
    /// How long the other end may be silent while there is a link; the default is 60 s.
    package var idleLimit: Duration = .seconds(60)
    /// How often something is asked for again whose checksum does not hold; the default is 3.
    package var retries = 3
    /// How long that waits; the default is 1 s.
    package var retryDelay: Duration = .seconds(1)
    /// How often progress is told at most; the default is 500 ms.
    package var progressInterval: Duration = .milliseconds(500)
    package var digests = DigestFunction.sha256

    package init() {}

    /// Windows of nothing would never move.
    package init(_ policy: StreamingPolicy, digests: DigestFunction = .sha256) {
        self.digests = digests
        chunkSize = max(1, policy.chunkSize)
        maximumStreams = policy.maximumStreams
        idleLimit = max(policy.idleLimit, .seconds(1))
        flowControl =
            switch policy.flowControl {
            case .credits(let count): .credits(max(1, count))
            case .window(let bytes): .window(bytes: max(1, bytes))
            }
    }

    var broadcastControl: StreamFlowControl {
        if case .credits = flowControl { flowControl } else { .credits(10) }
    }

    /// Each end says something at least so often, so that neither a slow consumer nor a slow source looks like a dead one.
    var signOfLife: Duration { idleLimit / 3 }
}
