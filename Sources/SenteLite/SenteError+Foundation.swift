// SPDX-License-Identifier: Apache-2.0

public import Foundation
public import SenteCore

extension SenteError: LocalizedError {
    /// The whole description, so that `localizedDescription` says what went wrong and what to do.
    public var errorDescription: String? { description }

    /// The text of the error below this one, if there is one.
    public var failureReason: String? { underlying }
}

extension SenteError: CustomNSError {
    /// The domain of every error of this type.
    public static var errorDomain: String { "SenteLite.SenteError" }

    /// The status of the server's HTTP answer or the close code of the link, whichever was the cause; else 0.
    ///
    /// What kind of error it is, `userInfo["code"]` says.
    public var errorCode: Int { httpStatus ?? closeCode.map { Int($0.rawValue) } ?? 0 }

    /// The description, and as text the `code` and, if the call had a message, its `outcome`.
    public var errorUserInfo: [String: Any] {
        var info: [String: Any] = [NSLocalizedDescriptionKey: description, "code": code.rawValue]
        if let outcome { info["outcome"] = outcome.rawValue }
        return info
    }
}
