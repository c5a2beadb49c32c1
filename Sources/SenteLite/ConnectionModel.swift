// SPDX-License-Identifier: Apache-2.0

public import Observation
import SenteBase
public import SenteCore
import SenteTransport

/// A client's connection and channels for a user interface: properties that SwiftUI, or whoever observes, follows.
///
/// ```swift
/// struct StatusView: View {
///     let model: ConnectionModel
///     var body: some View { Label(model.statusText, systemImage: model.isOnline ? "wifi" : "wifi.slash") }
/// }
/// ```
///
/// It lives on the main actor, and keeps its client; it follows it for as long as it is kept itself.
@available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
@MainActor
@Observable
public final class ConnectionModel {
    /// The client.
    public nonisolated let client: SenteClient
    /// Everything the client says of its connection.
    public private(set) var status: ConnectionStatus
    /// How long until the next attempt, in whole seconds, while the client waits for one; it counts down by itself.
    public private(set) var retryIn: Duration?
    private var channels: [String: [ChannelMessage]] = [:]
    /// What ends with the model.
    @ObservationIgnored private var following: [CancelOnDeinit] = []
    /// The loops over channels, by channel.
    @ObservationIgnored private var loops: [String: CancelOnDeinit] = [:]
    @ObservationIgnored private let timer: ClientTimer

    /// Makes a model of a client, and begins to follow it.
    public init(_ client: SenteClient) {
        self.client = client
        status = client.status
        timer = ClientTimer(on: client.host)
        let states = client.states
        let task = Task { [weak self] in
            for await status in states { self?.follow(status) }
        }
        following = [
            CancelOnDeinit { [timer] in
                task.cancel()
                timer.set(nil) {}
            }
        ]
        follow(client.status)
    }

    // MARK: The connection

    /// Where the client stands.
    public var state: ConnectionState { status.state }

    /// Whether messages flow.
    public var isOnline: Bool { status.state == .open }

    /// Why the last attempt or link failed; nil from the next greeting on.
    public var lastError: SenteError? { status.lastError }

    /// Where the client stands, for people: "Connected", "Reconnecting in 3 s", "Not connected: …".
    ///
    /// In English; for other languages choose by `state` and `retryIn`.
    public var statusText: String {
        switch status.state {
        case .closed: "Not connected"
        case .connecting: status.attempt > 1 ? "Connecting (attempt \(status.attempt))" : "Connecting"
        case .open: "Connected"
        case .closing: "Disconnecting"
        case .reconnecting:
            retryIn.map { "Reconnecting in \($0.components.seconds) s" } ?? "Reconnecting"
        case .failed: "Not connected: \(lastError?.message ?? "the client gave up")"
        }
    }

    private func follow(_ status: ConnectionStatus) {
        if status != self.status { self.status = status }
        countDown()
    }

    /// Shows the whole seconds that are left, and comes back when there is one less.
    private func countDown() {
        let left = status.retryAt.map { max(.zero, client.host.now.instant.duration(to: $0)) }
        let seconds = left.map { ($0.wholeNanoseconds + 999_999_999) / 1_000_000_000 }
        let shown = seconds.map { Duration.seconds($0) }
        if shown != retryIn { retryIn = shown }
        var next: Instant?
        if let retryAt = status.retryAt, let shown, shown > .zero {
            next = retryAt.advanced(by: .seconds(1) - shown)
        }
        timer.set(next) { [weak self] in
            Task { @MainActor in self?.countDown() }
        }
    }

    // MARK: Channels

    /// Subscribes to a channel and keeps its latest messages, for `messages(in:)`.
    ///
    /// Following a channel again changes nothing but the bound.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - limit: How many messages are kept; the oldest go. The default is 200.
    /// - Throws: What the client's `subscribe` throws.
    public func follow(_ channel: String, keeping limit: Int = 200) async throws(SenteError) {
        let subscription = try await client.subscribe(channel)
        let bound = max(1, limit)
        let task = Task { [weak self] in
            for await message in subscription { self?.keep(message, in: channel, bound) }
        }
        loops[channel] = CancelOnDeinit {
            task.cancel()
            subscription.cancel()
        }
        trim(channel, bound)
    }

    /// Keeps no messages of a channel any more; the client's wish for it stays.
    public func unfollow(_ channel: String) {
        loops[channel] = nil
        channels[channel] = nil
    }

    /// The latest messages of a channel that is followed, the oldest first.
    public func messages(in channel: String) -> [ChannelMessage] { channels[channel] ?? [] }

    private func keep(_ message: ChannelMessage, in channel: String, _ bound: Int) {
        guard loops[channel] != nil else { return }
        channels[channel, default: []].append(message)
        trim(channel, bound)
    }

    private func trim(_ channel: String, _ bound: Int) {
        let surplus = (channels[channel]?.count ?? 0) - bound
        if surplus > 0 { channels[channel]?.removeFirst(surplus) }
    }
}
