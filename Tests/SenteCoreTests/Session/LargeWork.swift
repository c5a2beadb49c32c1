// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

extension TestSession {
    /// Its large values, of 2,000 bytes on, are written and read when a test says so.
    static func withLargeWork(
        on features: ServerFeatures = .binaryParts,
        _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> TestSession {
        var session = TestSession.agreed(on: features) {
            $0.largeValue = 2_000
            configure(&$0)
        }
        session.worksAtOnce = false
        return session
    }

    /// A message comes in binary parts of 1,000 bytes.
    mutating func receive(_ text: String, inParts number: UInt64) throws {
        var chunker = Chunker(Folded(plain: Array(text.utf8)), number: number, size: 1_000, isBinary: true)
        while !chunker.isDone {
            for envelope in chunker.next() { receive(binary: try #require(envelope.binary)) }
        }
    }

    /// The channels or types of what was sent plain, and the numbers and indices of parts.
    func sentParts() throws -> [String] {
        try sentMessages.map { message in
            guard message.kind == .binary else {
                return try [WireFormat.json.decode(message.bytes)].channels[0]
            }
            guard case .part(let part)? = try Envelope.read(binary: message.bytes) else { return "?" }
            return "\(part.number).\(part.index)"
        }
    }
}
