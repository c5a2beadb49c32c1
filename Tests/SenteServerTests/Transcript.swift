// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteTransport
import SenteWire

/// A recording of a real server: what was said on its connections, and when.
struct Transcript {
    /// The folder with the recordings; nil: there is none.
    static let folder = ProcessInfo.processInfo.environment["SENTE_SHARED"]

    enum Entry: Equatable {
        /// A WebSocket was asked for.
        case upgrade(target: String, headers: [Refusal.Header])
        /// How the request was answered, when not by a WebSocket.
        case refused(status: Int, body: String)
        case client(Message)
        case server(Message)
        case clientClose
        case serverClose(Int)
        /// TCP ended with no close frame before.
        case serverDrop
    }

    struct Line {
        var milliseconds: Int64
        /// 1 for the first connection.
        var connection: UInt64
        var entry: Entry
    }

    private(set) var lines: [Line] = []

    init(_ name: String) throws {
        let path = "\(Self.folder ?? "")/transcripts/\(name).jsonl"
        let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
        var current: [String: UInt64] = [:]
        var count: UInt64 = 0
        for line in text.split(separator: "\n") {
            let record = try WireFormat.json.decode(Array(line.utf8))
            guard let entry = Self.entry(record) else { continue }
            let name = record["conn"]?.stringValue ?? "A"
            if case .upgrade = entry {
                count += 1
                current[name] = count
            }
            let time = record["t_ms"]?.integerValue ?? 0
            lines.append(Line(milliseconds: time, connection: current[name] ?? 0, entry: entry))
        }
    }

    private static func entry(_ record: Value) -> Entry? {
        let text = record["text"]?.stringValue ?? ""
        let isClient = record["dir"] == "c2s"
        switch record["opcode"]?.stringValue {
        case "http-upgrade":
            // Either `GET URL` or the request as it was sent.
            let target = text.split(separator: " ").dropFirst().first.map(String.init) ?? "/"
            let path =
                target.hasPrefix("/")
                ? target : "/" + target.split(separator: "/").dropFirst(2).joined(separator: "/")
            let headers = record["headers"]?.mapValue ?? ValueMap()
            return .upgrade(
                target: path,
                headers: headers.map { .init($0.key.stringValue ?? "", $0.value.stringValue ?? "") })
        case "http-response":
            guard let status = record["status"]?.integerValue, status > 200 else { return nil }
            return status == 101 ? nil : .refused(status: Int(status), body: text)
        case "text": return isClient ? .client(.text(text)) : .server(.text(text))
        case "binary":
            let message = Message.binary(bytes(record["hex"]?.stringValue ?? ""))
            return isClient ? .client(message) : .server(message)
        case "close":
            return isClient ? .clientClose : .serverClose(Int(record["code"]?.integerValue ?? 0))
        case "eof": return isClient ? nil : .serverDrop
        default: return nil
        }
    }

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16)
        }
    }
}

extension Compressor {
    /// Gzip by the system's zlib.
    static let zlib = Compressor { bytes, output throws(WireError) in
        try bridged { library throws(ZlibLibrary.Failure) in
            try library.compress(bytes, .gzip, into: &output)
        }
    } decompress: { bytes, output, limit throws(WireError) in
        try bridged { library throws(ZlibLibrary.Failure) in
            try library.decompress(bytes, .gzip, into: &output, limit: limit)
        }
    }

    private static func bridged(
        _ body: (ZlibLibrary) throws(ZlibLibrary.Failure) -> Void
    ) throws(WireError) {
        do throws(ZlibLibrary.Failure) {
            try body(ZlibLibrary.shared.get())
        } catch {
            throw WireError(.malformed, "\(error)")
        }
    }
}
