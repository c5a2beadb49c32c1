// SPDX-License-Identifier: Apache-2.0

public import Foundation
public import SenteCore
import SenteWire

extension Download {
    /// Writes the download to a file, and returns where that is when it is whole.
    ///
    /// Until its checksum holds it stands beside its name, as `.NAME.….part`; when it fails or is called off, nothing stays. Where
    /// the checksum of the whole does not hold, all of it is asked for again, three times. What a process had written when it died,
    /// `SenteClient.resumeDownload` and the same call find again.
    ///
    /// Cancelling the task calls the download off, at both ends.
    ///
    /// - Parameters:
    ///   - place: A folder that exists, or the file in one.
    ///   - name: The file's name in the folder. The default is nil: the text `filename` of the metadata, else the stream's name.
    ///     Nothing but the name is taken of either: what stands before a slash, dots at its beginning and what does not print go.
    ///   - overwrite: Whether a file that has the name is replaced. The default is false, and then it stays and this throws.
    /// - Returns: The file.
    /// - Throws: `invalidArgument` when there is such a file, `streamFailed` also when the disk is full, and what the stream throws.
    @discardableResult
    public func save(
        to place: URL, name: String? = nil, overwrite: Bool = false
    ) async throws(SenteError) -> URL {
        try await save(to: place, name: name, overwrite: overwrite, write: DownloadFile.system)
    }

    package func save(
        to place: URL, name: String? = nil, overwrite: Bool = false, write: @escaping DownloadFile.Write
    ) async throws(SenteError) -> URL {
        let url = url(in: place, name)
        do throws(SenteError) {
            try await fill(
                DownloadFile(
                    url.path, overwrites: overwrite, stream: id, from: origin?.bytes ?? 0, write: write))
        } catch {
            // What the other end hears has no names of this machine's.
            handle.abandon(StreamFault(.sourceFailed, "The receiver cannot write the file."))
            throw error
        }
        return url
    }

    private func fill(_ file: DownloadFile) async throws(SenteError) {
        var how = StreamHandle.Consumption(startsOver: true)
        if origin != nil { how.digest = try file.digest() }
        handle.start(how)
        while true {
            switch try await handle.next(isolation: nil) {
            case .piece(let piece): try file.append(piece.bytes)
            case .startsOver: try file.startOver()
            case .everything:
                try file.finish()
                return handle.confirm()
            }
        }
    }

    private func url(in place: URL, _ name: String?) -> URL {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder)
        guard isThere, isFolder.boolValue else { return place }
        let names = [name, metadata.mapValue?.value(named: "filename")?.stringValue, id]
        let reduced = names.lazy.compactMap { $0.flatMap(Self.fileName(of:)) }.first
        return place.appendingPathComponent(reduced ?? "download", isDirectory: false)
    }

    /// What of a text may be the name of a file in a folder; nil when nothing is.
    ///
    /// It is another's text: a path in it leads nowhere.
    package static func fileName(of text: String) -> String? {
        let last = text.split { $0 == "/" || $0 == "\\" || $0 == ":" }.last ?? ""
        var name = String(String.UnicodeScalarView(last.unicodeScalars.filter { !$0.isHidden }))
        name = String(name.drop { $0 == "." || $0.isWhitespace })
        // File systems take 255 bytes, and the unfinished file has a longer name.
        while name.utf8.count > 200 { name.removeLast() }
        while name.last?.isWhitespace == true { name.removeLast() }
        return name.isEmpty ? nil : name
    }
}

extension Unicode.Scalar {
    /// Whether it shows nothing, or turns what stands beside it round.
    fileprivate var isHidden: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            true
        default: false
        }
    }
}
