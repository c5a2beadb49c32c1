// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// What a session needs to know; a plain value.
package struct SessionConfiguration: Sendable {
    /// That which the app insists on; nil takes what servers speak.
    package var dialect: Dialect?
    package var policies = SessionPolicies()
    /// How many bytes may be unwritten on a link before the outbox holds the rest back.
    package var writeWindow = 64 << 10
    /// The weight from which values are written and read elsewhere than on the loop, in bytes.
    ///
    /// Writing so much takes some 0.3 ms, ten times what handing it to another thread and back takes.
    package var largeValue = 64 << 10
    /// How long `.pauseReading` may pause.
    package var pauseLimit: Duration = .seconds(10)
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

extension SessionConfiguration {
    package var reconnect: ReconnectPolicy {
        get { policies.storage.values.reconnect }
        set { policies.values.reconnect = newValue }
    }

    package var heartbeat: Heartbeat? {
        get { policies.storage.values.heartbeat }
        set { policies.values.heartbeat = newValue }
    }

    package var outbox: OutboxPolicy {
        get { policies.storage.values.outbox }
        set { policies.values.outbox = newValue }
    }

    package var inbox: InboxPolicy {
        get { policies.storage.values.inbox }
        set { policies.values.inbox = newValue }
    }

    package var times: TimeLimits {
        get {
            var times = policies.storage.values.times
            // An attempt that is over before it begins would never end being retried.
            times.connect = max(times.connect, .milliseconds(1))
            return times
        }
        set { policies.values.times = newValue }
    }

    package var flow: FlowPolicy {
        get { policies.storage.values.flow }
        set { policies.values.flow = newValue }
    }
}
