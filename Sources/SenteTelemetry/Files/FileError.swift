// SPDX-License-Identifier: Apache-2.0

/// Why signals could not be written into a file.
public struct FileError: Error, Hashable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Hashable, Sendable {
        /// The path names a folder, or something that is neither a file nor a device.
        case notAFile
        /// The folder that it should stand in is not there.
        case folderMissing
        /// The process must not write there.
        case denied
        /// The disk is full, or the file may not grow.
        case full
        /// The path is empty or holds a zero byte.
        case invalidPath
        /// Anything else the system may say, as its error number.
        case system(Int32)
    }

    /// The file.
    public let path: String
    /// What is wrong.
    public let reason: Reason

    /// A sentence that says what to do.
    public var description: String {
        switch reason {
        case .notAFile: "“\(path)” is no file; name one within a folder."
        case .folderMissing: "The folder of “\(path)” is not there; make it, or name another."
        case .denied: "“\(path)” must not be written; change its permissions, or name another file."
        case .full: "“\(path)” cannot grow, the disk is full; make room, or keep fewer and smaller files."
        case .invalidPath: "“\(path)” is no path; name a file such as logs/app.log."
        case .system(let number): "“\(path)” cannot be written: \(SystemError(number: number).text)."
        }
    }

    package init(_ path: String, _ reason: Reason) {
        self.path = path
        self.reason = reason
    }

    init(_ path: String, _ error: SystemError) {
        let reason: Reason =
            if error == .isDirectory {
                .notAFile
            } else if error == .notFound || error == .notDirectory {
                path.isEmpty ? .invalidPath : .folderMissing
            } else if error == .invalid {
                .invalidPath
            } else if SystemError.denied.contains(error) {
                .denied
            } else if SystemError.full.contains(error) {
                .full
            } else {
                .system(error.number)
            }
        self.init(path, reason)
    }
}
