// SPDX-License-Identifier: Apache-2.0

import Foundation
public import SenteCore

#if canImport(os)
import SenteSignals
import SenteTelemetry
import os
#endif

/// Where a client's signals are written.
public struct SignalLog: Sendable {
    let minimum: ClientSignal.Level
    let write: @Sendable (ClientSignal) -> Void

    /// Hands the signals of `minimum` and above to a closure: in order, one at a time, never on the client's loop.
    ///
    /// A closure that does not keep up loses the oldest; 1,024 wait for it. The default of `minimum` is `.info`.
    public init(
        minimum: ClientSignal.Level = .info, _ write: @escaping @Sendable (ClientSignal) -> Void
    ) {
        self.minimum = minimum
        self.write = write
    }

    /// Writes a line for each signal to standard error.
    public static var standardError: SignalLog { standardError() }

    /// Writes a line for each signal of `minimum` and above to standard error.
    public static func standardError(minimum: ClientSignal.Level = .info) -> SignalLog {
        SignalLog(minimum: minimum) { StandardError.write($0.description) }
    }

    #if canImport(os)
    /// Writes to the unified log, in the category `sente-lite`; data is public.
    public static var osLog: SignalLog { osLog() }

    /// Writes to the unified log; the default of `subsystem` is the app's bundle identifier.
    public static func osLog(
        subsystem: String? = nil, category: String = "sente-lite", minimum: ClientSignal.Level = .info
    ) -> SignalLog {
        let app = Bundle.main.bundleIdentifier ?? "sente-lite"
        let logger = Logger(subsystem: subsystem ?? app, category: category)
        return SignalLog(minimum: minimum) { signal in
            let level = UnifiedLogEntry.Level(SignalLevel(rawValue: signal.level.rawValue))
            logger.log(level: OSLogType(level), "\(signal.description, privacy: .public)")
        }
    }
    #endif

    /// Writes what comes until the client is gone.
    func follow(_ hub: SignalHub) {
        let iterator = hub.makeIterator(minimum: minimum)
        Task { [write] in
            var signals = iterator
            while let signal = await signals.next() { write(signal) }
        }
    }
}
