// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite

/// Where a transfer stood when the program ended, in a file of its own.
struct PositionFile: Sendable {
    let url: URL

    init?(_ path: String?) {
        guard let path else { return nil }
        url = URL(fileURLWithPath: path)
    }

    /// Nil where there is none that can be read.
    var position: StreamPosition? {
        (try? Data(contentsOf: url)).flatMap { try? JSONDecoder().decode(StreamPosition.self, from: $0) }
    }

    func store(_ position: StreamPosition?) {
        guard let position, let data = try? JSONEncoder().encode(position) else { return }
        try? data.write(to: url, options: .atomic)
    }

    func remove() { try? FileManager.default.removeItem(at: url) }
}
