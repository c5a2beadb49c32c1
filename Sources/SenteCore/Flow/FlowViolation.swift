// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// The peer did not keep to what was agreed: the link ends with this code, and a signal gives the reason.
package struct FlowViolation: Error, Hashable, Sendable {
    package var closeCode: CloseCode
    /// A sentence for people.
    package var reason: String

    package init(_ closeCode: CloseCode, _ reason: String) {
        self.closeCode = closeCode
        self.reason = reason
    }
}
