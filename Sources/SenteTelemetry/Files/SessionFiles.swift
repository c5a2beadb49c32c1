// SPDX-License-Identifier: Apache-2.0

public import SenteSignals
import SenteWire

/// Writes what clients tell into one file for each session, as a server does that takes telemetry from the field.
///
/// The session is what a signal's context holds under `:session`; files are named after it and the time of its first signal.
/// Strangers choose those names, so nothing of them but letters, digits, `_` and `-` gets into a path. A file that is half full
/// is put aside, and with the next one the older goes.
public final class SessionFiles: TelemetryHandler {
    private struct OpenFile {
        var handler: FileHandler
        var lastUse: UInt64
    }

    private struct State {
        var files: [String: OpenFile] = [:]
        /// Of files that were closed to make room for others, in the order of closing.
        var closed: [(session: String, path: String)] = []
        var uses: UInt64 = 0
    }

    /// Paths beyond this are forgotten; such a session begins a new file.
    private static let maximumClosed = 1_024

    private let folder: String
    private let format: LineFormat
    private let maximumOpen: Int
    private let maximumBytes: Int
    private let state = Gate(State())

    /// Makes a handler that writes into a folder, which is made with the first file.
    ///
    /// - Parameters:
    ///   - folder: Where the files are.
    ///   - format: How signals are written. The default is `.json`.
    ///   - maximumOpen: How many files are open at once; what was used least recently is closed. The default is 64.
    ///   - maximumBytes: How many bytes a session may have. The default is 10 MiB.
    public init(
        folder: String, format: LineFormat = .json, maximumOpen: Int = 64, maximumBytes: Int = 10 << 20
    ) {
        self.folder = folder
        self.format = format
        self.maximumOpen = maximumOpen
        self.maximumBytes = maximumBytes
    }

    /// Writes each signal into the file of its session.
    ///
    /// - Throws: ``FileError`` of the first file that could not be written; the others are.
    public func handle(_ batch: SignalBatch) throws {
        var sessions: [(name: String, signals: [Signal])] = []
        for signal in batch {
            let name = signal.context[.keyword("session")]?.stringValue ?? ""
            if let index = sessions.firstIndex(where: { $0.name == name }) {
                sessions[index].signals.append(signal)
            } else {
                sessions.append((name, [signal]))
            }
        }
        var failure: (any Error)?
        for (name, signals) in sessions {
            do {
                try file(of: name, at: signals.first?.time ?? 0).handle(SignalBatch(signals))
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private func file(of session: String, at time: Int64) throws -> FileHandler {
        try state.withLock { state in
            state.uses += 1
            if let file = state.files[session] {
                state.files[session]?.lastUse = state.uses
                return file.handler
            }
            if state.files.count >= maximumOpen,
                let oldest = state.files.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                // The file is closed when nobody writes into it any more.
                state.files[oldest.key] = nil
                state.closed.append((oldest.key, oldest.value.handler.path))
                if state.closed.count > Self.maximumClosed { state.closed.removeFirst() }
            }
            let path =
                state.closed.firstIndex { $0.session == session }.map { state.closed.remove(at: $0).path }
                ?? "\(folder)/\(SessionFileName.text(session: session, milliseconds: time / 1_000_000))"
            let handler = try FileHandler(path, format: format, rotation: .size(maximumBytes / 2), keep: 1)
            state.files[session] = OpenFile(handler: handler, lastUse: state.uses)
            return handler
        }
    }

    /// Closes the files.
    public func stop() {
        for file in state.withLock({ $0.files.values.map(\.handler) }) { file.stop() }
    }
}
