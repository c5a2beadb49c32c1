// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// One error of a channel socket: what went wrong, where, when, and what was done about it.
public struct ErrorReport: Sendable {
    /// What went wrong.
    public let error: any Error
    /// Where.
    public let context: ErrorContext
    /// When, in milliseconds since 1970.
    public let time: Int64
    /// What the policy said.
    public let action: ErrorAction
    /// How many reports this listener lost right before this one, because it did not keep up.
    public package(set) var missed = 0

    package init(_ error: any Error, _ context: ErrorContext, time: Int64, action: ErrorAction) {
        self.error = error
        self.context = context
        self.time = time
        self.action = action
    }

    /// The error's code, when it is one of this package's.
    public var code: SenteError.Code? { (error as? SenteError)?.code }
}

extension ErrorReport: CountsMissed {}

extension ErrorReport: CustomStringConvertible {
    /// The operation, what went wrong, and what was done.
    public var description: String {
        let event = context.event.map { " \($0.id)" } ?? ""
        return "\(context.operation)\(event): \(error) [\(action)]"
    }
}

/// The reports of a channel socket that are kept.
package struct ErrorLog: Sendable {
    /// How many are kept.
    package static let capacity = 100

    private var reports = Queue<ErrorReport>()

    package init() {}

    /// The last ones, oldest first.
    package var recent: [ErrorReport] { Array(reports) }

    package mutating func append(_ report: ErrorReport) {
        reports.append(report)
        if reports.count > Self.capacity { _ = reports.popFirst() }
    }
}
