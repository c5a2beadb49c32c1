// SPDX-License-Identifier: Apache-2.0

import SenteLite

extension Value {
    /// As it stands on the wire.
    var json: String {
        (try? WireFormat.json.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? description
    }
}
