// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// How a handler is given signals, and which.
public struct HandlerOptions: Sendable {
    /// Where a handler runs, and what happens when it cannot keep up.
    public enum Mode: Hashable, Sendable, CaseIterable {
        /// On the caller's thread, before its call returns; one call at a time.
        case synchronous
        /// What finds no room is dropped.
        case dropping
        /// What waited longest is dropped.
        case sliding
        /// Callers wait until there is room, but for threads that must not: the main thread, event loops, and handlers' own.
        case blocking
    }

    /// What happens when it cannot keep up.
    ///
    /// The default is `.blocking`.
    public var mode: Mode
    /// How many signals may wait for its threads, with 1 KiB for each; for one without threads the buffers of the callers
    /// count, 256 KiB for each thread.
    ///
    /// The default is 1,024.
    public var buffer: Int
    /// How many threads of its own it has; with more than one the order is lost.
    ///
    /// With 0 it runs on the thread that all handlers
    /// share, which costs least, and holds up the others of its kind when it blocks. nil is 0 for this package's handlers for
    /// files, terminals and memory, and 1 for all others.
    ///
    /// The default is nil.
    public var threads: Int?
    /// Among those that share a thread the greater comes first.
    ///
    /// The default is 100.
    public var priority: Int
    /// Which signals it wants, among those that its telemetry lets pass.
    ///
    /// The default is all.
    public var filter: SignalFilter
    /// The share of signals that it gets, from 0 to 1, chosen by their numbers.
    ///
    /// The default is 1.
    public var sample: Double
    /// How many it gets in a time.
    ///
    /// The default is no limit.
    public var limits: [RateLimit]
    /// Makes another signal of each, or none; it runs on the handler's thread.
    ///
    /// The default is nil: they stay as they are.
    public var transform: (@Sendable (Signal) -> Signal?)?
    /// Is told what the handler throws, at most once a minute, on the handler's thread.
    ///
    /// The default is nil.
    public var onError: (@Sendable (any Error) -> Void)?
    /// Is told that signals were dropped, and how many in all, at most once a minute.
    ///
    /// The default is nil.
    public var onBackPressure: (@Sendable (Int) -> Void)?

    /// Makes options; each that is left out has its default.
    public init(
        mode: Mode = .blocking, buffer: Int = 1_024, threads: Int? = nil, priority: Int = 100,
        minimumLevel: SignalLevel? = nil, filter: SignalFilter = SignalFilter(), sample: Double = 1,
        limits: [RateLimit] = [],
        transform: (@Sendable (Signal) -> Signal?)? = nil, onError: (@Sendable (any Error) -> Void)? = nil,
        onBackPressure: (@Sendable (Int) -> Void)? = nil
    ) {
        self.mode = mode
        self.buffer = buffer
        self.threads = threads
        self.priority = priority
        self.filter = filter
        self.sample = sample
        self.limits = limits
        self.transform = transform
        self.onError = onError
        self.onBackPressure = onBackPressure
        if let minimumLevel { self.filter.minimumLevel = minimumLevel }
    }

    /// The least level that it wants, which is its filter's.
    public var minimumLevel: SignalLevel? {
        get { filter.minimumLevel }
        set { filter.minimumLevel = newValue }
    }
}
