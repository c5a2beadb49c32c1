// SPDX-License-Identifier: Apache-2.0

/// What is wrong with bytes that are being read, and where; made into a `WireError` only at the end, so that the
/// way there costs nothing.
struct ReadingFault: Error {
    var kind: WireError.Kind
    var message: StaticString
    var offset: Int
}
