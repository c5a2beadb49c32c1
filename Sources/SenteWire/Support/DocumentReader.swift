// SPDX-License-Identifier: Apache-2.0

/// A reader of one document, whatever its format.
protocol DocumentReader: ~Copyable {
    /// Reads all of it.
    mutating func document() throws(ReadingError) -> Value

    /// The error for the reader's caller.
    func wireError(_ error: ReadingError) -> WireError
}

extension DocumentReader where Self: ~Copyable {
    /// The one value that the document is.
    consuming func read() throws(WireError) -> Value {
        do throws(ReadingError) {
            return try document()
        } catch {
            throw wireError(error)
        }
    }

    func wireError(_ error: ReadingError) -> WireError { WireError(error) }
}

/// What is wrong with bytes that are being read, and where.
///
/// It becomes a `WireError` only at the end, so that the way there costs nothing.
struct ReadingError: Error {
    var kind: WireError.Kind
    var message: StaticString
    var offset: Int

    init(_ message: StaticString, _ kind: WireError.Kind = .malformed, at offset: Int) {
        self.kind = kind
        self.message = message
        self.offset = offset
    }
}

extension WireError {
    init(_ error: ReadingError) {
        self.init(error.kind, error.message.description, offset: error.offset)
    }
}

extension UnsafeRawBufferPointer {
    /// Where a document begins; one without a byte is an error.
    func start(ifEmpty message: StaticString) throws(WireError) -> UnsafePointer<UInt8> {
        guard let start = bindMemory(to: UInt8.self).baseAddress, count > 0 else {
            throw WireError(.incomplete, message.description, offset: 0)
        }
        return start
    }
}
