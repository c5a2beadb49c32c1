// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteWire

/// Times the wire formats on JSON documents: a line of JSON for each format and document, in the form of
/// `time_python.py`, nanoseconds a call, the median of 15.
///
/// Every format reads and writes the same value; Foundation's two coders are the floor.
enum FormatBench {
    static func run(_ directory: String) {
        let folder = URL(fileURLWithPath: directory)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let documents = names.filter { $0.hasSuffix(".json") }.sorted()
        guard !documents.isEmpty else { return print("There are no JSON documents in \(directory).") }
        for name in documents {
            do {
                try run(name, [UInt8](Data(contentsOf: folder.appendingPathComponent(name))))
            } catch {
                print("\(name): \(error)")
            }
        }
    }

    private static let formats: [WireFormat] = [
        .json, .edn, .transitJSON, .transitJSONVerbose, .transitMessagePack, .senteMessagePack,
    ]

    private static func run(_ name: String, _ json: [UInt8]) throws {
        let value = try WireFormat.json.decode(json)
        for format in formats {
            let bytes = try format.encode(value)
            try line(
                format.name, name, bytes.count,
                decode: { _ = try format.decode(bytes) }, encode: { _ = try format.encode(value) })
        }
        let data = Data(json)
        let object = try JSONSerialization.jsonObject(with: data)
        try line(
            "JSONSerialization", name, json.count,
            decode: { _ = try JSONSerialization.jsonObject(with: data) },
            encode: { _ = try JSONSerialization.data(withJSONObject: object) })
        switch name {
        case "users-64k.json": try runCoders([User].self, name, value, data)
        case "order-1k.json": try runCoders(Order.self, name, value, data)
        case "chat.json": try runCoders(Chat.self, name, value, data)
        default: try runCoders(Numbers.self, name, value, data)
        }
    }

    /// Times a struct through our coders and Foundation's.
    private static func runCoders<T: Codable>(
        _ type: T.Type, _ name: String, _ value: Value, _ data: Data
    ) throws {
        let bytes = [UInt8](data)
        let ours = try ValueDecoder().decode(T.self, from: value)
        try line(
            "ValueDecoder", name, bytes.count,
            decode: { _ = try ValueDecoder().decode(T.self, from: WireFormat.json.decode(bytes)) },
            encode: { _ = try WireFormat.json.encode(ValueEncoder().encode(ours)) })
        try line(
            "JSONDecoder", name, bytes.count,
            decode: { _ = try JSONDecoder().decode(T.self, from: data) },
            encode: { _ = try JSONEncoder().encode(ours) })
    }

    private static func line(
        _ library: String, _ document: String, _ count: Int, decode: () throws -> Void,
        encode: () throws -> Void
    ) throws {
        let calls = max(20, 2_000_000 / count)
        let decoding = try median(calls, decode)
        let encoding = try median(calls, encode)
        print(
            "{\"library\": \"\(library)\", \"document\": \"\(document)\", \"bytes\": \(count), "
                + "\"decode_ns\": \(decoding), \"encode_ns\": \(encoding)}")
    }

    private static func median(_ calls: Int, _ body: () throws -> Void) throws -> Double {
        let clock = ContinuousClock()
        var times: [Double] = []
        for _ in 0..<15 {
            let time = try clock.measure { for _ in 0..<calls { try body() } }.components
            times.append((Double(time.seconds) * 1e9 + Double(time.attoseconds) / 1e9) / Double(calls))
        }
        return (times.sorted()[7] * 10).rounded() / 10
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
