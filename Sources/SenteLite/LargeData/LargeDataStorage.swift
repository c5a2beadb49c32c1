// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// Keeps data that is too large to be sent, for those who get a reference to it.
///
/// ``FileStorage`` is one, ``HTTPStorage`` another; others may be made of whatever both ends reach. The client sees to sizes and
/// checksums, so that no storage can hand over something else than was stored. What nobody wants any more is for the app to remove.
public protocol LargeDataStorage: Sendable {
    /// What references name it by, 1 to 64 bytes; a client fetches only what names its own.
    var name: String { get }

    /// Keeps bytes.
    ///
    /// Its task is cancelled when nobody waits for it any more.
    ///
    /// - Parameters:
    ///   - bytes: What is to be kept.
    ///   - metadata: What goes with the reference (`content-type`), and the bytes' `sha256` in hexadecimal digits.
    /// - Returns: What they are found by: 1 to 1,024 bytes of text without control characters.
    /// - Throws: What it likes; it fails the call, whose message is then not sent.
    func store(_ bytes: [UInt8], metadata: [String: String]) async throws -> String

    /// Gives bytes back.
    ///
    /// The reference is another user's text: check it as such, and never take it for a path or a URL.
    ///
    /// - Parameters:
    ///   - reference: What names them.
    ///   - limit: How many bytes may come at most.
    /// - Returns: The bytes; that they are as many as the reference says, and the same, is seen to by the client.
    /// - Throws: What it likes.
    func fetch(_ reference: LargeDataReference, limit: Int) async throws -> [UInt8]
}
