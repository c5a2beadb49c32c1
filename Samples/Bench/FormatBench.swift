// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions
import SenteWire

/// Times the wire formats on JSON documents: a row for each format and document, or a line of JSON in the form of
/// `time_python.py`, nanoseconds a call, the median of 15; then, on standard error, a table of the formats
/// relative to our own EDN.
///
/// Every format reads and writes the same value; `ValueDecoder` stands for both of our coders
/// over JSON, `JSONDecoder` for both of Foundation's.
enum FormatBench {
    static func run(_ directory: String) throws {
        let folder = URL(fileURLWithPath: directory)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let documents = names.filter { $0.hasSuffix(".json") }.sorted()
        guard !documents.isEmpty else { throw UsageError("There are no JSON documents in \(directory).") }
        var runs: [[Contender]] = []
        for name in documents {
            BenchOutput.standard.progress("\(name): every format, 15 times")
            do {
                runs.append(try run(name, [UInt8](Data(contentsOf: folder.appendingPathComponent(name)))))
            } catch {
                BenchOutput.standard.fail("\(name): \(error)")
            }
        }
        FileHandle.standardError.write(Data(comparison(of: runs).utf8))
    }

    /// What sente-lite's serialization strategy says of its formats: how many times as fast as EDN they are.
    private static let claims = [
        "json": "6", "transit-json": "3-5", "transit-json-verbose": "3-5", "transit-msgpack": "5-7",
    ]

    /// A table of the formats beside our own EDN: the median of the documents, and the least and the most.
    private static func comparison(of runs: [[Contender]]) -> String {
        var lines = ["", "Beside our own EDN: median of the documents (least to most)", ""]
        let titles = ["format", "decodes × as fast", "encodes × as fast", "bytes, EDN = 1", "claimed ×"]
        lines.append(row(titles))
        for format in formats {
            let pairs = runs.compactMap { run in
                run.first { $0.library == format.name }.flatMap { own in
                    run.first { $0.library == WireFormat.edn.name }.map { (own: own, edn: $0) }
                }
            }
            lines.append(
                row([
                    format.name, spread(pairs.map { $0.edn.decodeMedian / $0.own.decodeMedian }),
                    spread(pairs.map { $0.edn.encodeMedian / $0.own.encodeMedian }),
                    spread(pairs.map { Double($0.own.bytes) / Double($0.edn.bytes) }),
                    claims[format.name] ?? "",
                ]))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(_ cells: [String]) -> String {
        cells.map { $0.padding(toLength: 22, withPad: " ", startingAt: 0) }.joined()
    }

    private static func spread(_ ratios: [Double]) -> String {
        let sorted = ratios.sorted()
        guard let least = sorted.first, let most = sorted.last else { return "" }
        let middle = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        return String(format: "%.2f (%.2f to %.2f)", middle, least, most)
    }

    private static let formats: [WireFormat] = [
        .json, .edn, .transitJSON, .transitJSONVerbose, .transitMessagePack, .senteMessagePack,
    ]

    /// One library on one document.
    private struct Contender {
        let library: String
        let bytes: Int
        let decode: () throws -> Void
        let encode: () throws -> Void
        var decoding: [Double] = []
        var encoding: [Double] = []

        var decodeMedian: Double { decoding.sorted()[decoding.count / 2] }
        var encodeMedian: Double { encoding.sorted()[encoding.count / 2] }

        func json(_ document: String) -> String {
            "{\"library\": \"\(library)\", \"document\": \"\(document)\", \"bytes\": \(bytes), "
                + "\"decode_ns\": \(decodeMedian), \"encode_ns\": \(encodeMedian)}"
        }

        func row(_ document: String) -> String {
            library.padding(toLength: 24, withPad: " ", startingAt: 0)
                + document.padding(toLength: 20, withPad: " ", startingAt: 0)
                + String(
                    format: "%8d B  decode %9.1f µs  encode %9.1f µs", bytes, decodeMedian / 1_000,
                    encodeMedian / 1_000)
        }
    }

    private static func run(_ name: String, _ json: [UInt8]) throws -> [Contender] {
        let value = try WireFormat.json.decode(json)
        let data = Data(json)
        let object = try JSONSerialization.jsonObject(with: data)
        var contenders = try formats.map { format in
            let bytes = try format.encode(value)
            return Contender(
                library: format.name, bytes: bytes.count, decode: { _ = try format.decode(bytes) },
                encode: { _ = try format.encode(value) })
        }
        contenders.append(
            Contender(
                library: "JSONSerialization", bytes: json.count,
                decode: { _ = try JSONSerialization.jsonObject(with: data) },
                encode: { _ = try JSONSerialization.data(withJSONObject: object) }))
        switch name {
        case "users-64k.json": contenders += try coders([User].self, json)
        case "order-1k.json": contenders += try coders(Order.self, json)
        case "chat.json": contenders += try coders(Chat.self, json)
        case "numbers-64k.json": contenders += try coders(Numbers.self, json)
        default: break
        }
        // In turns, so that a busy machine is busy for all.
        for _ in 0..<15 {
            for index in contenders.indices {
                let calls = max(
                    20, 2_000_000 / json.count / (contenders[index].library.hasPrefix("JSON") ? 10 : 1))
                contenders[index].decoding.append(try time(calls, contenders[index].decode))
                contenders[index].encoding.append(try time(calls, contenders[index].encode))
            }
        }
        for contender in contenders {
            BenchOutput.standard.show(json: contender.json(name), row: contender.row(name))
        }
        return contenders
    }

    /// A struct through our coders and Foundation's.
    private static func coders<T: Codable>(_ type: T.Type, _ json: [UInt8]) throws -> [Contender] {
        let data = Data(json)
        let model = try JSONDecoder().decode(T.self, from: data)
        return [
            Contender(
                library: "ValueDecoder", bytes: json.count,
                decode: { _ = try ValueDecoder().decode(T.self, from: WireFormat.json.decode(json)) },
                encode: { _ = try WireFormat.json.encode(ValueEncoder().encode(model)) }),
            Contender(
                library: "JSONDecoder", bytes: json.count,
                decode: { _ = try JSONDecoder().decode(T.self, from: data) },
                encode: { _ = try JSONEncoder().encode(model) }),
        ]
    }

    /// Nanoseconds a call.
    private static func time(_ calls: Int, _ body: () throws -> Void) throws -> Double {
        let time = try ContinuousClock().measure { for _ in 0..<calls { try body() } }.components
        let nanoseconds = Double(time.seconds) * 1e9 + Double(time.attoseconds) / 1e9
        return (nanoseconds / Double(calls) * 10).rounded() / 10
    }
}

// What the documents hold.

private struct User: Codable {
    struct Address: Codable {
        var city: String
        var zip: String
    }

    enum CodingKeys: String, CodingKey {
        case id = "user/id"
        case name = "user/name"
        case email = "user/email"
        case joined, score, roles, address, bio
    }

    var id: Int
    var name: String
    var email: String
    var joined: Int
    var score: Double
    var roles: [String]
    var address: Address
    var bio: String
}

private struct Order: Codable {
    struct User: Codable {
        var id: Int
        var name: String
        var email: String
    }

    struct Item: Codable {
        var id: Int
        var name: String
        var price: Double
        var tags: [String]
        var active: Bool
    }

    var type: String
    var seq: Int
    var ts: Double
    var channel: String
    var user: User
    var items: [Item]
    var note: String?
}

private struct Chat: Codable {
    struct Content: Codable {
        var user: String
        var text: String
        var timestamp: Int
    }

    enum CodingKeys: String, CodingKey {
        case type, data
        case channel = "channel-id"
        case message = "message-id"
        case time = "broadcast-time"
    }

    var type: String
    var channel: String
    var message: String
    var data: Content
    var time: Int
}

private struct Numbers: Codable {
    var columns: [String]
    var rows: [[Double]]
}
