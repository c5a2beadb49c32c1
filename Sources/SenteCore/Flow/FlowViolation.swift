// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// The peer did not keep to what was agreed: the link ends with this code, and a signal gives the reason.
package struct FlowViolation: Error, Hashable, Sendable {
    package var closeCode: CloseCode
    /// A sentence for people: what the server did.
    package var reason: String

    package init(_ closeCode: CloseCode, _ reason: String) {
        self.closeCode = closeCode
        self.reason = reason
    }

    /// What the server did, and what can be done about it.
    package var message: String { "The server broke the rules of flow. \(reason) \(advice)" }

    private var advice: String {
        switch closeCode {
        case .messageTooBig:
            "Raise `flow.chunking` and the limits of messages, or have the server send less at once."
        case .invalidData:
            "The next connection asks for it again; if it comes again, look at what the server writes, or set "
                + "`flow.resumption` to nil."
        default:
            "The next connection begins afresh; if it comes again, update the server, or set `flow` to `.off`."
        }
    }
}
