// SPDX-License-Identifier: Apache-2.0

/// What is wrong with bytes that are being read, and where.
///
/// It becomes a `WireError` only at the end, so that the way there costs nothing.
struct ReadingError: Error {
    var kind: WireError.Kind
    var message: StaticString
    var offset: Int
}

extension WireError {
    init(_ error: ReadingError) {
        self.init(error.kind, error.message.description, offset: error.offset)
    }
}
