// SPDX-License-Identifier: Apache-2.0

public import SenteSignals

/// Writes signals on standard error, in colour if that is a terminal.
public final class StandardErrorHandler: LightHandler {
    private let console: Console

    /// Makes one.
    /// - Parameters:
    ///   - format: How signals are written. The default is `.text`.
    ///   - colors: Whether levels of texts are coloured; nil colours them in a terminal, unless the environment has `NO_COLOR` or
    ///     `TERM=dumb`. The default is nil.
    public init(format: LineFormat = .text, colors: Bool? = nil) {
        console = Console(.error, format, colors)
    }

    /// Writes the lines of a batch.
    public func handle(_ batch: SignalBatch) throws { try console.write(batch) }
}

/// Writes signals on standard output, in colour if that is a terminal.
public final class StandardOutputHandler: LightHandler {
    private let console: Console

    /// Makes one.
    /// - Parameters:
    ///   - format: How signals are written. The default is `.text`.
    ///   - colors: Whether levels of texts are coloured; nil colours them in a terminal, unless the environment has `NO_COLOR` or
    ///     `TERM=dumb`. The default is nil.
    public init(format: LineFormat = .text, colors: Bool? = nil) {
        console = Console(.output, format, colors)
    }

    /// Writes the lines of a batch.
    public func handle(_ batch: SignalBatch) throws { try console.write(batch) }
}

/// One of the process' standard streams.
package final class Console: Sendable {
    private let writer: Gate<LineWriter>
    private let stream: FileDescriptor.Standard

    init(_ stream: FileDescriptor.Standard, _ format: LineFormat, _ colors: Bool?) {
        self.stream = stream
        let hasColors =
            colors
            ?? Self.wantsColors(
                isTerminal: stream.descriptor.isTerminal, noColor: environmentVariable("NO_COLOR"),
                terminal: environmentVariable("TERM"))
        writer = Gate(LineWriter(format, hasColors: hasColors))
    }

    /// `NO_COLOR` counts when it is there and not empty (no-color.org).
    package static func wantsColors(isTerminal: Bool, noColor: String?, terminal: String?) -> Bool {
        isTerminal && noColor ?? "" == "" && terminal != "dumb"
    }

    func write(_ batch: SignalBatch) throws {
        try writer.withLock { writer in
            writer.removeAll()
            batch.forEachRecord { writer.write($0) }
            try stream.descriptor.write(writer.bytes)
        }
    }
}
