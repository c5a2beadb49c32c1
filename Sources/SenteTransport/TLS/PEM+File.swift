// SPDX-License-Identifier: Apache-2.0

package import SenteBase

extension TLSConfiguration {
    /// Whether it names a file, whose content may change.
    var namesFiles: Bool {
        let roots: PEM? =
            switch roots {
            case .system: nil
            case .only(let source), .systemAnd(let source): source
            }
        return [roots, identity?.certificates, identity?.key].contains { $0?.isFile == true }
    }

    /// The same with what its files hold now.
    func readingFiles() throws(LinkFailure) -> TLSConfiguration {
        var read = self
        switch roots {
        case .system: break
        case .only(let source): read.roots = .only(try source.read("tls.roots"))
        case .systemAnd(let source): read.roots = .systemAnd(try source.read("tls.roots"))
        }
        if let identity {
            read.identity?.certificates = try identity.certificates.read("tls.identity.certificates")
            read.identity?.key = try identity.key.read("tls.identity.key")
        }
        return read
    }
}

extension TLSConfiguration.PEM {
    /// The bundles of whole distributions have some 250 KiB.
    private static let limit = 16 << 20

    var isFile: Bool {
        if case .file = self { true } else { false }
    }

    fileprivate func read(_ setting: String) throws(LinkFailure) -> TLSConfiguration.PEM {
        .bytes(try bytes(setting))
    }

    /// The text, read from the file if it is one.
    package func bytes(_ setting: String) throws(LinkFailure) -> [UInt8] {
        switch self {
        case .bytes(let bytes): return bytes
        case .file(let path):
            guard let file = fopen(path, "r") else { throw Self.failure(errno, path, setting) }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 64 << 10)
            var count = 0
            while count < Self.limit {
                if count == bytes.count { bytes += [UInt8](repeating: 0, count: bytes.count) }
                let got = bytes.withUnsafeMutableBytes { buffer in
                    buffer.baseAddress.map { fread($0 + count, 1, buffer.count - count, file) } ?? 0
                }
                guard got > 0 else { break }
                count += got
            }
            guard ferror(file) == 0 else { throw Self.failure(errno, path, setting) }
            return Array(bytes[..<count])
        }
    }

    private static func failure(_ code: Int32, _ path: String, _ setting: String) -> LinkFailure {
        if Platform.shortages.contains(code) {
            return Platform.failure(code, "Reading \(path), which `\(setting)` names,")
        }
        return LinkFailure(
            .misconfigured,
            "`\(setting)` names the file \(path), which cannot be read: \(String(cString: strerror(code))).")
    }
}
