// SPDX-License-Identifier: Apache-2.0

public import Foundation
import SenteCore

/// Where an upload's bytes come from.
public struct UploadSource: Sendable {
    /// A source that is ready to be read.
    struct Opened: Sendable {
        /// Nil where it is not known.
        var size: UInt64?
        /// Whether it can go back to any place.
        var isSeekable: Bool
        /// Gives to a stream what it has, until that ends.
        var feed: @Sendable (StreamHandle) async throws -> Void
    }

    let open: @Sendable () throws(SenteError) -> Opened

    /// A file, read as it is needed; it must not change meanwhile.
    ///
    /// It can go back, so that an upload can go on from whatever the server has.
    public static func file(_ url: URL) -> UploadSource {
        UploadSource { () throws(SenteError) in
            let file = try UploadFile(url)
            return Opened(size: file.size, isSeekable: true) { try await $0.give(file.read) }
        }
    }

    /// Bytes in memory; they can go back too.
    public static func bytes(_ bytes: [UInt8]) -> UploadSource {
        UploadSource { () throws(SenteError) in
            Opened(size: UInt64(bytes.count), isSeekable: true) { handle in
                try await handle.give { place in
                    place < UInt64(bytes.count) ? bytes[Int(place)...].prefix(UploadFile.block) : nil
                }
            }
        }
    }

    /// Chunks of bytes, each of which goes as soon as there is room for it; the next one is asked for after that.
    ///
    /// It cannot go back: what was sent and is lost beyond what the client keeps (64 chunks) ends with `notResumable`. Give `size`
    /// where it is known, so that there are percentages, and an end before its time is noticed.
    public static func sequence<Chunks: AsyncSequence & Sendable>(
        _ chunks: Chunks, size: UInt64? = nil
    ) -> UploadSource where Chunks.Element: Sequence<UInt8> {
        UploadSource { () throws(SenteError) in
            Opened(size: size, isSeekable: false) { handle in
                var end: UInt64 = 0
                for try await chunk in chunks {
                    guard try await handle.give(Array(chunk), behind: &end) else { return }
                }
                try await handle.finishForGood()
            }
        }
    }

    /// Bytes one by one, which go by the 16,384, and what is left at the end.
    ///
    /// Give chunks where each is to go as soon as it is there.
    public static func sequence<Bytes: AsyncSequence & Sendable>(
        _ bytes: Bytes, size: UInt64? = nil
    ) -> UploadSource where Bytes.Element == UInt8 {
        UploadSource { () throws(SenteError) in
            Opened(size: size, isSeekable: false) { handle in
                var end: UInt64 = 0
                var block: [UInt8] = []
                for try await byte in bytes {
                    block.append(byte)
                    guard block.count == 16_384 else { continue }
                    guard try await handle.give(block, behind: &end) else { return }
                    block.removeAll(keepingCapacity: true)
                }
                guard try await handle.give(block, behind: &end) else { return }
                try await handle.finishForGood()
            }
        }
    }
}

extension StreamHandle {
    /// Has a source give what it has, until the stream ends.
    func feed(from source: UploadSource.Opened) async {
        do {
            try await source.feed(self)
        } catch let fault as StreamFault {
            abandon(fault)
        } catch {
            abandon(StreamFault(.sourceFailed, "The source of the upload could not go on: \(error)"))
        }
    }

    /// Gives what stands at each place that is wanted; nil is the end, from which it may have to go back.
    fileprivate func give(_ read: (UInt64) throws(StreamFault) -> ArraySlice<UInt8>?)
        async throws(StreamFault)
    {
        while let place = await demand(goesBack: true) {
            if let bytes = try read(place) { give(bytes, at: place) } else { finish() }
        }
    }

    /// Gives what comes next of a source that only goes on, when it is wanted; false when nothing will be.
    fileprivate func give(_ bytes: [UInt8], behind end: inout UInt64) async throws(StreamFault) -> Bool {
        guard let place = await demand() else { return false }
        guard place == end else { throw .goesOnOnly }
        end += UInt64(bytes.count)
        give(bytes[...], at: place)
        return true
    }

    /// Such a source has ended.
    fileprivate func finishForGood() async throws(StreamFault) {
        finish()
        if await demand(goesBack: true) != nil { throw .goesOnOnly }
    }
}

extension StreamFault {
    fileprivate static let goesOnOnly = StreamFault(
        .notResumable, "The server asks for what was sent before, and the source cannot give it again.")
}
