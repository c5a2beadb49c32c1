// SPDX-License-Identifier: Apache-2.0

import SenteBase

extension LinkReport {
    /// What came with it.
    var messages: [Message] {
        switch self {
        case .received(let messages): messages
        case .answered(_, let message): [message]
        case .opened, .progress, .wrote, .refused, .closed: []
        }
    }
}
