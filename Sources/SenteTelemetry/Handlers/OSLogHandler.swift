// SPDX-License-Identifier: Apache-2.0

#if canImport(os)
public import SenteSignals
import os

/// Hands signals to the system's log, where *Console* shows them.
///
/// Each is one text, public and of 1,000 bytes at most, for the system cuts more; it gives it a time of its own. Trace and debug
/// become debug, which is only kept while somebody watches; info stays info, warn becomes the default, error an error, fatal and
/// report a fault.
public final class OSLogHandler: LightHandler {
    private static let maximumBytes = 1_000

    private let logger: Logger
    private let writer = Gate(LineWriter(.text))

    /// Makes one for a part of an app, by convention its bundle identifier and the part's name.
    public init(subsystem: String, category: String = "telemetry") {
        logger = Logger(subsystem: subsystem, category: category)
    }

    /// Logs the signals of a batch.
    public func handle(_ batch: SignalBatch) {
        batch.forEachRecord { record in
            let text = writer.withLock { writer in
                writer.removeAll()
                writer.write(record)
                // Time and level are the system's own.
                let text = writer.written.drop { $0 != UInt8(ascii: "[") }.dropLast()
                return String(decoding: text.prefix(Self.maximumBytes), as: UTF8.self)
            }
            logger.log(level: OSLogType(record.level), "\(text, privacy: .public)")
        }
    }
}

extension OSLogType {
    fileprivate init(_ level: SignalLevel) {
        switch level {
        case ..<SignalLevel.info: self = .debug
        case ..<SignalLevel.warn: self = .info
        case ..<SignalLevel.error: self = .default
        case ..<SignalLevel.fatal: self = .error
        default: self = .fault
        }
    }
}
#endif
