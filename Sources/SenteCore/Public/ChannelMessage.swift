// SPDX-License-Identifier: Apache-2.0

public import SenteWire

/// One message of a channel, whatever shape the server gave it.
public struct ChannelMessage: Hashable, Sendable {
    /// The channel.
    public var channel: String
    /// What was published; `.null` when the publisher sent nothing.
    public var data: Value
    /// The server's id of the message, when it gives one.
    ///
    /// Not unique across restarts of a server.
    public var id: String?
    /// The connection that published it, when the server says so.
    public var sender: String?
    /// When the server passed it on, in milliseconds since 1970, when it says so.
    public var time: Int64?
    /// Whether it was kept by the server and handed over at the subscription, rather than live.
    public var isRetained: Bool {
        get { rarities.isRetained }
        set { rarities.isRetained = newValue }
    }
    /// How many messages of this handle were lost right before this one, because the inbox was full.
    public var missed: Int {
        get { rarities.missed }
        set { rarities.missed = newValue }
    }
    /// The time before it in which the channel was out of reach; nil for most messages.
    ///
    /// A handle that was there before the connection was lost finds it at the first message afterwards.
    public var gap: ChannelGap? {
        get { rarities.gap }
        set { rarities.gap = newValue }
    }
    /// The step of a trace that it belongs to, where its publisher said so and this client's `tracing` is on.
    ///
    /// What the app does about the message belongs to it: `telemetry.withTrace(message.trace) { … }`. Closures run within it
    /// as they are.
    public var trace: TraceContext? {
        get { rarities.trace }
        set { rarities.trace = newValue }
    }
    /// To what it was published, where the channel has wildcards (``Dialect/nats``); else the channel.
    public var subject: String {
        get { rarities.subject ?? channel }
        set { rarities.subject = WireName(newValue) == WireName(channel) ? nil : newValue }
    }
    /// What its publisher said of it beside its data; nothing on dialects that have no headers.
    public var headers: NamedValues {
        get { rarities.headers }
        set { rarities.headers = newValue }
    }
    /// Its place in the stream, in a channel that is followed; nil in any other.
    public var cursor: ChannelCursor? {
        get { rarities.cursor }
        set { rarities.cursor = newValue }
    }
    /// Its sequence in the stream, in a channel that is followed.
    public var position: UInt64? { rarities.cursor?.sequence }
    // Beside the message, so that every other is handed on cheaply.
    private var note: Note?

    private indirect enum Note: Hashable, Sendable {
        case of(Rarities)
    }

    /// What is rare and large.
    private struct Rarities: Hashable, Sendable {
        var isRetained = false
        var missed = 0
        var gap: ChannelGap?
        var trace: TraceContext?
        var subject: String?
        var headers = NamedValues()
        var cursor: ChannelCursor?

        var isEmpty: Bool {
            !isRetained && missed == 0 && gap == nil && trace == nil && subject == nil && headers.isEmpty
                && cursor == nil
        }
    }

    private var rarities: Rarities {
        get {
            switch note {
            case .of(let rarities): rarities
            case nil: Rarities()
            }
        }
        set { note = newValue.isEmpty ? nil : .of(newValue) }
    }
}

extension ChannelMessage {
    /// Makes a message; clients make their own of what the server sends.
    public init(
        channel: String, data: Value = .null, id: String? = nil, sender: String? = nil, time: Int64? = nil,
        isRetained: Bool = false, missed: Int = 0, gap: ChannelGap? = nil, trace: TraceContext? = nil,
        subject: String? = nil, headers: NamedValues = NamedValues(), cursor: ChannelCursor? = nil
    ) {
        let rarities = Rarities(
            isRetained: isRetained, missed: missed, gap: gap, trace: trace, subject: subject,
            headers: headers, cursor: cursor)
        // All at once: an initializer that sets field after field ends with a copy of the whole.
        self.init(
            channel: channel, data: data, id: id, sender: sender, time: time,
            note: rarities.isEmpty ? nil : .of(rarities))
    }
}
