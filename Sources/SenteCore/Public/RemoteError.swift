// SPDX-License-Identifier: Apache-2.0

public import SenteWire

/// What a service answers instead of a result, for its requester to read: throw it in a handler of `respond`.
///
/// ```swift
/// throw RemoteError(code: "sold-out", message: "No seat is left.", details: ["row": 7])
/// ```
///
/// It travels as the map `{:code "sold-out", :message "No seat is left.", :details {…}}`, without what is empty, and with
/// text for keys in JSON, so that peers of every kind can read it and send it. The requester finds it in
/// ``SenteError/remoteError``. Only this is ever told to the requester: of any other error that a handler throws, the
/// requester sees ``internalError`` and an id.
public struct RemoteError: Error, Hashable, Sendable {
    /// For code: what went wrong, as service and requester agreed.
    public var code: String
    /// For people.
    public var message: String
    /// What else the requester can use; `.null` for nothing.
    public var details: Value

    /// Makes an error.
    public init(code: String, message: String = "", details: Value = .null) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// The code of what a handler throws that is no `RemoteError`; `details` has the `id` under which the service's own
    /// signals tell more.
    public static let internalError = "internal-error"
    /// The code that answers a request which is not of the shape that a typed handler takes.
    public static let invalidRequest = "invalid-request"

    /// What a handler threw that is not for the requester's eyes.
    package static func internalError(id: String) -> RemoteError {
        RemoteError(
            code: internalError, message: "Internal error \(id).",
            details: [.keyword("id"): Value(id)])
    }

    /// Reads what a peer sent, leniently: names may be text or keywords, and whatever has no code is none of these.
    package init?(_ value: Value?) {
        guard let map = MapFrame(value), let code = map.text("code") else { return nil }
        self.init(code: code, message: map.text("message") ?? "", details: map["details"] ?? .null)
    }

    /// What is sent.
    package var value: Value {
        var map: ValueMap = [.keyword("code"): Value(code)]
        if !message.isEmpty { map[.keyword("message")] = Value(message) }
        if !details.isNull { map[.keyword("details")] = details }
        return .map(map)
    }
}

extension RemoteError: CustomStringConvertible {
    /// The message and the code.
    public var description: String { message.isEmpty ? code : "\(message) (\(code))" }
}

extension SenteError {
    /// What the service threw, when `code` is `remoteError` and the service says so in the form of a ``RemoteError``.
    ///
    /// nil for errors of another form: `details` has those as they came.
    public var remoteError: RemoteError? { code == .remoteError ? RemoteError(details) : nil }
}
