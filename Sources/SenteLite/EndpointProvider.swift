// SPDX-License-Identifier: Apache-2.0

public import Foundation
import SenteCore

/// Says where to connect, asked anew before each attempt.
///
/// It runs on the ordinary executor, within the limit of `timeouts.connect`. Throwing gives up the attempt,
/// not the connecting.
public struct EndpointProvider: Sendable {
    /// Gets the client's URL.
    let provide: @Sendable (String) async throws -> String

    /// A provider of your own.
    public init(_ provide: @escaping @Sendable () async throws -> URL) {
        self.provide = { _ in try await provide().absoluteString }
    }

    package init(url provide: @escaping @Sendable (String) async throws -> String) {
        self.provide = provide
    }

    /// The client's URL with the port that a file names.
    ///
    /// For servers that choose a free port at their start and write it, as decimal digits, to a file.
    public static func portFile(_ path: String) -> EndpointProvider {
        EndpointProvider { url in
            let port = try readPort(path)
            guard var parts = URLComponents(string: url) else {
                throw SenteError(.invalidArgument, "“\(url)” is not a URL, so its port cannot be replaced.")
            }
            parts.port = port
            return parts.string ?? url
        }
    }

    /// Blanks around the digits are allowed, and nothing else.
    private static func readPort(_ path: String) throws(SenteError) -> Int {
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        // Opening a pipe would wait for its other end.
        let type = try? FileManager.default.attributesOfItem(atPath: resolved)[.type] as? FileAttributeType
        guard let type else {
            throw error(
                "The port file \(path) does not exist, or may not be looked at: is the server running?")
        }
        guard type == .typeRegular, let file = FileHandle(forReadingAtPath: resolved) else {
            throw error("The port file \(path) cannot be read: name a file that holds a port's digits.")
        }
        defer { try? file.close() }
        let bytes = (try? file.read(upToCount: limit + 1)) ?? Data()
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard bytes.count <= limit, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(text),
            (1...65_535).contains(port)
        else {
            throw error(
                "The port file \(path) holds no port: write the digits of a number from 1 to 65535 into it.")
        }
        return port
    }

    /// The most bytes a port file may have.
    private static let limit = 64

    private static func error(_ message: String) -> SenteError {
        SenteError(.providerFailed, message)
    }
}
