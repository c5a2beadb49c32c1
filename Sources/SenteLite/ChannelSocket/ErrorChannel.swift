// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// Every error of a channel socket that no call is told, with where and when, and what was done about it.
///
/// Any number may listen, as a sequence or with a closure; the last 100 are kept. A listener that does not keep up
/// loses the oldest, and the next report says how many. `ChannelSocketOptions.errorPolicy` decides what is done. It
/// does not keep the client, and ends with it.
public struct ErrorChannel: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = ErrorReport
    /// The sequence never fails.
    public typealias Failure = Never

    private let hub: ReceiveHub

    init(_ hub: ReceiveHub) {
        self.hub = hub
    }

    /// The last 100 reports, oldest first.
    public var recent: [ErrorReport] { hub.errors.recent }

    /// Reports an error of the app's own.
    ///
    /// The policy decides at once, on the caller's thread.
    public func report(
        _ error: any Error, operation: ErrorContext.Operation = .app, event: Event? = nil
    ) {
        hub.report(error, operation, event: event)
    }

    /// Runs `body` for each report from now on, in order, with the client's other closures.
    @discardableResult
    public func onError(_ body: @escaping @Sendable (ErrorReport) -> Void) -> Registration {
        hub.errors.listen(body)
    }

    /// Takes reports one by one.
    public typealias Iterator = MailboxIterator<ErrorReport>

    /// Starts to listen.
    public func makeAsyncIterator() -> Iterator {
        hub.errors.makeIterator()
    }
}
