// SPDX-License-Identifier: Apache-2.0

/// A link's end of TLS, before its filter is there.
enum TLSRole {
    case connecting(to: TLSTarget, TLSContext)
    case accepting(TLSContext)

    /// The filter; nil when there is no memory for it.
    func makeFilter() -> TLSFilter? {
        switch self {
        case .connecting(let target, let context): TLSFilter(context, target: target)
        case .accepting(let context): TLSFilter(context, target: nil)
        }
    }
}
