// SPDX-License-Identifier: Apache-2.0

// Inlined as far as the question whether anybody wants the signal, for that is all that most calls cost. The data is built by
// closures that do not escape, after every filter of the call has said yes.
extension SignalEmitter {
    /// Raises a signal of each step.
    ///
    /// An id without a slash belongs to the source's namespace; the message is a text for people, and `build` writes the data.
    @inlinable
    public func trace(
        _ id: StaticString, _ message: @autoclosure () -> String? = nil, error: (any Error)? = nil,
        file: StaticString = #fileID, line: Int = #line, _ build: (inout SignalFields) -> Void = { _ in }
    ) {
        let source = signals
        guard source.isEnabled(.trace) else { return }
        source.raise(.trace, id, message, error, file, line, build)
    }

    /// Raises a signal that helps to find a fault.
    ///
    /// An id without a slash belongs to the source's namespace; the message is a text for people, and `build` writes the data.
    @inlinable
    public func debug(
        _ id: StaticString, _ message: @autoclosure () -> String? = nil, error: (any Error)? = nil,
        file: StaticString = #fileID, line: Int = #line, _ build: (inout SignalFields) -> Void = { _ in }
    ) {
        let source = signals
        guard source.isEnabled(.debug) else { return }
        source.raise(.debug, id, message, error, file, line, build)
    }

    /// Raises a signal of something healthy.
    ///
    /// An id without a slash belongs to the source's namespace; the message is a text for people, and `build` writes the data.
    @inlinable
    public func info(
        _ id: StaticString, _ message: @autoclosure () -> String? = nil, error: (any Error)? = nil,
        file: StaticString = #fileID, line: Int = #line, _ build: (inout SignalFields) -> Void = { _ in }
    ) {
        let source = signals
        guard source.isEnabled(.info) else { return }
        source.raise(.info, id, message, error, file, line, build)
    }

    /// Raises a signal that something was lost or refused, and work goes on.
    ///
    /// An id without a slash belongs to the source's namespace; the message is a text for people, and `build` writes the data.
    @inlinable
    public func warn(
        _ id: StaticString, _ message: @autoclosure () -> String? = nil, error: (any Error)? = nil,
        file: StaticString = #fileID, line: Int = #line, _ build: (inout SignalFields) -> Void = { _ in }
    ) {
        let source = signals
        guard source.isEnabled(.warn) else { return }
        source.raise(.warn, id, message, error, file, line, build)
    }

    /// Raises a signal that something failed.
    ///
    /// An id without a slash belongs to the source's namespace; the message is a text for people, and `build` writes the data.
    @inlinable
    public func error(
        _ id: StaticString, _ message: @autoclosure () -> String? = nil, error: (any Error)? = nil,
        file: StaticString = #fileID, line: Int = #line, _ build: (inout SignalFields) -> Void = { _ in }
    ) {
        let source = signals
        guard source.isEnabled(.error) else { return }
        source.raise(.error, id, message, error, file, line, build)
    }

    /// Raises a signal that the process cannot go on, and waits at most 100 ms for it to be written.
    ///
    /// An id without a slash belongs to the source's namespace; the message is a text for people, and `build` writes the data.
    @inlinable
    public func fatal(
        _ id: StaticString, _ message: @autoclosure () -> String? = nil, error: (any Error)? = nil,
        file: StaticString = #fileID, line: Int = #line, _ build: (inout SignalFields) -> Void = { _ in }
    ) {
        let source = signals
        guard source.isEnabled(.fatal) else { return }
        source.raise(.fatal, id, message, error, file, line, build)
    }

    /// Raises a signal that is always of interest.
    ///
    /// An id without a slash belongs to the source's namespace; the message is a text for people, and `build` writes the data.
    @inlinable
    public func report(
        _ id: StaticString, _ message: @autoclosure () -> String? = nil, error: (any Error)? = nil,
        file: StaticString = #fileID, line: Int = #line, _ build: (inout SignalFields) -> Void = { _ in }
    ) {
        let source = signals
        guard source.isEnabled(.report) else { return }
        source.raise(.report, id, message, error, file, line, build)
    }

    /// Raises a text for people, which is made only if somebody wants it.
    @inlinable
    public func log(
        _ level: SignalLevel, _ text: @autoclosure () -> String, error: (any Error)? = nil,
        file: StaticString = #fileID, line: Int = #line, _ build: (inout SignalFields) -> Void = { _ in }
    ) {
        let source = signals
        guard source.isEnabled(level) else { return }
        source.raise(level, nil, text, error, file, line, build)
    }

    /// Raises a signal whose id is made at run time, which costs its copy.
    ///
    /// An id without a slash belongs to the source's namespace.
    @inlinable
    public func event(
        _ level: SignalLevel, id: @autoclosure () -> String, _ message: @autoclosure () -> String? = nil,
        error: (any Error)? = nil, file: StaticString = #fileID, line: Int = #line,
        _ build: (inout SignalFields) -> Void = { _ in }
    ) {
        let source = signals
        guard source.isEnabled(level) else { return }
        source.raise(level, made: id(), message, error, file, line, build)
    }

    /// Raises a signal that the process began, with its `pid`; `build` writes more, such as versions.
    public func startup(
        _ message: String? = nil, file: StaticString = #fileID, line: Int = #line,
        _ build: (inout SignalFields) -> Void = { _ in }
    ) {
        let source = signals
        guard source.isEnabled(.info) else { return }
        source.raise(.info, "startup", { message }, nil, file, line, kind: .startup) { fields in
            fields["pid"] = SystemThread.processID
            build(&fields)
        }
    }

    /// Raises a signal that a part of the process was made ready: its name is `module`, and what it took `duration-ms`.
    public func module(
        _ name: String, duration: Duration? = nil, file: StaticString = #fileID, line: Int = #line,
        _ build: (inout SignalFields) -> Void = { _ in }
    ) {
        let source = signals
        guard source.isEnabled(.info) else { return }
        source.raise(.info, "module-loaded", { nil }, nil, file, line, kind: .module) { fields in
            fields["module"] = name
            if let duration { fields["duration-ms"] = duration }
            build(&fields)
        }
    }
}
