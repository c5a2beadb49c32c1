// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// What a session needs to know; a plain value.
package struct SessionConfiguration: Sendable {
    /// That which the app insists on; nil takes what servers speak.
    package var dialect: Dialect?
    package var reconnect: ReconnectPolicy = .default
    /// nil: no probes, and a silent link stays.
    package var heartbeat: Heartbeat? = Heartbeat()
    package var outbox = OutboxPolicy()
    package var inbox = InboxPolicy()
    package var times = TimeLimits() {
        // An attempt that is over before it begins would never end being retried.
        didSet { times.connect = max(times.connect, .milliseconds(1)) }
    }
    /// How many bytes may be unwritten on a link before the outbox holds the rest back.
    package var writeWindow = 64 << 10
    /// The weight from which values are written and read elsewhere than on the loop, in bytes.
    ///
    /// Writing so much takes some 0.3 ms, ten times what handing it to another thread and back takes.
    package var largeValue = 64 << 10
    /// How long `.pauseReading` may pause.
    package var pauseLimit: Duration = .seconds(10)
    /// What is offered beyond plain messages.
    package var flow = FlowPolicy()
    /// Whether messages are kept that may be sent again, so that a server should know them by their ids.
    package var keepsMessages = false
    /// Makes what compresses single messages; nil where nothing does.
    package var compressor: CompressorMaker?
    /// What the time is within a step, to tell how long compressing takes; nil where nobody wants to know.
    package var stopwatch: (@Sendable () -> Instant)?
    /// When data goes by way of a storage; nil for never.
    package var largeData: LargeDataSettings?
    /// Makes the checksums of streams.
    package var digests = DigestFunction.sha256
    /// The server's URLs; one or none leaves nothing to choose.
    package var endpoints: [String] = []
    package var endpointOrder = EndpointOrder.listed
    /// Whether those that the server names are tried as well.
    package var learnsEndpoints = false
    /// Whether an endpoint is asked for before every attempt.
    package var asksEndpoint = false
    /// Whether a token is asked for before every attempt.
    package var asksToken = false
    /// Whether parameters are asked for before every attempt.
    package var asksParameters = false
    /// Whether a refused attempt can be made once more with something fresh.
    var asksCredentials: Bool { asksToken || asksParameters }

    package init() {}
}
