// SPDX-License-Identifier: Apache-2.0

#if canImport(os)
public import SenteSignals
package import os

/// Hands signals to the system's log, where *Console* shows them.
///
/// Each is one text, public and of 1,000 bytes at most, for the system cuts more; it gives it a time of its own. Trace and debug
/// become debug, which is only kept while somebody watches; info stays info, warn and report become the default, error an error,
/// fatal a fault.
public final class OSLogHandler: LightHandler {
    private let logger: Logger
    private let writer = Gate(LineWriter(.text))

    /// Makes one for a part of an app, by convention its bundle identifier and the part's name.
    public init(subsystem: String, category: String = "telemetry") {
        logger = Logger(subsystem: subsystem, category: category)
    }

    /// Logs the signals of a batch.
    public func handle(_ batch: SignalBatch) {
        batch.forEachRecord { record in
            let entry = writer.withLock { UnifiedLogEntry(record, by: &$0) }
            logger.log(level: OSLogType(entry.level), "\(entry.text, privacy: .public)")
        }
    }
}

extension OSLogType {
    package init(_ level: UnifiedLogEntry.Level) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .default: self = .default
        case .error: self = .error
        case .fault: self = .fault
        }
    }
}
#endif
